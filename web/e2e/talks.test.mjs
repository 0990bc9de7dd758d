// The people who are here and those who write, rooms, private talk, and the settings of a reader. Against
// a small server of the same protocol.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startBrowser } from './lib/browser.mjs';
import { openChat } from './lib/chat-page.mjs';
import { freePort } from './lib/ports.mjs';
import { startReference } from './lib/reference.mjs';

describe('the page among people', () => {
  let browser;
  before(async () => {
    browser = await startBrowser();
  });
  after(() => browser?.close());

  const serve = async (t, speaks = {}) => {
    const mood = { speaks };
    const port = await freePort();
    const server = await startReference(port, undefined, mood);
    t.after(() => server.stop());
    return { mood, server, url: `http://127.0.0.1:${port}` };
  };
  const wide = { viewport: { width: 1280, height: 800 } };
  const phone = { viewport: { width: 390, height: 740 }, isMobile: true, hasTouch: true };
  const reader = async (t, url, name, options) => {
    const chat = await openChat(browser, url, name, options);
    t.after(() => chat.close());
    return chat;
  };
  const joins = async (chat, room) => {
    const drawer = await chat.menu();
    await drawer.getByRole('textbox', { name: 'Name of a room' }).fill(room);
    await drawer.getByRole('button', { name: 'Join', exact: true }).click();
    await drawer.waitFor({ state: 'hidden' });
  };

  test('a panel tells who is here, as they come and go; on a phone it is a drawer', async (t) => {
    const { url } = await serve(t);
    const jiwoo = await reader(t, url, '지우', wide);
    await jiwoo.says('hello');
    await jiwoo.people.getByText('1 person is here').waitFor();
    const alice = await openChat(browser, url, 'Alice');
    await jiwoo.people.getByText('1 without a name').waitFor();
    await alice.says('I am Alice');
    await jiwoo.people.getByText('2 people are here').waitFor();
    assert.deepEqual(await jiwoo.people.getByRole('listitem').locator('bdi').allTextContents(), ['Alice', '지우']);
    await alice.close();
    await jiwoo.people.getByText('1 person is here').waitFor();
    await jiwoo.page.getByRole('button', { name: 'People' }).click();
    await jiwoo.people.waitFor({ state: 'detached' });

    const yuna = await reader(t, url, '유나', phone);
    await yuna.page.getByRole('button', { name: 'People' }).tap();
    const drawer = yuna.page.getByRole('dialog', { name: 'People' });
    await drawer.getByText('지우', { exact: true }).waitFor();
    await yuna.page.keyboard.press('Escape');
    await drawer.waitFor({ state: 'hidden' });
    assert.equal(await yuna.page.getByRole('button', { name: 'People' }).evaluate((button) => button === document.activeElement), true);
    assert.deepEqual([...jiwoo.faults, ...yuna.faults], []);
  });

  test('one sees who writes, until the message is there', async (t) => {
    const { url } = await serve(t);
    const jiwoo = await reader(t, url, '지우');
    const alice = await reader(t, url, 'Alice');
    await jiwoo.page.getByRole('button', { name: 'People' }).waitFor();
    await alice.page.getByRole('button', { name: 'People' }).waitFor();
    await alice.text.pressSequentially('hi');
    await jiwoo.page.getByText('Alice is writing…').waitFor();
    assert.equal(await alice.page.getByText('is writing…').count(), 0, 'not of oneself');
    await alice.text.press('Enter');
    await jiwoo.sees('hi');
    await jiwoo.page.getByText('Alice is writing…').waitFor({ state: 'detached' });
  });

  test('rooms: join, talk, count what is unread, come back after a reload, leave', async (t) => {
    const { url, mood } = await serve(t);
    const jiwoo = await reader(t, url, '지우');
    const alice = await reader(t, url, 'Alice');
    mood.talk.keep({ name: 'Bob', text: 'said before' }, '팀');
    await joins(jiwoo, '팀');
    await jiwoo.sees('said before');
    await jiwoo.page.getByRole('heading', { name: 'Chat · 팀' }).waitFor();
    await joins(alice, '팀');
    await alice.says('in the room');
    await jiwoo.sees('in the room');
    let drawer = await jiwoo.menu();
    await drawer.getByRole('button', { name: 'Everybody' }).click();
    assert.deepEqual(await jiwoo.messages(), [], 'nothing of it in the lobby');
    await alice.says('are you there?');
    await alice.says('hello?');
    await jiwoo.page.getByRole('button', { name: 'Menu, 2 unread messages' }).waitFor();
    drawer = await jiwoo.menu();
    await drawer.getByRole('button', { name: '팀 2 unread messages' }).click();
    await jiwoo.sees('hello?');
    const line = jiwoo.log.getByRole('listitem').filter({ has: jiwoo.page.getByText('New', { exact: true }) });
    assert.match(await line.textContent(), /are you there\?/);
    assert.deepEqual(await jiwoo.messages(), ['said before', 'in the room', 'are you there?', 'hello?']);

    await jiwoo.page.reload();
    await jiwoo.state('Connected');
    drawer = await jiwoo.menu();
    await drawer.getByRole('button', { name: '팀', exact: true }).click();
    await jiwoo.sees('hello?');
    await jiwoo.says('back again');
    await alice.sees('back again');
    drawer = await jiwoo.menu();
    await drawer.getByRole('button', { name: 'Leave 팀' }).click();
    await drawer.getByRole('button', { name: '팀', exact: true }).waitFor({ state: 'detached' });
    await drawer.getByRole('textbox', { name: 'Name of a room' }).fill('closed');
    await jiwoo.page.keyboard.press('Enter');
    await drawer.getByText('Not joined. this room is closed').waitFor();
    assert.deepEqual([...jiwoo.faults, ...alice.faults], []);
  });

  test('private talk, where tokens tell who is who', async (t) => {
    const { url } = await serve(t, { tokens: true });
    const [jiwoo, alice, bob] = [await reader(t, url, '', { ...wide, hash: '#token=Jiwoo' }), await reader(t, url, '', { ...wide, hash: '#token=Alice' }), await reader(t, url, '', { ...wide, hash: '#token=Bob' })];
    await jiwoo.people.getByText('3 people are here').waitFor();
    await jiwoo.page.getByText('Signed in: Jiwoo').waitFor();
    await jiwoo.people.getByRole('button', { name: 'Write to Alice privately' }).click();
    await jiwoo.page.getByRole('heading', { name: 'Chat · Alice' }).waitFor();
    await jiwoo.says('for you alone');
    await jiwoo.log.getByText('Jiwoo (you)').waitFor();
    await alice.page.getByRole('button', { name: 'Menu, 1 unread message' }).waitFor();
    await (await alice.menu()).getByRole('button', { name: 'Jiwoo 1 unread message' }).click();
    await alice.sees('for you alone');
    await alice.says('thank you');
    await jiwoo.sees('thank you');
    await bob.says('to everybody');
    await bob.sees('to everybody');
    assert.deepEqual(await bob.messages(), ['to everybody']);
    assert.deepEqual(await jiwoo.messages(), ['for you alone', 'thank you']);
  });

  test('a token that ends is renewed: by the reader, or by the address that came with it', async (t) => {
    const { url, mood } = await serve(t, { tokens: true });
    const expire = () => mood.talk.sockets().forEach((socket) => socket.emit('auth:expiring', { expires: 0, seconds: 100 }));
    const byHand = await reader(t, url, '', { hash: '#token=Alice' });
    await byHand.page.getByText('Signed in: Alice').waitFor();
    expire();
    await byHand.page.getByText('Your sign-in ends in 2 minutes.').waitFor();
    const box = byHand.page.getByRole('textbox', { name: 'New token' }).or(byHand.page.getByLabel('New token'));
    await box.fill('Mallory');
    await byHand.page.getByRole('button', { name: 'Stay signed in' }).click();
    await byHand.page.getByText('Server: the token is of somebody else').waitFor();
    await box.fill('Alice');
    await byHand.page.getByRole('button', { name: 'Stay signed in' }).click();
    await byHand.page.getByText('Your sign-in ends').waitFor({ state: 'detached' });
    await byHand.close();

    const asked = [];
    const { context, page } = await reader(t, url, '');
    await context.route('**/fresh', (route) => (asked.push(route.request().url()), route.fulfill({ body: '{"token":"Bob"}' })));
    await page.goto(`${url}/#token=Bob&renew=fresh`);
    await page.reload();
    await page.getByText('Signed in: Bob').waitFor();
    assert.equal(page.url(), `${url}/`);
    expire();
    await mood.talk.refreshed();
    assert.deepEqual(asked, [`${url}/fresh`]);
    assert.equal(await page.getByText('Your sign-in ends').count(), 0);
  });

  test('colours are as the system has them, or as the reader has chosen', async (t) => {
    const { url } = await serve(t);
    const chat = await reader(t, url, '지우', { colorScheme: 'dark' });
    const page = () => chat.page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const dark = await page();
    let drawer = await chat.menu();
    await drawer.getByRole('radio', { name: 'Light' }).check();
    const light = await page();
    assert.notEqual(light, dark);
    await chat.page.reload();
    await chat.state('Connected');
    assert.equal(await page(), light);
    drawer = await chat.menu();
    await drawer.getByRole('radio', { name: 'As the system' }).check();
    assert.equal(await page(), dark);
  });

  test('notifications are asked for by a click alone, and shown when the page is hidden', async (t) => {
    const { url, mood } = await serve(t);
    const chat = await reader(t, url, '지우');
    await chat.page.addInitScript(() => {
      window.shown = [];
      window.asked = 0;
      window.Notification = class {
        static permission = 'default';
        static requestPermission = async () => (window.asked++, (window.Notification.permission = 'granted'));
        constructor(title, { body, tag }) {
          window.shown.push([title, body, tag]);
        }
        close() {}
      };
    });
    await chat.page.reload();
    await chat.state('Connected');
    assert.equal(await chat.page.evaluate(() => window.asked), 0);
    const drawer = await chat.menu();
    await drawer.getByRole('checkbox', { name: /Notify me/ }).check();
    await chat.page.keyboard.press('Escape');
    assert.equal(await chat.page.evaluate(() => window.asked), 1);
    await chat.page.evaluate(() => {
      Object.defineProperty(document, 'hidden', { get: () => window.away });
      window.away = true;
    });
    mood.talk.say({ name: 'Alice', text: 'look here' });
    await chat.page.waitForFunction(() => window.shown.length === 1);
    assert.deepEqual(await chat.page.evaluate(() => window.shown), [['Alice', 'look here', 'lobby ']]);
    assert.equal(await chat.page.title(), '(1) Chat');
    await chat.page.evaluate(() => (window.away = false));
    mood.talk.say({ name: 'Alice', text: 'seen' });
    await chat.sees('seen');
    assert.equal(await chat.page.evaluate(() => window.shown.length), 1);
  });
});
