// The language: the browser's at first, then the one that is chosen in the menu, at once and everywhere.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { violations } from './lib/axe.mjs';
import { startBrowser } from './lib/browser.mjs';
import { openChat } from './lib/chat-page.mjs';
import { freePort } from './lib/ports.mjs';
import { startReference } from './lib/reference.mjs';

/**
 * What the page says of itself that has Latin letters, in text and in attributes: not what people
 * said or are called, nor what says that it is English. Names of keys stay as they are on the keys.
 */
const english = () => {
  const found = [];
  const note = (text, from) => /[A-Za-z]{2}/.test(text.replace(/\b(Enter|Shift)\b/g, '')) && found.push(`${from}: ${text.trim()}`);
  const nodes = document.createNodeIterator(document.documentElement, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
  for (let node = nodes.nextNode(); node; node = nodes.nextNode()) {
    const element = node.nodeType === Node.TEXT_NODE ? node.parentElement : node;
    if (element.closest('script, noscript, style, head > :not(title), bdi, [dir=auto], .avatar, [lang=en]')) {
      continue;
    }
    if (node.nodeType === Node.TEXT_NODE) {
      note(node.data, element.tagName);
    } else {
      ['aria-label', 'title', 'placeholder', 'alt'].forEach((name) => node.hasAttribute(name) && note(node.getAttribute(name), name));
    }
  }
  return found;
};

describe('the language', () => {
  let browser, server, mood, url;
  before(async () => {
    mood = { speaks: { tokens: true, kept: 100 } };
    const port = await freePort();
    [browser, server] = await Promise.all([startBrowser(), startReference(port, undefined, mood)]);
    url = `http://127.0.0.1:${port}`;
    const days = [400, 3, 1, 0];
    days.forEach((day, i) => mood.talk.keep({ name: `n${i}`, text: `row ${i}, https://example.com/` }, '', Date.now() - day * 86_400_000));
    mood.talk.keep({ text: 'from nobody' }, '');
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  for (const [look, options] of Object.entries({
    'on a desktop': { viewport: { width: 1280, height: 900 } },
    'on a phone': { viewport: { width: 390, height: 740 }, isMobile: true, hasTouch: true },
    'at 400 %': { viewport: { width: 320, height: 256 } },
  })) {
    test(`changes at once, ${look}, and stays chosen`, async (t) => {
      const chat = await openChat(browser, url, '', { ...options, hash: '#token=Jiwoo' });
      t.after(() => chat.close());
      const { page } = chat;
      await chat.sees('from nobody');
      await chat.says('mine');
      await chat.sees('mine');
      await chat.says('forbidden');
      await page.getByRole('button', { name: 'Edit' }).waitFor();
      mood.talk.sockets().forEach((socket) => {
        socket.emit('typing', { name: '민준', for: 60_000 });
        socket.emit('auth:expiring', { expires: 0, seconds: 50 });
        socket.emit('msgToClient', { name: 'admin', text: 'join chat.' });
      });
      await page.getByText('Someone joined the chat').waitFor({ state: 'attached' });
      const drawer = await chat.menu();
      await drawer.getByRole('textbox').fill('closed');
      await page.keyboard.press('Enter');
      await drawer.getByText('Not joined. this room is closed').waitFor();

      await drawer.getByRole('radio', { name: '한국어' }).check();
      assert.equal(await page.evaluate(() => document.documentElement.lang), 'ko');
      assert.equal(await page.title(), '채팅');
      const menu = page.getByRole('dialog', { name: '메뉴' });
      await menu.getByText('들어가지 못했습니다.').waitFor();
      // What the server says of it is the server's.
      assert.deepEqual((await page.evaluate(english)).filter((text) => !/this room is closed|not that word/.test(text)), []);
      assert.deepEqual(await violations(page), []);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0);
      await page.keyboard.press('Escape');
      await page.getByText('오늘', { exact: true }).waitFor({ state: 'attached' });
      assert.deepEqual(await violations(page), []);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0);

      await page.reload();
      await chat.state('연결됨');
      assert.equal(await page.evaluate(() => document.documentElement.lang), 'ko');
      await page.getByRole('button', { name: /^메뉴/ }).click();
      await menu.getByRole('radio', { name: '자동' }).check();
      await chat.state('Connected');
      assert.equal(await page.evaluate(() => document.documentElement.lang), 'en');
      assert.equal(await page.title(), 'Chat');
      assert.equal(await page.evaluate(() => localStorage.getItem('chat.language')), null);
      assert.deepEqual(chat.faults, []);
    });
  }
});
