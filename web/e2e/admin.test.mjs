// Socket.IO's Admin UI, npm's own page and its reference, against our server: what the page shows equals
// what runs, what is clicked there happens, and the events have the shapes of Node's.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { io } from 'socket.io-client';
import { startBrowser } from './lib/browser.mjs';
import { startFiles } from './lib/files.mjs';
import { freePort } from './lib/ports.mjs';
import { isReference, startInstance, startRedis } from './lib/servers.mjs';

const require = createRequire(import.meta.url);
const { instrument } = require('@socket.io/admin-ui');
const { Server } = require('socket.io');
const bcrypt = require('bcryptjs');

const password = 'correct horse';
const hash = bcrypt.hashSync(password, 4);
const login = { username: 'ops', password };

describe('the Admin UI', { skip: isReference && 'a feature of our server' }, () => {
  let browser, files, redis, one, two, reader, page;
  const clients = [];

  before(async () => {
    const dist = new URL('./ui/dist/', pathToFileURL(require.resolve('@socket.io/admin-ui/package.json')));
    [browser, files, redis] = await Promise.all([startBrowser(), startFiles(dist), startRedis()]);
    const env = { ADMIN_USER: 'ops', ADMIN_PASSWORD_HASH: hash, ADMIN_MODE: 'development', CORS_ORIGINS: files.url, CHAT_JOIN_NOTICE: 'false', DRAIN_SECONDS: '0' };
    [one, two, reader] = await Promise.all([
      startInstance({ redis, env }),
      startInstance({ redis, env }),
      startInstance({ redis, env: { ...env, ADMIN_READ_ONLY: 'true', ADMIN_MODE: 'production' } }),
    ]);
  });
  after(async () => {
    clients.forEach((c) => c.disconnect());
    await browser?.close();
    await Promise.all([one?.stop(), two?.stop(), reader?.stop(), redis?.stop(), files?.stop()]);
  });

  const join = async (url, nsp, options) => {
    const client = io(url + nsp, { forceNew: true, reconnection: false, ...options });
    clients.push(client);
    await Promise.race([once(client, 'connect'), once(client, 'connect_error').then(([error]) => Promise.reject(error))]);
    return client;
  };
  const openPage = async (server) => {
    const opened = await (await browser.newContext({ locale: 'en-US', viewport: { width: 1400, height: 900 } })).newPage();
    await opened.goto(files.url);
    await opened.getByLabel('Server URL').fill(server.url);
    await opened.getByLabel('Username').fill('ops');
    await opened.getByLabel('Password').fill(password);
    await opened.getByRole('button', { name: 'Connect' }).click();
    return opened;
  };
  /** What the page knows, by its own account. */
  const knows = (view) => view.evaluate(() => JSON.parse(JSON.stringify(document.querySelector('#app').__vue__.$store.state.main.namespaces)));
  const goTo = (view, title) => view.locator('nav').getByText(title, { exact: true }).click();
  const rowOf = (text) => page.locator('tbody tr', { hasText: text });

  test('shows servers, clients and transports as they are', async () => {
    const secret = { auth: { token: 'hushhush' }, extraHeaders: { Authorization: 'Bearer hushhush', Cookie: 'a=hushhush' }, query: { token: 'hushhush' } };
    await join(one.url, '/chat', { transports: ['websocket'], ...secret });
    await join(two.url, '/chat', { transports: ['polling'], ...secret });
    await join(two.url, '/chat', { transports: ['websocket'], ...secret });
    page = await openPage(one);
    await page.getByText('Dashboard', { exact: true }).first().waitFor();
    await goTo(page, 'Clients');
    await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 4); // the page is one
    // The page's own client begins by polling, and each row shows its transport a moment after its name.
    await page.waitForFunction(() => {
      const cells = [...document.querySelectorAll('tbody td')].map((cell) => cell.innerText.trim());
      const count = (text) => cells.filter((cell) => cell === text).length;
      return count('WebSocket') === 3 && count('HTTP long-polling') === 1;
    });

    const shown = (await knows(page)).find(({ name }) => name === '/chat').sockets.map(({ id }) => id);
    assert.deepEqual(shown.sort(), clients.map(({ id }) => id).sort());
    assert.doesNotMatch(await page.evaluate(() => JSON.stringify(document.querySelector('#app').__vue__.$store.state)), /hushhush/);

    await goTo(page, 'Servers');
    await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 3);
    const rows = await page.locator('tbody tr').evaluateAll((list) => list.map((row) => [...row.cells].map((cell) => cell.innerText)));
    assert.deepEqual(rows.map((cells) => cells[4]).sort(), ['0', '2', '2']);
    if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT });
  });

  test('shows events with what is in them', async () => {
    const heard = once(clients[0], 'msgToClient');
    clients[2].emit('msgToServer', { name: 'a', text: 'from afar' });
    await heard;
    await page.waitForFunction(() => document.querySelector('#app').__vue__.$store.state.main.namespaces
      .find(({ name }) => name === '/chat').events.filter(({ eventName, args }) => /^msgTo/.test(eventName) && args[0].text === 'from afar').length === 4);
  });

  test('joins, leaves and disconnects the right socket on another instance', async () => {
    const [near, polling, far] = clients;
    await goTo(page, 'Sockets');
    await page.locator('.v-select', { hasText: 'Namespace' }).click();
    await page.getByRole('option', { name: '/chat' }).click();
    await rowOf(far.id).click();
    await page.getByLabel('Join a room').fill('red');
    await page.getByLabel('Join a room').press('Tab');
    await page.locator('main form button[type=submit]').click();
    await rowOf('red').waitFor();
    const red = once(far, 'color');
    const admin = await join(one.url, '/admin', { auth: login });
    admin.emit('emit', '/chat', 'red', 'color', 7);
    assert.deepEqual(await red, [7]);
    await rowOf('red').getByRole('button').click();
    await page.waitForFunction((id) => document.querySelector('#app').__vue__.$store.getters['main/findSocketById']('/chat', id).rooms.join() === id, far.id);
    admin.emit('emit', '/chat', 'red', 'color', 8);
    far.on('color', () => assert.fail('an event for a room that was left'));

    const { id } = far; // it will have none
    const gone = once(far, 'disconnect');
    await goTo(page, 'Sockets');
    await rowOf(far.id).getByRole('button').last().click();
    assert.deepEqual((await gone)[0], 'io server disconnect');
    await page.waitForFunction((id) => !document.querySelector('#app').__vue__.$store.getters['main/findSocketById']('/chat', id), id);
    assert.ok(near.connected && polling.connected);
  });

  test('refuses commands where it is read-only, and wrong passwords everywhere', async () => {
    const [near] = clients;
    const admin = await join(reader.url, '/admin', { auth: login });
    for (const command of [['_disconnect', '/chat', true], ['join', '/chat', 'red'], ['leave', '/chat', near.id], ['emit', '/chat', null, 'color', 8]]) admin.emit(...command);
    near.on('color', () => assert.fail('an event of a read-only page'));
    await once(admin, 'server_stats'); // everything before has been dealt with
    const echo = once(near, 'msgToClient');
    near.emit('msgToServer', 'still here');
    assert.deepEqual(await echo, ['still here']);
    const limited = await openPage(reader);
    await goTo(limited, 'Servers');
    await limited.waitForFunction(() => document.querySelectorAll('tbody tr').length === 3);
    assert.equal(await limited.getByText('Sockets', { exact: true }).count(), 0);

    for (const auth of [undefined, {}, { username: 'ops', password: 'wrong' }, { username: 'else', password }, { sessionId: 'made-up' }]) {
      await assert.rejects(join(two.url, '/admin', { auth }), /invalid credentials/);
    }
  });

  test('lets a page come back to another instance by its session', async () => {
    const first = io(`${one.url}/admin`, { auth: login, forceNew: true });
    clients.push(first);
    const [sessionId] = await once(first, 'session');
    await join(two.url, '/admin', { auth: { sessionId } });
  });

  test('speaks as the npm package does', async () => {
    const http = createServer();
    const port = await freePort();
    const node = new Server(http);
    node.of('/chat').on('connection', (s) => s.on('msgToServer', (m) => node.of('/chat').emit('msgToClient', m)));
    instrument(node, { auth: { type: 'basic', username: 'ops', password: hash }, mode: 'development' });
    http.listen(port, '127.0.0.1');
    const alone = await startInstance({ env: { ADMIN_USER: 'ops', ADMIN_PASSWORD_HASH: hash, ADMIN_MODE: 'development', CHAT_JOIN_NOTICE: 'false' } });
    try {
      const [ours, theirs] = await Promise.all([story(alone.url), story(`http://127.0.0.1:${port}`)]);
      assert.deepEqual(ours, theirs);
    } finally {
      await alone.stop();
      node.close();
    }
  });

  /** The shapes of all events that an admin hears of while a client comes, talks, is moved and goes. */
  async function story(url) {
    const admin = io(`${url}/admin`, { auth: login, transports: ['websocket'], forceNew: true });
    clients.push(admin);
    const heard = {};
    const until = (event, fits = () => true) => new Promise((resolve) => admin.on(event, (...args) => fits(...args) && resolve(args)));
    admin.onAny((event, ...args) => (heard[event] = shape(args)));
    const listed = until('all_sockets');
    await listed;
    const connected = until('socket_connected', ({ nsp }) => nsp === '/chat');
    const upgraded = until('socket_updated', ({ transport }) => transport === 'websocket');
    const client = await join(url, '/chat', {});
    await connected;
    await upgraded;
    const sent = until('event_sent');
    client.emit('msgToServer', { name: 'a', text: 'hi' }, () => {});
    await sent;
    const inRoom = until('room_joined', (_, room) => room === 'red');
    admin.emit('join', '/chat', 'red', client.id);
    await inRoom;
    const outOfRoom = until('room_left', (_, room) => room === 'red');
    admin.emit('leave', '/chat', 'red', client.id);
    await outOfRoom;
    const gone = until('socket_disconnected');
    admin.emit('_disconnect', '/chat', true, client.id);
    const [, , reason] = await gone;
    await until('server_stats', ({ namespaces }) => namespaces.length === 3);
    admin.disconnect();
    return { heard, reason };
  }

  /** Types in place of values; of headers and of events in a second, which differ from run to run, no more than that. */
  function shape(value, key) {
    if (key === 'headers') return 'headers';
    if (key === 'aggregatedEvents') return [...new Set(value.flatMap((event) => Object.keys(event)).filter((name) => name !== 'subType'))].sort();
    if (Array.isArray(value)) return key === 'supportedFeatures' ? value : value.map((item) => shape(item));
    if (value === null || typeof value !== 'object') return /^\d{4}-.*Z$/.test(value) ? 'date' : typeof value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, shape(item, name)]).sort());
  }
});
