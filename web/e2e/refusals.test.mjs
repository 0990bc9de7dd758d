// Every way in which the server says no, and what a reader is told.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { io } from 'socket.io-client';
import { startBrowser } from './lib/browser.mjs';
import { openChat } from './lib/chat-page.mjs';
import { startProxy } from './lib/proxy.mjs';
import { isReference, startInstance } from './lib/servers.mjs';

describe('the page tells why', { skip: isReference && 'refusals of our server' }, () => {
  let browser;
  before(async () => {
    browser = await startBrowser();
  });
  after(() => browser?.close());

  /** A server with these settings, for as long as test t runs. */
  const serve = async (t, env) => {
    const server = await startInstance({ env });
    t.after(() => server.stop());
    return server;
  };
  const reader = async (t, url, name, options) => {
    const chat = await openChat(browser, url, name, options);
    t.after(() => chat.close());
    return chat;
  };
  const says = (chat, text) => chat.page.getByText(text).first().waitFor();
  const client = async (t, url) => {
    const socket = io(`${url}/chat`, { transports: ['websocket'], forceNew: true });
    t.after(() => socket.close());
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('connect_error', reject));
    return socket;
  };

  test('a message is too long for this chat: it can be mended', async (t) => {
    const server = await serve(t, { CHAT_STRICT: 'true', CHAT_TEXT_LENGTH: '20' });
    const chat = await reader(t, server.url, '지우');
    await chat.says('this is more than twenty letters');
    await says(chat, 'Not sent. A message may have at most 20 characters here.');
    assert.equal(await chat.page.getByText('The server says').count(), 0);
    assert.equal(await chat.page.getByRole('button', { name: 'Send again' }).count(), 0, 'it can never succeed');
    await chat.page.getByRole('button', { name: 'Edit' }).click();
    assert.equal(await chat.text.inputValue(), 'this is more than twenty letters');
    assert.equal(await chat.text.evaluate((box) => box === document.activeElement), true);
    await chat.says('this is fine');
    await chat.sees('this is fine');
    assert.deepEqual(await chat.messages(), ['this is fine']);
    const korean = await reader(t, server.url, '서연', { locale: 'ko-KR' });
    await korean.says('스무 글자보다 긴 글은 이 채팅에서 보낼 수 없습니다');
    await says(korean, '보내지 못했습니다. 이 채팅에서 메시지는 최대 20자입니다.');
    assert.deepEqual(chat.faults, []);
  });

  test('somebody writes too fast', async (t) => {
    const server = await serve(t, { MESSAGES_PER_SECOND: '2', MESSAGE_BURST: '2' });
    const chat = await reader(t, server.url, '지우');
    for (let i = 0; i < 6; i++) {
      await chat.says(`fast ${i}`);
    }
    await says(chat, 'You are writing faster than this chat allows.');
    await chat.sees('fast 5');
    await chat.page.getByRole('button', { name: 'Close' }).click();
    assert.equal(await chat.page.getByText('You are writing faster').count(), 0);
  });

  const secret = 'a secret of thirty-two letters and more';
  const token = (claims) => {
    const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
    return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
  };
  const soon = () => Math.floor(Date.now() / 1000) + 600;

  test('the chat asks for a token: one can be given, and a wrong one is said to be', async (t) => {
    const server = await serve(t, { AUTH_JWT_SECRET: secret });
    const chat = await reader(t, server.url, '', { state: 'Disconnected' });
    await says(chat, 'This chat asks for a sign-in.');
    const box = chat.page.getByLabel('Token', { exact: true });
    assert.equal(await box.evaluate((box) => box === document.activeElement), true);
    await box.fill('not a token');
    await box.press('Enter');
    await says(chat, 'That token was not accepted.');
    await says(chat, 'Server: the token is not a JSON Web Token');
    await box.fill(token({ sub: '17', name: '지우', exp: soon() }));
    await chat.page.getByRole('button', { name: 'Sign in' }).click();
    await chat.state('Connected');
    await chat.says('I am who I am');
    await chat.sees('I am who I am');
    await chat.log.getByText('지우 (you)').waitFor();
    await says(chat, 'Signed in: 지우');
    assert.equal(await chat.page.getByRole('list', { name: 'Not delivered yet' }).count(), 0, 'its echo is known');

    await chat.page.reload();
    await chat.state('Connected');
    await chat.page.getByRole('button', { name: 'Sign out' }).click();
    await says(chat, 'This chat asks for a sign-in.');
    assert.deepEqual(chat.faults, []);
  });

  test('a link can bring the token, and it does not stay in the address', async (t) => {
    const server = await serve(t, { AUTH_JWT_SECRET: secret });
    const chat = await reader(t, server.url, '', { hash: `#token=${token({ name: 'Alice', exp: soon() })}` });
    assert.equal(chat.page.url(), `${server.url}/`);
    await chat.says('by link');
    await chat.log.getByText('Alice (you)').waitFor();
  });

  test('a token that ends is asked for again, and the text is kept', async (t) => {
    const server = await serve(t, { AUTH_JWT_SECRET: secret });
    // It lasts as long as the page has to connect at the most, on a busy machine.
    const chat = await reader(t, server.url, '', { hash: `#token=${token({ name: 'Alice', exp: Math.floor(Date.now() / 1000) + 30 })}` });
    await chat.text.fill('half a sentence');
    await chat.page.getByText('That token was not accepted.').waitFor({ timeout: 60_000 });
    await says(chat, 'Server: the token has expired');
    await chat.page.getByLabel('Token', { exact: true }).fill(token({ name: 'Alice', exp: soon() }));
    await chat.page.getByRole('button', { name: 'Sign in' }).click();
    await chat.state('Connected');
    assert.equal(await chat.text.inputValue(), 'half a sentence');
  });

  test('the chat is full: the page comes in when there is room', async (t) => {
    const server = await serve(t, { MAX_CONNECTIONS: '1' });
    const other = await client(t, server.url);
    const chat = await reader(t, server.url, '', { state: 'Connecting…' });
    await says(chat, 'The chat is full. Trying again until there is room…');
    other.close();
    await chat.state('Connected');
    assert.equal(await chat.page.getByText('The chat is full').count(), 0);
    assert.deepEqual(chat.faults, []);
  });

  test('too many from one address', async (t) => {
    const server = await serve(t, { MAX_CONNECTIONS_PER_ADDRESS: '1' });
    await client(t, server.url);
    const chat = await reader(t, server.url, '', { state: 'Connecting…', locale: 'en-US' });
    await says(chat, 'Too many connections from your network. Trying again…');
  });

  test('the server does not accept the page\'s address, behind a proxy that hides it', async (t) => {
    const server = await serve(t, { CORS_ORIGINS: 'https://chat.example' });
    const proxy = await startProxy(server.url, '', { ownHost: true });
    t.after(() => proxy.stop());
    const chat = await reader(t, proxy.url, '', { state: 'Connecting…' });
    await says(chat, 'The server does not accept connections from this page’s address.');
    // Behind one that does not hide it all is well.
    const honest = await startProxy(server.url);
    t.after(() => honest.stop());
    await reader(t, honest.url, 'a');
  });

  test('nothing answers', async (t) => {
    const server = await startInstance();
    const proxy = await startProxy(server.url);
    t.after(() => proxy.stop());
    const chat = await reader(t, proxy.url, '');
    await server.stop();
    await says(chat, 'The chat server does not answer. Trying again…');
    await server.restart();
    await chat.state('Connected');
    assert.equal(await chat.page.getByText('does not answer').count(), 0);
    await server.stop();
  });

  for (const transport of ['websocket', 'polling']) {
    test(`a server that offers ${transport} alone is connected to`, async (t) => {
      const server = await serve(t, { TRANSPORTS: transport });
      const chat = await reader(t, server.url, 'a');
      await chat.says(`by ${transport}`);
      await chat.sees(`by ${transport}`);
      assert.deepEqual(chat.faults, []);
    });
  }
});

describe('the page below a path', () => {
  let browser, server, proxy;
  before(async () => {
    browser = await startBrowser();
    server = await startInstance();
    proxy = await startProxy(server.url, '/team');
  });
  after(async () => {
    await browser?.close();
    await proxy?.stop();
    await server?.stop();
  });

  test('talks with those who are not', async () => {
    const inside = await openChat(browser, proxy.url, '지우');
    const outside = await openChat(browser, server.url, 'Alice');
    await inside.says('from /team/');
    await outside.sees('from /team/');
    await outside.says('from /');
    await inside.sees('from /');
    // It moves on to a WebSocket there too.
    assert.equal(await inside.page.evaluate(() => performance.getEntriesByType('resource').every(({ name }) => new URL(name).pathname.startsWith('/team/'))), true);
    proxy.cut();
    await inside.state('Reconnecting…');
    proxy.mend();
    await inside.state('Connected');
    assert.deepEqual([...inside.faults, ...outside.faults], []);
    await inside.close();
    await outside.close();
  });
});
