// Our page on one instance and the seed's own page on another, in one conversation.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startBrowser } from './lib/browser.mjs';
import { openChat } from './lib/chat-page.mjs';
import { openSeedPage } from './lib/seed-page.mjs';
import { isReference, startInstance, startRedis } from './lib/servers.mjs';

describe('two instances on one Redis, our page and the seed\'s', () => {
  let redis, one, two, browser, ours, seed;

  before(async () => {
    redis = await startRedis();
    one = await startInstance({ redis });
    two = await startInstance({ redis });
    browser = await startBrowser();
    ours = await openChat(browser, one.url, '지우');
    seed = await openSeedPage(two.port, '민준');
  });
  after(async () => {
    await seed?.close();
    await browser?.close();
    await Promise.all([one?.stop(), two?.stop()]);
    await redis?.stop();
  });

  test('the seed\'s page connects, and both see that it joined', async () => {
    await seed.sees('admin: join chat.');
    await ours.page.getByText('joined the chat').first().waitFor();
    // Its default transports: it starts polling and moves on to a WebSocket.
    await seed.page.waitForFunction(() => app.socket.io.engine.transport.name === 'websocket');
    assert.deepEqual([...seed.transports].sort(), ['polling', 'websocket']);
  });

  test('they talk, in Korean too, in order', async () => {
    const talk = ['안녕하세요', 'Hello', '한글 ㄱㄴㄷ 漢字 😀 é', '<b>no markup</b>', 'q: "quoted" \\ back', '끝'];
    for (const text of talk) {
      await seed.says(`seed ${text}`);
      await ours.sees(`seed ${text}`);
      await ours.says(`ours ${text}`);
      await seed.sees(`지우: ours ${text}`);
    }
    const both = talk.flatMap((text) => [`seed ${text}`, `ours ${text}`]);
    assert.deepEqual(await ours.messages(), both);
    // What was joined before is a line of its own there; the rest is the conversation, once.
    const lines = (await seed.lines()).filter((line) => line !== 'admin: join chat.');
    assert.deepEqual(lines, both.map((text) => (text.startsWith('seed') ? `민준: ${text}` : `지우: ${text}`)));
  });

  test('a burst from each arrives at the other complete and in order', async () => {
    const burst = (who) => Array.from({ length: 50 }, (_, i) => `${who} ${i} 번째`);
    await Promise.all([
      seed.page.evaluate((texts) => texts.forEach((text) => app.socket.emit('msgToServer', { name: 'burst', text })), burst('seed')),
      (async () => {
        for (const text of burst('ours')) {
          await ours.says(text);
        }
      })(),
    ]);
    await ours.sees('ours 49 번째');
    await seed.sees('지우: ours 49 번째');
    // What was said before the last of them may be further up, and not be drawn.
    let seenByOurs;
    do {
      seenByOurs = await ours.messages();
    } while (!seenByOurs.includes('seed 49 번째'));
    const seenBySeed = (await seed.lines()).map((line) => line.replace(/^[^:]+: /, ''));
    for (const who of ['seed', 'ours']) {
      const of = (list) => list.filter((text) => new RegExp(`^${who} \\d+ 번째$`).test(text));
      assert.deepEqual(of(seenByOurs), burst(who), `${who} as our page shows it`);
      assert.deepEqual(of(seenBySeed), burst(who), `${who} as the seed's page shows it`);
    }
  });

  // In a browser, client 1.4.5 encodes text twice when it polls, and expects the same back.
  // Node's servers do not know that: Korean arrives garbled, or ends the connection.
  test('Korean passes both ways when the seed\'s page can only poll', { skip: isReference && 'Node garbles it' }, async (t) => {
    const polling = await openSeedPage(two.port, '하준', { webSocket: false });
    t.after(() => polling.close());
    await polling.sees('admin: join chat.');
    for (const text of ['안녕하세요', 'plain', '漢字 é 😀 ㄱㄴㄷ', '끝']) {
      await polling.says(`poll ${text}`);
      await ours.sees(`poll ${text}`);
      await polling.sees(`하준: poll ${text}`);
      await ours.says(`to poll ${text}`);
      await polling.sees(`지우: to poll ${text}`);
    }
    assert.deepEqual([...polling.transports], ['polling']);
    assert.deepEqual(polling.faults, []);
    assert.equal((await polling.lines()).filter((line) => line === 'admin: join chat.').length, 1, 'it was never cut off');
  });

  test('without an error on either page', async () => {
    if (process.env.PICTURES) {
      await seed.page.screenshot({ path: `${process.env.PICTURES}/seed-page.png` });
      await ours.page.screenshot({ path: `${process.env.PICTURES}/our-page.png` });
    }
    assert.deepEqual(seed.faults, []);
    assert.deepEqual(ours.faults, []);
  });
});
