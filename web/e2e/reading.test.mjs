// The conversation as one reads it: links, days, times, what is new, on screens of every kind.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { io } from 'socket.io-client';
import { startBrowser } from './lib/browser.mjs';
import { openChat } from './lib/chat-page.mjs';
import { isReference, startInstance } from './lib/servers.mjs';

describe('the conversation', () => {
  let browser, server, sender;
  before(async () => {
    // A clock that is turned on by hours must not look like a server that is silent.
    server = await startInstance({ env: { PING_INTERVAL_MS: '86400000' } });
    browser = await startBrowser();
    sender = io(`${server.url}/chat`, { transports: ['websocket'] });
    await new Promise((resolve, reject) => sender.once('connect', resolve).once('connect_error', reject));
  });
  after(async () => {
    sender?.close();
    await browser?.close();
    await server?.stop();
  });
  const reader = async (t, name, options) => {
    const chat = await openChat(browser, server.url, name, options);
    t.after(() => chat.close());
    return chat;
  };
  const says = (text, name = 'Alice') => sender.emit('msgToServer', { name, text });

  test('addresses are links that tell nothing to where they lead', async (t) => {
    const chat = await reader(t, '지우');
    says('see https://example.com/a?b=1#c, www.example.org. and javascript:alert(1) <a href="https://x.example">x</a>');
    const links = chat.log.getByRole('link');
    await links.first().waitFor();
    assert.deepEqual(await links.evaluateAll((all) => all.map((a) => [a.textContent, a.href, a.target, a.rel])), [
      ['https://example.com/a?b=1#c', 'https://example.com/a?b=1#c', '_blank', 'noopener noreferrer nofollow ugc'],
      ['www.example.org', 'https://www.example.org/', '_blank', 'noopener noreferrer nofollow ugc'],
      ['https://x.example', 'https://x.example/', '_blank', 'noopener noreferrer nofollow ugc'],
    ]);
    assert.equal((await chat.messages())[0], 'see https://example.com/a?b=1#c, www.example.org. and javascript:alert(1) <a href="https://x.example">x</a>');
    // A link leads to a page of its own, which knows nothing of this one.
    says(`look: ${server.url}/healthz`);
    const opened = chat.context.waitForEvent('page');
    await chat.log.getByRole('link', { name: '/healthz' }).click();
    const other = await opened;
    await other.waitForLoadState();
    assert.deepEqual(await other.evaluate(() => [window.opener, document.referrer]), [null, '']);
    assert.deepEqual(chat.faults, []);
  });

  test('days are told apart, and every message has its time', async (t) => {
    const chat = await reader(t, '지우', { timezoneId: 'Asia/Seoul' });
    await chat.page.clock.install({ time: new Date('2026-11-27T14:58:00Z') }); // 23:58 in Seoul, a Friday
    await chat.page.reload();
    await chat.state('Connected');
    says('before midnight');
    await chat.sees('before midnight');
    await chat.log.getByText('Today', { exact: true }).waitFor();
    await chat.page.clock.runFor(4 * 60_000);
    says('after midnight');
    await chat.sees('after midnight');
    await chat.log.getByText('Yesterday', { exact: true }).waitFor();
    await chat.page.clock.runFor(60 * 3600_000);
    await chat.log.getByText('Friday, November 27', { exact: true }).waitFor();
    const times = await chat.log.locator('li:has(p[dir=auto]) time').evaluateAll((all) => all.map((time) => [time.textContent.replace(/\s/g, ' '), time.title.replace(/\s/g, ' ')]));
    assert.deepEqual(times.map(([time]) => time), ['11:58 PM', '12:02 AM']);
    assert.match(times[0][1], /^Friday, November 27, 2026.*11:58:\d\d PM$/);
  });

  test('long groups say again who speaks', async (t) => {
    const chat = await reader(t, '지우');
    for (let i = 1; i <= 20; i++) {
      says(`row ${i}`, 'Talker');
    }
    await chat.sees('row 20');
    const shown = await chat.log.getByText('Talker', { exact: true }).evaluateAll((all) => all.filter((bdi) => bdi.getBoundingClientRect().width > 2 && bdi.parentElement.clientWidth > 2).length);
    assert.equal(shown, 3, 'a name above every eight');
  });

  test('what came while one read further up begins with a line', async (t) => {
    const chat = await reader(t, '지우');
    for (let i = 1; i <= 60; i++) {
      says(`old ${i}`);
    }
    await chat.sees('old 60');
    assert.equal(await chat.log.getByText('New', { exact: true }).count(), 0);
    await chat.scrollBy(-500);
    says('new 1', 'Bob');
    says('new 2', 'Bob');
    await chat.page.getByRole('button', { name: '2 new messages' }).click();
    const line = chat.log.getByRole('listitem').filter({ has: chat.page.getByText('New', { exact: true }) });
    await line.waitFor();
    assert.match(await line.textContent(), /new 1/);
    // An answer makes it go.
    await chat.says('answered');
    await chat.sees('answered');
    await line.waitFor({ state: 'detached' });
  });

  test('a draft outlives a reload, and a name that is too long is not cut in silence', async (t) => {
    const chat = await reader(t, '지우');
    await chat.text.fill('half a thought\nand more');
    await chat.page.reload();
    await chat.state('Connected');
    assert.equal(await chat.text.inputValue(), 'half a thought\nand more');
    await chat.name.fill('n'.repeat(45));
    await chat.page.getByText('The name is too long: 45 of at most 40 characters.').waitFor();
    await chat.text.press('Enter');
    assert.equal(await chat.text.inputValue(), 'half a thought\nand more');
    assert.equal(await chat.name.getAttribute('aria-invalid'), 'true');
  });

  test('two tabs of one reader know each other\'s words', async (t) => {
    const chat = await reader(t, '지우');
    const tab = await chat.context.newPage();
    await tab.goto(`${server.url}/`);
    await tab.getByText('Connected', { exact: true }).waitFor();
    // What a tab sends it tells the others through the browser, which on a busy machine may take longer than the server.
    const known = tab.getByRole('log').getByText('지우 (you)', { exact: true });
    for (let i = 1; i <= 10 && (await known.count()) === 0; i++) {
      await chat.says(`from the first tab, ${i}`);
      await tab.getByRole('log').getByText(`from the first tab, ${i}`).waitFor();
    }
    assert.ok((await known.count()) > 0);
  });

  test('on a phone Enter begins a new line and the button sends', async (t) => {
    const chat = await reader(t, '유나', { viewport: { width: 390, height: 740 }, isMobile: true, hasTouch: true });
    await chat.text.pressSequentially('one');
    await chat.text.press('Enter');
    await chat.text.pressSequentially('two');
    assert.equal(await chat.text.inputValue(), 'one\ntwo');
    await chat.page.getByRole('button', { name: 'Send', exact: true }).click();
    await chat.sees('one\ntwo');
  });

  for (const [what, options, least] of [
    ['a page at 400 %', { viewport: { width: 320, height: 200 } }, 90],
    ['a phone on its side', { viewport: { width: 844, height: 390 }, isMobile: true, hasTouch: true }, 270],
    ['the same with its keyboard open', { viewport: { width: 844, height: 190 }, isMobile: true, hasTouch: true }, 110],
  ]) {
    test(`${what} leaves room to read and to write`, async (t) => {
      const chat = await reader(t, '유나', options);
      await chat.says('can be read');
      await chat.sees('can be read');
      const { log, below, wide } = await chat.page.evaluate(() => ({
        log: document.querySelector('[tabindex="0"]').clientHeight,
        below: document.querySelector('form').getBoundingClientRect().bottom - innerHeight,
        wide: document.documentElement.scrollWidth - innerWidth,
      }));
      assert.ok(log >= least, `${log} px for the conversation`);
      assert.ok(below <= 0 && wide <= 0, 'all of it is on the screen');
    });
  }

  test('a flood is drawn as far as it is seen, while somebody writes', async (t) => {
    const chat = await reader(t, '지우');
    let sent = 0;
    const flood = setInterval(() => {
      for (let i = 0; i < 20; i++) {
        says(`flood ${++sent}`, `n${sent % 7}`);
      }
    }, 20);
    t.after(() => clearInterval(flood));
    const text = 'what I write arrives letter by letter';
    await chat.text.pressSequentially(text, { delay: 20 });
    assert.equal(await chat.text.inputValue(), text);
    await chat.text.press('Enter');
    await chat.page.getByRole('list', { name: 'Not delivered yet' }).waitFor({ state: 'detached' });
    clearInterval(flood);
    says('the end of it');
    await chat.sees('the end of it');
    const rows = await chat.log.getByRole('listitem').count();
    assert.ok(sent > 500 && rows < 150, `${rows} rows drawn of ${sent}`);
    assert.deepEqual(chat.faults, []);
  });

  test('the operator names the chat, in the page, its tab and its icon', { skip: isReference && 'a setting of our server' }, async (t) => {
    const title = '우리 <b>팀</b> & "co"';
    const named = await startInstance({ env: { CHAT_TITLE: title } });
    t.after(() => named.stop());
    const chat = await openChat(browser, named.url, '지우');
    t.after(() => chat.close());
    assert.equal(await chat.page.getByRole('heading', { level: 1 }).textContent(), title);
    assert.equal(await chat.page.title(), title);
    const manifest = await (await fetch(`${named.url}/manifest.webmanifest`)).json();
    assert.equal(manifest.name, title);
    assert.deepEqual(chat.faults, []);
    // Caches know the two pages apart, and this one again.
    const tag = (url) => fetch(url).then((answer) => answer.headers.get('etag'));
    assert.notEqual(await tag(`${named.url}/`), await tag(`${server.url}/`));
    assert.equal((await fetch(`${named.url}/`, { headers: { 'if-none-match': await tag(`${named.url}/`) } })).status, 304);
  });

  test('there is an icon for every place that asks for one', async () => {
    const wanted = { '/favicon.ico': 'image/x-icon', '/favicon.svg': 'image/svg+xml', '/apple-touch-icon.png': 'image/png', '/robots.txt': 'text/plain; charset=utf-8' };
    const manifest = await (await fetch(`${server.url}/manifest.webmanifest`)).json();
    for (const { src, type } of manifest.icons) {
      wanted[`/${src}`] = type;
    }
    for (const [path, type] of Object.entries(wanted)) {
      const answer = await fetch(server.url + path);
      assert.equal(answer.status, 200, path);
      isReference || assert.equal(answer.headers.get('content-type'), type, path);
    }
  });
});
