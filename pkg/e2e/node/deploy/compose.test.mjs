// deploy/ on a real Docker engine: `task test:deploy` starts one, builds the image and runs this.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { Chatter, GENERATIONS, barrier } from '../world/clients.mjs';
import { eventually } from '../world/deadline.mjs';
import { Crowd, assertOrderly } from './crowd.mjs';
import { Stack, docker } from './stack.mjs';

const stack = new Stack({ DRAIN_SECONDS: '4' });
const table = [];

before(async () => {
  await stack.down();
  await stack.up();
  await stack.serving(3);
});
after(async () => {
  if (table.length) console.table(table);
  await stack.down();
});

/** Runs `deed` while a crowd talks, and enters what came of it into the table. */
async function under(title, deed, options) {
  const crowd = await Crowd.gather(stack, options);
  crowd.start();
  try {
    await crowd.talkedOn();
    await deed(crowd);
    await crowd.talkedOn();
    const account = await crowd.stop();
    table.push({ title, ...account });
    assertOrderly(account);
    return account;
  } finally {
    crowd.leave();
  }
}

describe('the image', () => {
  test('is small, says what it is, and runs as nobody in particular', async () => {
    const [image] = JSON.parse(await docker('image', 'inspect', 'socketio-chat'));
    assert.ok(image.Size < 25e6, `${image.Size} bytes`);
    assert.equal(image.Config.User, '65532:65532');
    assert.equal(image.Config.Labels['org.opencontainers.image.licenses'], 'MIT');
    assert.deepEqual(image.Config.Healthcheck.Test, ['CMD', '/chat-server', 'healthcheck']);
  });

  test('writes nowhere and may do nothing but serve', async () => {
    const [chat] = JSON.parse(await docker('inspect', (await stack.containers())[0]));
    assert.equal(chat.HostConfig.ReadonlyRootfs, true);
    assert.deepEqual(chat.HostConfig.CapDrop, ['ALL']);
    assert.equal(await docker('diff', chat.Id), '');
  });
});

describe('the network', () => {
  test('leads to the chat through the proxy alone; Redis is private', async () => {
    for (const service of ['chat', 'redis']) {
      for (const id of await stack.containers(service)) {
        assert.equal(await docker('port', id), '', `${service} publishes ports`);
      }
    }
  });

  test('has Redis where the Node app looks for it, with the override', async () => {
    const seed = new Stack({ files: ['deploy/docker-compose.yml', 'deploy/docker-compose.seed.yml'], DRAIN_SECONDS: '4' });
    await seed.up('redis');
    const ask = () => new Promise((resolve) => {
      const socket = connect(10300, '127.0.0.1', () => socket.write('PING\r\n'));
      socket.once('data', (data) => {
        resolve(`${data}`);
        socket.destroy();
      });
      socket.once('error', () => resolve(null)); // the port is there before Redis is
    });
    const answer = await eventually(ask, 'Redis on port 10300');
    assert.equal(answer, '+PONG\r\n');
    await stack.up('redis');
    await stack.serving(3);
  });
});

describe('chat through a proxy that goes round', () => {
  for (const generation of GENERATIONS) {
    test(`client ${generation}, polling first`, async () => {
      const people = [];
      for (let i = 0; i < 4; i++) people.push(await Chatter.join(stack, { generation }));
      const texts = Array.from({ length: 50 }, (_, i) => `${i} 안녕`);
      for (const text of texts) people[0].says(text);
      for (const person of people) await person.wantExactly(people[0], texts);
      for (const person of people) person.leave();
    });
  }

  test('and polling alone', async () => {
    const people = await Promise.all(GENERATIONS.map((generation) => Chatter.join(stack, { generation, transport: 'polling' })));
    for (const person of people) await barrier(person, people);
    for (const person of people) person.leave();
    assert.ok((await stack.metrics()).get('chat_forwarded_total') > 0, 'no request was forwarded: then the proxy did not go round');
  });
});

test('nothing is forwarded with affinity', async () => {
  await stack.change({ AFFINITY: 'cookie' });
  await eventually(async () => (await fetch(`${stack.url}/readyz`).catch(() => null))?.ok, 'the proxy');
  const before = (await stack.metrics()).get('chat_forwarded_total');
  // Browsers keep cookies by themselves; this client does when it is told to.
  const people = await Promise.all(Array.from({ length: 6 }, () => Chatter.join(stack, { transport: 'default', withCredentials: true })));
  for (const person of people) await person.upgraded();
  for (const person of people) await barrier(person, people);
  for (const person of people) person.leave();
  assert.equal((await stack.metrics()).get('chat_forwarded_total'), before);
  await stack.change({ AFFINITY: 'none' });
  await stack.serving(3);
});

describe('under load', () => {
  test('a rolling restart of all instances loses nothing', async () => {
    const account = await under('rolling restart', async (crowd) => {
      for (const id of await stack.containers()) {
        await docker('stop', id);
        assert.equal(await docker('inspect', '-f', '{{.State.ExitCode}}', id), '0');
        await crowd.connected();
        await docker('start', id);
        await stack.serving(3);
        await crowd.talkedOn();
      }
    });
    assert.equal(account.lost, 0);
    assert.equal(account.anew, 0, 'clients that were not recovered');
    assert.ok(account.recovered > 0, 'nobody had to reconnect');
  });

  test('scaling up and down loses nothing', async () => {
    const account = await under('scale to 5 and to 2', async (crowd) => {
      await stack.up('--scale', 'chat=5', '--no-recreate');
      await stack.serving(5);
      await crowd.talkedOn();
      await stack.up('--scale', 'chat=2', '--no-recreate');
      await stack.serving(2);
      await crowd.connected();
    });
    await stack.up('--no-recreate');
    await stack.serving(3);
    assert.equal(account.lost, 0);
    assert.equal(account.anew, 0, 'clients that were not recovered');
  });

  test('a killed instance costs its own clients what they missed, and the others nothing', async () => {
    let survivors;
    const account = await under('kill -9', async (crowd) => {
      const away = new Set();
      for (const l of crowd.listeners) l.socket.on('disconnect', () => away.add(l));
      const [id] = await stack.containers();
      await docker('kill', id);
      await eventually(() => crowd.listeners.every((l) => l.socket.connected), 'everybody to be back');
      await crowd.talkedOn();
      await docker('start', id);
      await stack.serving(3);
      survivors = crowd.listeners.filter((l) => !away.has(l)).length;
    });
    assert.ok(survivors > 0, 'everybody was on one instance');
    // Nobody holds what the dead instance held: its clients begin anew and know it.
    assert.ok(account.lost === 0 || account.anew > 0, JSON.stringify(account));
  });
});

describe('eyes on it', () => {
  test('Prometheus finds every instance', async () => {
    const { port } = await stack.address('prometheus', 9090);
    await eventually(async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent('sum(up{job="chat"})')}`).then((r) => r.json(), () => null);
      return answer?.data?.result?.[0]?.value[1] === '3';
    }, 'three targets to be up', 60_000);
  });

  test('Grafana has its data source and its dashboard', async () => {
    const { port } = await stack.address('grafana', 3000);
    const answer = await fetch(`http://127.0.0.1:${port}/api/health`);
    assert.equal((await answer.json()).database, 'ok');
  });
});
