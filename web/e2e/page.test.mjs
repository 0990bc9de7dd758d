// Our page on one instance, as its readers use it.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { io } from 'socket.io-client';
import { startBrowser } from './lib/browser.mjs';
import { openChat } from './lib/chat-page.mjs';
import { startInstance } from './lib/servers.mjs';

/** A script in the chat, as anybody could write one, for as long as test t runs. */
async function script(t, url) {
  const socket = io(`${url}/chat`, { transports: ['websocket'], forceNew: true });
  t.after(() => socket.close());
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('connect_error', reject));
  return socket;
}

// What holds for everybody holds whether or not the server remembers those who were cut off:
// then each of its events has one more argument.
for (const [mode, env] of [['', {}], [' with recovery', { RECOVERY_SECONDS: '120' }]]) {
  describe(`the page${mode}`, () => pageTests(env));
}

function pageTests(env) {
  let browser;
  let server;
  const opened = [];
  const chatter = async (name, options) => {
    const chat = await openChat(browser, server.url, name, options);
    opened.push(chat);
    return chat;
  };

  before(async () => {
    server = await startInstance({ env });
    browser = await startBrowser();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  test('two people talk', async () => {
    const jiwoo = await chatter('지우');
    const alice = await chatter('Alice');
    await jiwoo.page.getByText('Someone joined the chat').waitFor();
    assert.equal(await alice.page.getByText('joined the chat').count(), 0, 'nobody is told of one\'s own arrival');
    for (const [from, to, text] of [
      [jiwoo, alice, '안녕하세요, 반갑습니다 👋'],
      [alice, jiwoo, 'Hello! <b>not bold</b> & "quoted"'],
      [jiwoo, alice, '가나다 ㄱㄴㄷ 한자 漢字 👩‍👩‍👧'],
    ]) {
      await from.says(text);
      await to.sees(text);
      await from.sees(text);
      assert.equal(await from.text.inputValue(), '');
    }
    // Line breaks: Shift+Enter stays in the box, and arrives as it was typed.
    await jiwoo.text.pressSequentially('one');
    await jiwoo.text.press('Shift+Enter');
    await jiwoo.text.pressSequentially('two');
    assert.equal(await jiwoo.text.inputValue(), 'one\ntwo');
    await jiwoo.text.press('Enter');
    await alice.sees('one\ntwo');
    // The button does what Enter does.
    await alice.text.fill('by button');
    await alice.page.getByRole('button', { name: 'Send', exact: true }).click();
    await jiwoo.sees('by button');
    // Own messages are known as one's own, other people's are not.
    assert.equal(await jiwoo.log.getByText('지우 (you)', { exact: true }).count(), 3);
    assert.equal(await alice.log.getByText('지우 (you)', { exact: true }).count(), 0);
    // Nothing is left waiting.
    assert.equal(await jiwoo.page.getByText('Sending…').count(), 0);
    await Promise.all([jiwoo.close(), alice.close()]);
  });

  test('asks for a name before it sends, and remembers it', async () => {
    const chat = await chatter('');
    await chat.says('who am I?');
    await chat.page.getByText('Enter your name first.').waitFor();
    assert.equal(await chat.name.evaluate((box) => box === document.activeElement), true);
    assert.equal(await chat.text.inputValue(), 'who am I?');
    await chat.name.fill('민준');
    await chat.name.press('Enter');
    await chat.text.press('Enter');
    await chat.sees('who am I?');
    await chat.page.reload();
    await chat.state('Connected');
    assert.equal(await chat.name.inputValue(), '민준');
    await chat.close();
  });

  test('speaks Korean to Korean readers', async () => {
    const chat = await chatter('서연', { locale: 'ko-KR' });
    assert.equal(await chat.page.evaluate(() => document.documentElement.lang), 'ko');
    await chat.page.getByRole('button', { name: '보내기' }).waitFor();
    await chat.says('네, 잘 보여요');
    await chat.sees('네, 잘 보여요');
    await chat.close();
  });

  test('Enter that ends a composition does not send; the next one does, once', async () => {
    const chat = await chatter('하은');
    const keyboard = await chat.context.newCDPSession(chat.page);
    await chat.text.focus();
    await keyboard.send('Input.imeSetComposition', { text: '안녀', selectionStart: 2, selectionEnd: 2 });
    await keyboard.send('Input.imeSetComposition', { text: '안녕', selectionStart: 2, selectionEnd: 2 });
    await chat.text.evaluate((box) => box.addEventListener('keydown', (e) => (window.pressed = [e.key, e.isComposing]), { once: true }));
    await keyboard.send('Input.dispatchKeyEvent', { type: 'rawKeyDown', key: 'Enter', code: 'Enter', windowsVirtualKeyCode: 13 });
    assert.deepEqual(await chat.page.evaluate(() => window.pressed), ['Enter', true], 'the browser reports a press within the composition');
    assert.equal(await chat.text.inputValue(), '안녕');
    await keyboard.send('Input.insertText', { text: '안녕' });
    await chat.text.press('Enter');
    await chat.sees('안녕');
    assert.equal(await chat.text.inputValue(), '');
    await chat.says('끝');
    await chat.sees('끝');
    assert.deepEqual((await chat.messages()).slice(-2), ['안녕', '끝']);
    await chat.close();
  });

  test('the button sends the syllable that is still being composed', async () => {
    const chat = await chatter('하은');
    const keyboard = await chat.context.newCDPSession(chat.page);
    await chat.text.focus();
    await keyboard.send('Input.imeSetComposition', { text: '좋아', selectionStart: 2, selectionEnd: 2 });
    await chat.page.getByRole('button', { name: 'Send', exact: true }).click();
    await chat.sees('좋아');
    assert.equal(await chat.text.inputValue(), '');
    await chat.close();
  });

  test('shows whatever a script sends, as text, and lives on', async (t) => {
    const chat = await chatter('도윤');
    const sender = await script(t, server.url);
    const deep = JSON.parse(`${'['.repeat(500)}${']'.repeat(500)}`);
    const odd = [null, 0, true, 'a string', '', [], [1, [2]], {}, { a: 1 }, { name: null, text: null }, { name: ['x'], text: { y: 1 } }, deep,
      { name: '<img src=x onerror="window.hit=1">', text: '<script>window.hit=1</script><img src=x onerror="window.hit=1">' },
      { name: '\u202eevil', text: '\u202edesrever\u0000\u0007' }, { name: 'n'.repeat(3000), text: 'x'.repeat(200_000) },
      { name: 'b', text: Buffer.from([1, 2, 3]) }, { __proto__: null, name: 'p', text: 'q', constructor: 1 }];
    for (const payload of odd) {
      sender.emit('msgToServer', payload);
    }
    sender.emit('msgToServer');
    sender.emit('msgToServer', 'several', { arguments: 1 });
    sender.emit('msgToServer', { name: 'script', text: 'that was all' });
    await chat.sees('that was all');
    const shown = await chat.messages();
    for (const text of ['null', '0', 'true', 'a string', '[]', '[1,[2]]', '{}', '{"a":1}', '{"y":1}', '"[3 bytes]"',
      '["several",{"arguments":1}]', '<script>window.hit=1</script><img src=x onerror="window.hit=1">']) {
      assert.ok(shown.includes(text), `${text} is shown`);
    }
    assert.ok(shown.some((text) => text.endsWith('190,000 more characters')));
    assert.equal(await chat.page.evaluate(() => window.hit), undefined);
    await chat.says('still here');
    await chat.sees('still here');
    await chat.close();
  });

  test('stays at the newest, keeps the reader\'s place, and is bounded', async (t) => {
    const chat = await chatter('유진', { viewport: { width: 900, height: 700 } });
    const sender = await script(t, server.url);
    const send = (from, to) => {
      for (let i = from; i <= to; i++) {
        sender.emit('msgToServer', { name: `counter ${i % 3}`, text: `message ${i}${' and more'.repeat(i % 40)}` });
      }
    };
    const last = (i) => chat.page.waitForFunction((start) => document.querySelector('[role=log] li:last-child p[dir=auto]')?.textContent.startsWith(start), `message ${i}`);
    const unseen = (count) => chat.page.getByRole('button', { name: count === 1 ? '1 new message' : `${count.toLocaleString('en')} new messages` }).waitFor();
    send(1, 60);
    await last(60);
    assert.ok((await chat.fromEnd()) < 2, 'at the end after 60 messages');

    await chat.scrollBy(-600);
    const jump = chat.page.getByRole('button', { name: /newest/ });
    await jump.waitFor();
    const before = await chat.fromEnd();
    send(61, 63);
    await unseen(3);
    assert.ok((await chat.fromEnd()) > before, 'not scrolled down');
    await chat.page.getByText('New', { exact: true }).waitFor({ state: 'attached' });
    await chat.page.getByRole('button', { name: /new messages/ }).click();
    send(64, 950);
    await last(950);

    // Over the bound: the oldest rows go, and what is being read stays where it is, update after update.
    const place = () =>
      chat.page.getByRole('log').evaluate((log) => {
        const box = log.closest('[tabindex="0"]').getBoundingClientRect();
        const row = [...log.querySelectorAll('li')].find((li) => li.getBoundingClientRect().top >= box.top);
        return { text: row.textContent, top: row.getBoundingClientRect().top };
      });
    await chat.scrollBy(-2000);
    await jump.waitFor();
    await chat.page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    const read = await place();
    for (let i = 951; i <= 1050; i++) {
      send(i, i);
      await unseen(i - 950);
    }
    send(1051, 1400);
    await unseen(450);
    const still = await place();
    assert.equal(still.text, read.text);
    // Scroll positions are whole pixels, rows are not.
    assert.ok(Math.abs(still.top - read.top) < 1.01, `${read.top} became ${still.top}`);
    const rows = await chat.log.getByRole('listitem').count();
    assert.ok(rows < 150, `${rows} rows are drawn`);

    await chat.page.getByRole('button', { name: /new messages/ }).click();
    await chat.page.waitForFunction(() => !document.querySelector('button.jump'));
    assert.ok((await chat.fromEnd()) < 2, 'at the end again');
    send(1401, 1402);
    await last(1402);
    assert.ok((await chat.fromEnd()) < 2, 'and following');
    const all = await chat.messages();
    assert.equal(all.length, 999, 'the newest messages below the day');
    assert.ok(all[0].startsWith('message 404'), all[0]);
    // One's own message brings its sender back to the newest.
    await chat.scrollBy(-600);
    await jump.waitFor();
    await chat.says('mine');
    await chat.sees('mine');
    assert.ok((await chat.fromEnd()) < 2, 'after a message of one\'s own');
    await chat.close();
  });

  test('keeps the text while the server is away, and comes back by itself', async () => {
    const chat = await chatter('예준');
    await chat.says('before');
    await chat.sees('before');
    await server.stop();
    await chat.state('Reconnecting…');
    await chat.says('written while away');
    await chat.page.getByText('Not connected. Your text is kept.').waitFor();
    assert.equal(await chat.text.inputValue(), 'written while away');
    const send = chat.page.locator('button[type=submit]');
    assert.equal(await send.textContent(), 'Reconnecting…');
    assert.equal(await send.getAttribute('aria-disabled'), 'true');

    await server.restart();
    await chat.state('Connected');
    await chat.page.getByText('Connection restored.').waitFor();
    assert.equal(await chat.log.getByText('written while away').count(), 0, 'nothing was sent behind the writer\'s back');
    await chat.text.press('Enter');
    await chat.sees('written while away');
    assert.equal(await chat.log.getByText('written while away').count(), 1);
    await chat.close();
  });

  test('works by keyboard alone and says what is what', async () => {
    const chat = await chatter('');
    const { page } = chat;
    const at = () => page.evaluate(() => {
      const at = document.activeElement;
      return at.getAttribute('aria-label') ?? at.labels?.[0]?.textContent ?? at.textContent;
    });
    assert.equal(await at(), 'Name', 'a first visitor is asked for a name');
    await page.keyboard.press('Shift+Tab');
    const stops = [await at()];
    for (let i = 0; i < 3; i++) {
      await page.keyboard.press('Tab');
      stops.push(await at());
    }
    assert.deepEqual(stops, ['Conversation', 'Name', 'Message', 'Send']);
    await chat.name.fill('a');
    await page.reload();
    await chat.state('Connected');
    assert.equal(await at(), 'Message', 'one who has a name can write at once');
    assert.equal(await page.getByRole('heading', { level: 1 }).textContent(), 'Chat');
    assert.equal(await chat.status.getAttribute('aria-live'), 'polite');
    assert.equal(await chat.log.getAttribute('aria-live'), 'polite');
    await chat.close();
  });

  test('fits a phone', async () => {
    const chat = await chatter('유나', { viewport: { width: 320, height: 568 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 });
    await chat.says(`길${'고'.repeat(60)} 긴 말 https://example.invalid/${'a'.repeat(120)}`);
    await chat.page.getByText('https://example.invalid').waitFor();
    const fit = await chat.page.evaluate(() => ({
      wide: document.documentElement.scrollWidth,
      inputs: [...document.querySelectorAll('input, textarea')].map((box) => parseFloat(getComputedStyle(box).fontSize)),
      send: document.querySelector('button[type=submit]').getBoundingClientRect().toJSON(),
    }));
    assert.equal(fit.wide, 320);
    assert.ok(fit.inputs.every((size) => size >= 16), `${fit.inputs}`);
    assert.ok(fit.send.bottom <= 568 && fit.send.right <= 320 && fit.send.height >= 36);
    await chat.close();
  });

  test('asked for nothing elsewhere and broke no rule of its security policy', async () => {
    const response = await fetch(`${server.url}/`);
    assert.match(response.headers.get('content-security-policy') ?? '', /default-src 'self'/);
    assert.doesNotMatch(response.headers.get('content-security-policy'), /unsafe/);
    assert.ok(opened.length >= 9);
    assert.deepEqual(opened.flatMap((chat) => chat.faults), []);
  });
}
