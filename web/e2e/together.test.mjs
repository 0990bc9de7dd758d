// All of the chat's own protocol through our page, across two instances on one Redis, with tokens.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { startBrowser } from './lib/browser.mjs';
import { openChat } from './lib/chat-page.mjs';
import { startProxy } from './lib/proxy.mjs';
import { isReference, startInstance, startRedis } from './lib/servers.mjs';

const secret = 'a secret of thirty-two letters and more';
const token = (name, seconds) => {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: name, name, exp: Math.floor(Date.now() / 1000) + seconds })}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
};

describe('people on two instances', { skip: isReference && 'two instances of our server' }, () => {
  let redis, one, two, proxy, browser, jiwoo, alice;
  const wide = { viewport: { width: 1280, height: 800 } };
  const signedIn = (url, name) => openChat(browser, url, '', { ...wide, hash: `#token=${token(name, 600)}` });

  before(async () => {
    redis = await startRedis();
    const env = { CHAT_HISTORY: '200', AUTH_JWT_SECRET: secret };
    [one, two, browser] = await Promise.all([startInstance({ redis, env }), startInstance({ redis, env }), startBrowser()]);
    proxy = await startProxy(one.url);
    jiwoo = await signedIn(proxy.url, 'Jiwoo');
    alice = await signedIn(two.url, 'Alice');
  });
  after(async () => {
    await browser?.close();
    await proxy?.stop();
    await Promise.all([one?.stop(), two?.stop()]);
    await redis?.stop();
  });

  test('see each other, and who writes', async () => {
    await jiwoo.people.getByText('2 people are here').waitFor();
    await alice.people.getByText('2 people are here').waitFor();
    await alice.text.pressSequentially('hello');
    await jiwoo.page.getByText('Alice is writing…').waitFor();
    await alice.text.press('Enter');
    await jiwoo.sees('hello');
    await jiwoo.page.getByText('Alice is writing…').waitFor({ state: 'detached' });
    await jiwoo.says('안녕');
    await alice.sees('안녕');
  });

  test('share a history: after a reload, and after a broken line', async () => {
    await jiwoo.page.reload();
    await jiwoo.sees('안녕');
    assert.deepEqual(await jiwoo.messages(), ['hello', '안녕']);
    assert.equal(await jiwoo.log.getByText('Jiwoo (you)').count(), 1);
    proxy.cut();
    await jiwoo.state('Reconnecting…');
    await alice.says('missed');
    await alice.sees('missed');
    proxy.mend();
    await jiwoo.sees('missed');
    await alice.says('live');
    await jiwoo.sees('live');
    assert.deepEqual(await jiwoo.messages(), ['hello', '안녕', 'missed', 'live']);
    assert.equal(await jiwoo.page.getByText('Connection restored.').count(), 0);
  });

  test('meet in a room, which has a history of its own', async () => {
    for (const chat of [jiwoo, alice]) {
      const drawer = await chat.menu();
      await drawer.getByRole('textbox', { name: 'Name of a room' }).fill('팀');
      await chat.page.keyboard.press('Enter');
      await chat.page.getByRole('heading', { name: 'Chat · 팀' }).waitFor();
    }
    await jiwoo.people.getByText('2 people are here').waitFor();
    await jiwoo.says('in the room');
    await alice.sees('in the room');
    await alice.says('so am I');
    await jiwoo.sees('so am I');
    await jiwoo.page.reload();
    await jiwoo.sees('live');
    assert.deepEqual(await jiwoo.messages(), ['hello', '안녕', 'missed', 'live'], 'nothing of it in the lobby');
    await (await jiwoo.menu()).getByRole('button', { name: '팀', exact: true }).click();
    await jiwoo.sees('so am I');
    assert.deepEqual(await jiwoo.messages(), ['in the room', 'so am I']);
  });

  test('write to each other alone', async () => {
    await jiwoo.people.getByRole('button', { name: 'Write to Alice privately' }).click();
    await jiwoo.says('for you');
    await jiwoo.log.getByText('Jiwoo (you)').waitFor();
    await (await alice.menu()).getByRole('button', { name: /^Jiwoo 1 unread/ }).click();
    await alice.sees('for you');
    await alice.says('thanks');
    await jiwoo.sees('thanks');
    assert.deepEqual(await jiwoo.messages(), ['for you', 'thanks']);
  });

  test('are gone when they leave', async () => {
    await (await jiwoo.menu()).getByRole('button', { name: 'Everybody' }).click();
    assert.deepEqual([...jiwoo.faults, ...alice.faults], []);
    await alice.close();
    await jiwoo.people.getByText('1 person is here').waitFor();
  });
});

test('a token of our server is renewed without a break', { skip: isReference && 'tokens of our server' }, async (t) => {
  const browser = await startBrowser();
  const server = await startInstance({ env: { AUTH_JWT_SECRET: secret, AUTH_JWT_WARN_SECONDS: '300' } });
  t.after(async () => {
    await browser.close();
    await server.stop();
  });
  const chat = await openChat(browser, server.url, '', { hash: `#token=${token('Alice', 90)}` });
  await chat.page.getByText('Your sign-in ends in').waitFor();
  await chat.page.getByLabel('New token').fill(token('Mallory', 3600));
  await chat.page.getByRole('button', { name: 'Stay signed in' }).click();
  await chat.page.getByText(/^Server: /).waitFor();
  // The server takes one attempt a second: until it takes this one, its reader tries again.
  for (let taken = false; !taken; ) {
    await chat.page.getByLabel('New token').fill(token('Alice', 3600));
    await chat.page.getByRole('button', { name: 'Stay signed in' }).click();
    taken = await chat.page.getByText('Your sign-in ends in').waitFor({ state: 'detached', timeout: 500 }).then(() => true, () => false);
  }
  await chat.says('still here');
  await chat.sees('still here');
  assert.equal(await chat.page.evaluate(() => sessionStorage.getItem('chat.token').split('.').length), 3);
});
