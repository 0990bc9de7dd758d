// Accessibility as a machine can see it: axe-core finds nothing, in any size, colour and language.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { io } from 'socket.io-client';
import { violations } from './lib/axe.mjs';
import { open, startBrowser } from './lib/browser.mjs';
import { openChat } from './lib/chat-page.mjs';
import { freePort } from './lib/ports.mjs';
import { startReference } from './lib/reference.mjs';
import { isReference, startInstance } from './lib/servers.mjs';

const looks = {
  'in light colours': { colorScheme: 'light' },
  'in dark colours': { colorScheme: 'dark' },
  'on a phone': { viewport: { width: 390, height: 740 }, isMobile: true, hasTouch: true },
  'on a phone in the dark': { viewport: { width: 390, height: 740 }, isMobile: true, hasTouch: true, colorScheme: 'dark' },
  'on a phone on its side': { viewport: { width: 844, height: 390 }, isMobile: true, hasTouch: true },
  'at 400 %': { viewport: { width: 320, height: 200 } },
  'in Korean': { locale: 'ko-KR' },
};

describe('axe-core finds nothing', { skip: isReference && 'pages of our server' }, () => {
  let browser, server, closed, sender;
  before(async () => {
    [browser, server, closed] = await Promise.all([
      startBrowser(),
      startInstance({ env: { LOG_FORMAT: 'json', CHAT_STRICT: 'true', CHAT_TEXT_LENGTH: '200', RECOVERY_SECONDS: '60' } }),
      startInstance({ env: { AUTH_JWT_SECRET: 'a secret of thirty-two letters and more' } }),
    ]);
    sender = io(`${server.url}/chat`, { transports: ['websocket'] });
    await new Promise((resolve, reject) => sender.once('connect', resolve).once('connect_error', reject));
  });
  after(async () => {
    sender?.close();
    await browser?.close();
    await Promise.all([server?.stop(), closed?.stop()]);
  });

  for (const [look, options] of Object.entries(looks)) {
    test(`${look}: empty, in conversation, with everything that can go wrong`, async () => {
      const chat = await openChat(browser, server.url, '', options);
      assert.deepEqual(await violations(chat.page), []);
      await chat.name.fill('지우');
      for (let i = 0; i < 30; i++) {
        sender.emit('msgToServer', { name: `n${i % 8}`, text: `row ${i} with \`code\` and https://example.com/${i}` });
      }
      sender.emit('msgToServer', { name: '', text: '👍' });
      await chat.sees('👍');
      await chat.says('mine, with https://example.com/');
      await chat.sees('mine, with https://example.com/');
      await chat.says('x'.repeat(300));
      await chat.page.getByRole('button', { name: /Edit|고치기/ }).waitFor();
      assert.deepEqual(await violations(chat.page), []);
      await chat.scrollBy(-700);
      sender.emit('msgToServer', { name: 'n1', text: 'one more' });
      await chat.page.getByRole('button', { name: /1 new message|새 메시지 1개/ }).waitFor();
      await chat.name.fill('n'.repeat(45));
      await chat.text.fill('x'.repeat(10_001));
      assert.deepEqual(await violations(chat.page), []);
      await chat.close();
      const asked = await openChat(browser, closed.url, '', { ...options, state: options.locale ? '연결 끊김' : 'Disconnected' });
      assert.deepEqual(await violations(asked.page), []);
      await asked.close();
    });
  }

  for (const [look, options] of Object.entries(looks)) {
    test(`the status page ${look}`, async () => {
      const view = await open(browser, `http://${/"metrics":"([^"]+)"/.exec(server.output())[1]}/status`, options);
      await view.page.locator('#events').getByText('msgToServer').waitFor();
      assert.deepEqual(await violations(view.page), []);
      await view.context.close();
    });
  }
});

describe('axe-core finds nothing where the server speaks the chat\'s own protocol', () => {
  let browser, server, mood, url;
  before(async () => {
    mood = { speaks: { tokens: true, kept: 100 } };
    const port = await freePort();
    [browser, server] = await Promise.all([startBrowser(), startReference(port, undefined, mood)]);
    url = `http://127.0.0.1:${port}`;
    for (let i = 0; i < 100; i++) {
      mood.talk.keep({ name: `n${i % 8}`, text: `row ${i}` }, '');
    }
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  for (const [look, options] of Object.entries({ ...looks, 'on a wide screen': { viewport: { width: 1280, height: 800 } }, 'on a wide screen in the dark': { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' } })) {
    test(`${look}: people, menu, rooms, typing, a token that ends`, async (t) => {
      const korean = Boolean(options.locale);
      const chat = await openChat(browser, url, '', { ...options, hash: '#token=Jiwoo' });
      t.after(() => chat.close());
      const { page } = chat;
      await chat.sees('row 99');
      mood.talk.sockets().forEach((socket) => socket.emit('typing', { name: 'Alice', for: 15_000 }) && socket.emit('auth:expiring', { expires: 0, seconds: 50 }));
      await page.getByLabel(korean ? '새 토큰' : 'New token').waitFor();
      assert.deepEqual(await violations(page), []);
      await page.getByRole('button', { name: korean ? '메뉴' : 'Menu' }).click();
      const drawer = page.getByRole('dialog', { name: korean ? '메뉴' : 'Menu' });
      await drawer.getByRole('textbox').fill('closed');
      await page.keyboard.press('Enter');
      await drawer.getByText('this room is closed').waitFor();
      assert.deepEqual(await violations(page), []);
      await drawer.getByRole('textbox').fill('team');
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { level: 1, name: /team/ }).waitFor();
      mood.talk.say({ name: 'Bob', text: 'unread' });
      await page.getByRole('button', { name: /^(Menu|메뉴), / }).click();
      assert.deepEqual(await violations(page), []);
      await page.keyboard.press('Escape');
      const people = page.getByRole('button', { name: korean ? '참여자' : 'People' });
      if ((await people.getAttribute('aria-expanded')) === 'false') {
        await people.click();
        await page.getByRole('dialog', { name: korean ? '참여자' : 'People' }).waitFor();
      }
      assert.deepEqual(await violations(page), []);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0);
      assert.deepEqual(chat.faults, []);
    });
  }
});
