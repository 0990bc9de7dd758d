import { describe, expect, test } from 'vitest';
import { Server, reader } from './fake-history';

describe('the first answer', () => {
  test('is put before what was heard meanwhile, each once', async () => {
    const server = new Server();
    ['a', 'b', 'c'].forEach((text) => server.relay(text));
    server.now = 60_000;
    const page = reader(server);
    server.relay('d');
    page.hear('d');
    await page.load();
    page.hear('e');
    expect(page.seen).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(page.past.more).toBe(false);
  });

  test('what it brings before its live copy is known when that comes', async () => {
    const server = new Server();
    server.relay('old');
    const page = reader(server);
    server.now = 10_000;
    server.relay('on its way'); // relayed after this page connected
    await page.load();
    page.hear('on its way');
    page.hear('on its way'); // said again
    expect(page.seen).toEqual(['old', 'on its way', 'on its way']);
  });

  test('what was said before this page connected is not waited for', async () => {
    const server = new Server();
    server.relay('ok');
    server.now = 60_000;
    const page = reader(server);
    await page.load();
    page.hear('ok');
    expect(page.seen).toEqual(['ok', 'ok']);
  });

  test('an answer that comes late is not waited for for ever', async () => {
    const server = new Server();
    const page = reader(server);
    server.relay('x');
    await page.load();
    server.now += 60_000;
    page.hear('x');
    expect(page.seen).toEqual(['x', 'x']);
  });
});

describe('after a break', () => {
  test('what was missed is told from what was heard, equal texts by their number', async () => {
    const server = new Server();
    const page = reader(server);
    server.relay('first');
    await page.load();
    server.now = 60_000;
    for (const text of ['ok', 'ok', 'yes']) {
      server.relay(text);
      page.hear(text);
    }
    page.cut();
    server.now = 120_000;
    ['ok', 'no', 'ok'].forEach((text) => server.relay(text));
    server.now = 180_000;
    const connected = server.now;
    server.relay('live');
    page.hear('live');
    await page.back(connected);
    expect(page.seen).toEqual(['first', 'ok', 'ok', 'yes', 'ok', 'no', 'ok', 'live']);
    expect(server.questions.at(-1)).toEqual({ after: '000001', limit: 200 });
    page.hear('live');
    expect(page.seen.at(-1)).toBe('live');
  });

  test('what was heard before the server kept it is known when an answer brings it', async () => {
    const server = new Server();
    const page = reader(server);
    server.relay('first');
    await page.load();
    server.now = 60_000;
    page.hear('kept late');
    page.cut();
    server.now += 2000;
    await page.back();
    server.relay('kept late');
    page.cut();
    server.now += 2000;
    await page.back();
    expect(page.seen).toEqual(['first', 'kept late']);
  });

  test('what was heard while the memory was away is known when it is back, however late', async () => {
    const server = new Server();
    const page = reader(server);
    server.relay('first');
    await page.load();
    server.partial = true;
    page.hear('said meanwhile');
    page.cut();
    server.now += 300_000;
    await page.back();
    server.partial = false;
    server.relay('said meanwhile');
    page.cut();
    server.now += 300_000;
    await page.back();
    expect(page.seen).toEqual(['first', 'said meanwhile']);
  });

  test('binary parts are told apart by their bytes', async () => {
    const server = new Server();
    const page = reader(server);
    server.relay('x');
    await page.load();
    const heard = { file: new Uint8Array([1, 2]).buffer };
    server.relay({ file: new Uint8Array([1, 2]) });
    page.hear(heard);
    page.cut();
    server.now = 60_000;
    const other = { file: new Uint8Array([1, 3]) };
    server.relay(other);
    server.now = 120_000;
    await page.back();
    expect(page.seen).toEqual(['x', heard, other]);
  });

  test('a gap is told where the memory does not reach back to what was heard, and only there', async () => {
    const server = new Server(3);
    const page = reader(server);
    server.relay('1');
    await page.load();
    const breaks = async (live: string[], missed: string[]) => {
      live.forEach((text) => void (server.relay(text), page.hear(text)));
      page.cut();
      server.now += 60_000;
      missed.forEach((text) => server.relay(text));
      server.now += 60_000;
      await page.back();
    };
    await breaks(['2', '3', '4', '5'], ['6', '7']);
    expect(page.seen).toEqual(['1', '2', '3', '4', '5', '6', '7']);
    await breaks([], ['8', '9', '10', '11']);
    expect(page.seen.slice(7)).toEqual(['gap', '9', '10', '11']);
  });

  test('a memory that was empty at first has to begin with what was heard', async () => {
    const server = new Server(3);
    const page = reader(server);
    await page.load();
    ['1', '2'].forEach((text) => void (server.relay(text), page.hear(text)));
    page.cut();
    server.now += 60_000;
    ['3', '4', '5'].forEach((text) => server.relay(text));
    server.now += 60_000;
    await page.back();
    expect(page.seen).toEqual(['1', '2', 'gap', '3', '4', '5']);
  });

  test('a very long absence is cut short by a gap', async () => {
    const server = new Server(10_000);
    const page = reader(server);
    server.relay('before');
    await page.load();
    page.cut();
    for (let i = 0; i < 5000; i++) {
      server.relay(i);
    }
    server.now += 60_000;
    await page.back();
    expect(page.seen.slice(0, 3)).toEqual(['before', 'gap', 4800]);
    expect(page.seen).toHaveLength(202);
  });
});

test('reading back comes to the beginning', async () => {
  const server = new Server(10_000);
  for (let i = 0; i < 500; i++) {
    server.relay(i);
  }
  server.now = 60_000;
  const page = reader(server);
  await page.load();
  while (page.past.more) {
    await page.up();
  }
  expect(page.seen).toEqual(Array.from({ length: 500 }, (_, i) => i));
  expect(server.questions.map(({ before }) => before ?? '-')).toEqual(['-', '000451', '000251', '000051']);
});

// Random schedules: whatever breaks when, each message is seen once, and nobody's order is mixed up.
test.each(Array.from({ length: 200 }, (_, seed) => seed))('any schedule of breaks, seed %i', async (seed) => {
  let state = seed * 2654435761 + 1;
  const random = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >> 8) % below;
  };
  const server = new Server();
  const page = reader(server);
  const wire: unknown[] = []; // relayed to this page and not yet there
  const arrive = () => page.hear(wire.shift());
  const say = (connected: boolean) => {
    const payload = { name: 'abc'[random(3)], text: 'xy'[random(2)] };
    server.relay(payload);
    server.now += 1 + random(50);
    if (connected) {
      wire.push(payload);
    }
  };
  const some = (connected: boolean) => {
    for (let i = random(8); i > 0; i--) {
      say(connected);
      if (random(2) && wire.length) {
        arrive();
      }
    }
  };
  some(false);
  server.now += 10_000;
  some(true);
  await page.load();
  for (let breaks = 0; breaks < 5; breaks++) {
    some(true);
    wire.length = random(2) ? wire.length : 0; // what the broken line swallows
    while (wire.length) {
      arrive();
    }
    page.cut();
    server.now += 10_000;
    some(false);
    server.now += 10_000;
    const connected = server.now;
    some(true);
    await page.back(connected);
    while (wire.length) {
      arrive();
    }
  }
  const said = server.kept.map(({ payload }) => JSON.stringify(payload)).sort();
  expect(page.seen.map((payload) => JSON.stringify(payload)).sort()).toEqual(said);
});
