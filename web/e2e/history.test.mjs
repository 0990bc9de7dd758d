// What the chat keeps: on opening the page, on reading back, after a broken line. Against a small
// server of the same protocol, which can be told to fail at will.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startBrowser } from './lib/browser.mjs';
import { openChat } from './lib/chat-page.mjs';
import { freePort } from './lib/ports.mjs';
import { startProxy } from './lib/proxy.mjs';
import { startReference } from './lib/reference.mjs';

describe('the page with a history', () => {
  let browser;
  before(async () => {
    browser = await startBrowser();
  });
  after(() => browser?.close());

  /** A server that keeps so many messages, of which `said` have been said before. */
  const serve = async (t, said = 0, speaks = {}) => {
    const mood = { speaks };
    const port = await freePort();
    const server = await startReference(port, undefined, mood);
    const proxy = await startProxy(`http://127.0.0.1:${port}`);
    t.after(async () => {
      await proxy.stop();
      await server.stop();
    });
    for (let i = 1; i <= said; i++) {
      mood.talk.keep({ name: `n${i % 5}`, text: `message ${i}` }, '', Date.now() - (said - i) * 1000 - 60_000);
    }
    return { server, proxy, mood, url: proxy.url, direct: `http://127.0.0.1:${port}` };
  };
  const reader = async (t, url, name, options) => {
    const chat = await openChat(browser, url, name, options);
    t.after(() => chat.close());
    return chat;
  };
  const numbered = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => `message ${from + i}`);

  test('opens with what was said, reads back to the beginning, and says so', async (t) => {
    const { url, mood } = await serve(t, 700, { kept: 600 });
    const chat = await reader(t, url, '지우');
    await chat.sees('message 700');
    assert.ok((await chat.fromEnd()) < 2, 'at the newest');
    assert.equal(await chat.log.getByText('message 101', { exact: true }).count(), 0);
    for (let most = 200; most > 0 && !(await chat.page.getByText('Older messages are not kept.').count()); most--) {
      await chat.page.getByRole('log').evaluate((log) => (log.closest('[tabindex="0"]').scrollTop -= 1500));
      await chat.page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    }
    assert.deepEqual(await chat.messages(), numbered(101, 700));
    await chat.says('and now');
    await chat.sees('and now');
    assert.deepEqual(mood.talk.histories.get('').at(-1).payload, { name: '지우', text: 'and now' });
    // After a reload one's own words are still one's own.
    await chat.page.reload();
    await chat.state('Connected');
    await chat.log.getByText('지우 (you)', { exact: true }).waitFor();
    assert.deepEqual(chat.faults, []);
  });

  test('what one reads stays where it is while older messages come', async (t) => {
    const { url } = await serve(t, 400);
    const chat = await reader(t, url, '지우');
    await chat.sees('message 400');
    // Near enough to the upper end for older ones to be fetched, and not at it.
    await chat.log.evaluate((log) => log.closest('[tabindex="0"]').scrollTo(0, 300));
    await chat.page.getByRole('button', { name: 'To the newest message' }).waitFor();
    const place = (text) => chat.log.getByText(text, { exact: true }).evaluate((row) => row.getBoundingClientRect().top);
    const text = await chat.log.evaluate((log) => {
      const { top } = log.closest('[tabindex="0"]').getBoundingClientRect();
      return [...log.querySelectorAll('p[dir=auto]')].find((row) => row.getBoundingClientRect().top > top).textContent;
    });
    const before = await place(text);
    await chat.page.getByText('Older messages are not kept.').waitFor({ state: 'attached' });
    assert.ok(Math.abs((await place(text)) - before) < 1.5, `${before} became ${await place(text)}`);
  });

  test('after a broken line it shows what was missed, each message once, and no gap', async (t) => {
    const { url, direct, proxy } = await serve(t, 3);
    const alice = await reader(t, direct, 'Alice');
    const jiwoo = await reader(t, url, '지우');
    await jiwoo.sees('message 3');
    for (const text of ['same', 'same', 'heard']) {
      await alice.says(text);
      await alice.page.getByRole('list', { name: 'Not delivered yet' }).waitFor({ state: 'detached' });
    }
    await jiwoo.sees('heard');
    proxy.cut();
    await jiwoo.state('Reconnecting…');
    for (const text of ['same', 'missed', 'same']) {
      await alice.says(text);
      await alice.page.getByRole('list', { name: 'Not delivered yet' }).waitFor({ state: 'detached' });
    }
    proxy.mend();
    await jiwoo.state('Connected');
    await alice.says('live again');
    await jiwoo.sees('live again');
    await jiwoo.sees('missed');
    const all = [...numbered(1, 3), 'same', 'same', 'heard', 'same', 'missed', 'same', 'live again'];
    assert.deepEqual(await jiwoo.messages(), all);
    assert.deepEqual(await alice.messages(), all);
    assert.equal(await jiwoo.page.getByText('Connection restored.').count(), 0);
    assert.deepEqual([...jiwoo.faults, ...alice.faults], []);
  });

  test('where the memory does not reach back it says that something is missing', async (t) => {
    const { url, proxy, mood } = await serve(t, 0, { kept: 5 });
    const chat = await reader(t, url, '지우');
    await chat.says('before');
    await chat.sees('before');
    proxy.cut();
    await chat.state('Reconnecting…');
    for (let i = 1; i <= 8; i++) {
      mood.talk.keep({ name: 'Bob', text: `message ${i}` }, '');
    }
    proxy.mend();
    await chat.sees('message 8');
    await chat.page.getByText('Connection restored. Messages from in between are not shown.').waitFor();
    assert.deepEqual(await chat.messages(), ['before', ...numbered(4, 8)]);
  });

  test('a server that cannot look everywhere says so', async (t) => {
    const { url, mood } = await serve(t, 3);
    mood.talk.partial = true;
    const chat = await reader(t, url, '지우');
    await chat.page.getByText('Some messages may be missing').waitFor();
  });

  test('a message whose way back broke is sent again by itself, and arrives once', async (t) => {
    const { url, direct, proxy, mood } = await serve(t);
    const alice = await reader(t, direct, 'Alice');
    const jiwoo = await reader(t, url, '지우');
    await jiwoo.says('first');
    await jiwoo.sees('first');
    const waiting = jiwoo.page.getByRole('list', { name: 'Not delivered yet' });
    // Relayed, but neither its echo nor its acknowledgement comes back.
    mood.talk.mute = true;
    const [[, theirs]] = [...mood.talk.sent.entries()].map((entry) => entry);
    assert.equal(theirs.kept, true);
    mood.talk.deafTo = (socket) => socket.handshake.query.username !== undefined || socket.data.said === '지우';
    await jiwoo.says('relayed');
    await alice.sees('relayed');
    await waiting.getByText('Sending…').waitFor();
    proxy.cut();
    await waiting.getByText('Not sent yet. It is sent when the connection is back.').waitFor();
    mood.talk.mute = false;
    mood.talk.deafTo = () => false;
    proxy.mend();
    await jiwoo.state('Connected');
    await waiting.waitFor({ state: 'detached' });
    // Never relayed at all: the line is cut under it.
    proxy.cut();
    await jiwoo.state('Reconnecting…');
    proxy.mend();
    await jiwoo.state('Connected');
    await jiwoo.says('last');
    await alice.sees('last');
    await jiwoo.sees('last');
    assert.deepEqual(await alice.messages(), ['first', 'relayed', 'last']);
    assert.deepEqual(await jiwoo.messages(), ['first', 'relayed', 'last']);
    await jiwoo.says('forbidden word');
    await jiwoo.page.getByText('Not sent. The server says: not that word').waitFor();
  });

  test('what came since the last visit begins with a line', async (t) => {
    const { url, mood } = await serve(t, 3);
    const chat = await reader(t, url, '지우');
    await chat.sees('message 3');
    await chat.page.goto('about:blank');
    await new Promise((resolve) => setTimeout(resolve, 5));
    for (let i = 4; i <= 6; i++) {
      mood.talk.keep({ name: 'Bob', text: `message ${i}` }, '');
    }
    await chat.page.goto(url);
    await chat.sees('message 6');
    const line = chat.log.getByRole('listitem').filter({ has: chat.page.getByText('New', { exact: true }) });
    await line.waitFor();
    assert.match(await line.textContent(), /message 4/);
    assert.deepEqual(await chat.messages(), numbered(1, 6));
  });

  test('50,000 messages can be read back to the first, with a few rows drawn', async (t) => {
    const { url } = await serve(t, 50_000, { kept: 50_000 });
    const chat = await reader(t, url, '지우');
    await chat.sees('message 50000');
    const { steps, most } = await chat.page.getByRole('log').evaluate(async (log) => {
      const box = log.closest('[tabindex="0"]');
      const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
      let most = 0;
      let steps = 0;
      const first = () => [...log.querySelectorAll('p[dir=auto]')].some((row) => row.textContent === 'message 1');
      for (; !first() && steps < 30_000; steps++) {
        box.scrollTop -= 20_000;
        await frame();
        most = Math.max(most, log.querySelectorAll('li').length);
      }
      return { steps, most };
    });
    assert.ok(steps < 30_000, 'came to the first');
    assert.ok(most < 200, `${most} rows drawn`);
    await chat.page.getByRole('button', { name: 'To the newest message' }).click();
    await chat.sees('message 50000');
    assert.ok((await chat.fromEnd()) < 2);
    assert.deepEqual(chat.faults, []);
  });
});
