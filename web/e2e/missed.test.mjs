// A line that was broken for long: what was missed is more than one answer of the history brings.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { io } from 'socket.io-client';
import { startBrowser } from './lib/browser.mjs';
import { openChat } from './lib/chat-page.mjs';
import { startProxy } from './lib/proxy.mjs';
import { isReference, startInstance } from './lib/servers.mjs';

const KEPT = 500;
const numbered = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => `message ${from + i}`);

describe('a reader who missed a lot', { skip: isReference && 'the history of our server' }, () => {
  let browser, server, proxy, sender, chat;
  /** Says messages, each kept before this resolves. */
  const say = async (from, to) => {
    const answers = await Promise.all(numbered(from, to).map((text) => sender.timeout(60_000).emitWithAck('send', { payload: { name: 'Bob', text } })));
    assert.ok(answers.every(({ kept }) => kept));
  };
  const away = async (from, to) => {
    proxy.cut();
    await chat.state('Reconnecting…');
    await say(from, to);
    proxy.mend();
    await chat.state('Connected');
  };
  const GAP = 'Connection restored. Messages from in between are not shown.';

  before(async () => {
    server = await startInstance({ env: { CHAT_HISTORY: String(KEPT) } });
    [proxy, browser] = await Promise.all([startProxy(server.url), startBrowser()]);
    sender = io(`${server.url}/chat`, { transports: ['websocket'] });
    await new Promise((resolve, reject) => sender.once('connect', resolve).once('connect_error', reject));
    await say(1, 40);
    chat = await openChat(browser, proxy.url, '지우');
    await chat.sees('message 40');
  });
  after(async () => {
    sender?.close();
    await browser?.close();
    await proxy?.stop();
    await server?.stop();
  });

  test('sees each message once and in order, below a line, and no gap', async () => {
    await chat.scrollBy(-600);
    await chat.page.getByRole('button', { name: 'To the newest message' }).waitFor();
    await away(41, 490);
    await chat.page.getByRole('button', { name: '450 new messages' }).waitFor();
    assert.deepEqual(await chat.messages(), numbered(1, 490));
    await chat.log.evaluate((log) => log.closest('[tabindex="0"]').scrollTo(0, 0));
    await chat.sees('message 1');
    const line = chat.log.getByRole('listitem').filter({ has: chat.page.getByText('New', { exact: true }) });
    for (let most = 60; most > 0 && !(await line.count()); most--) {
      await chat.scrollBy(300);
      await chat.page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    }
    assert.equal(await line.locator('p[dir=auto]').textContent(), 'message 41');
    assert.equal(await chat.page.getByText(GAP).count(), 0);
  });

  test('is told where it is more than the server keeps', async () => {
    await chat.page.getByRole('button', { name: /newest message|new messages/ }).click();
    await away(491, 1100);
    await chat.sees('message 1100');
    const shown = await chat.messages();
    assert.deepEqual(shown, [...numbered(1, 490), ...numbered(1101 - KEPT, 1100)]);
    await chat.log.evaluate((log) => (log.closest('[tabindex="0"]').scrollTop = 0));
    for (let most = 200; most > 0 && !(await chat.page.getByText(GAP).count()); most--) {
      await chat.scrollBy(700);
      await chat.page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    }
    const gap = chat.log.getByRole('listitem').filter({ hasText: GAP });
    assert.equal(await gap.evaluate((row) => row.previousElementSibling.querySelector('p[dir=auto]').textContent), 'message 490');
    assert.deepEqual(chat.faults, []);
  });
});
