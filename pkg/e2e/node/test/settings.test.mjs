// The settings of our server that change what clients see, and what it serves beside the chat.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { barrier, Chatter } from '../world/clients.mjs';
import { ChatServer, OURS } from '../world/processes.mjs';
import { chatSocket, frame, PollingSession, query, RawWebSocket, request } from '../world/wire.mjs';

describe('settings', { skip: !OURS && 'settings of our server' }, () => {
  const start = async (t, env) => {
    const server = await ChatServer.start({ env });
    t.after(() => server.kill());
    return server;
  };
  const path = query({ EIO: 4, transport: 'polling' });

  it('CORS_ORIGINS admits pages of these origins, by polling and WebSocket', async (t) => {
    const server = await start(t, { CORS_ORIGINS: 'https://good.example,https://fine.example:8443' });
    for (const [origin, welcome] of [['https://good.example', true], ['https://fine.example:8443', true], ['https://evil.example', false], ['http://good.example', false], ['https://good.example.evil.example', false], ['null', false], [undefined, true]]) {
      const { headers } = await request(server, { path, headers: origin ? { origin } : {} });
      if (origin) assert.equal(headers['access-control-allow-origin'], welcome ? origin : undefined, `polling from ${origin}`);
      const ws = await RawWebSocket.ask(server, {}, { Origin: origin });
      assert.equal((await ws.status()) === 101, welcome, `WebSocket from ${origin}`);
      ws.destroy();
    }
  });

  it('MAX_PAYLOAD_BYTES is announced and enforced', async (t) => {
    const server = await start(t, { MAX_PAYLOAD_BYTES: '5000' });
    const polls = await PollingSession.open(server);
    assert.equal((await polls.post('4'.repeat(5001))).status, 413);
    const { body } = await request(server, { path });
    assert.match(body, /"maxPayload":5000\b/);
    const ws = await chatSocket(server);
    ws.send(frame(`42/chat,["msgToServer","${'x'.repeat(4900)}"]`));
    await ws.want(/xxx/);
    ws.send(frame(`42/chat,["msgToServer","${'x'.repeat(5000)}"]`));
    assert.equal(await ws.closeCode(), 1009);
    ws.destroy();
  });

  it('TRANSPORTS=websocket refuses polling, TRANSPORTS=polling offers no upgrade', async (t) => {
    const [sockets, polling] = await Promise.all([start(t, { TRANSPORTS: 'websocket' }), start(t, { TRANSPORTS: 'polling' })]);
    assert.deepEqual([(await request(sockets, { path })).status, (await request(sockets, { path })).body], [400, '{"code":0,"message":"Transport unknown"}']);
    const alice = await Chatter.join(sockets, { transport: 'websocket' });
    alice.leave();
    assert.match((await request(polling, { path })).body, /"upgrades":\[\]/);
    const ws = await RawWebSocket.ask(polling);
    assert.equal(await ws.status(), 400);
    const bob = await Chatter.join(polling, { generation: '1.4.5' });
    bob.leave();
  });

  it('PROTOCOLS=4 refuses clients of 1.x and 2.x, ALLOW_UPGRADES=false leaves people on polling', async (t) => {
    const server = await start(t, { PROTOCOLS: '4', ALLOW_UPGRADES: 'false' });
    const { status, body } = await request(server, { path: query({ EIO: 3, transport: 'polling' }) });
    assert.deepEqual([status, body], [400, '{"code":5,"message":"Unsupported protocol version"}']);
    const old = new Chatter(server, { generation: '2.5.0', reconnection: false });
    await new Promise((resolve) => old.socket.once('connect_error', resolve));
    old.leave();
    const [alice, bob] = [await Chatter.join(server), await Chatter.join(server, { transport: 'websocket' })];
    for (let i = 0; i < 5; i++) await barrier(alice, [alice, bob]);
    assert.deepEqual([alice.engine.transport.name, bob.engine.transport.name], ['polling', 'websocket']);
    [alice, bob].forEach((person) => person.leave());
  });

  it('HANDSHAKE_BYTES and HANDSHAKE_PARAMETERS bound what a handshake may bring', async (t) => {
    const server = await start(t, { HANDSHAKE_BYTES: '2000', HANDSHAKE_PARAMETERS: '10' });
    assert.equal((await request(server, { path: path + '&a=b'.repeat(8) })).status, 200);
    assert.equal((await request(server, { path: path + '&a=b'.repeat(9) })).status, 400);
    assert.equal((await request(server, { path, headers: { cookie: 'x'.repeat(2000) } })).status, 431);
    const alice = await Chatter.join(server, { generation: '1.4.5' });
    alice.leave();
  });

  it('SERVE_CLIENT=false keeps the bundles back, SESSION_COOKIE=off the cookie', async (t) => {
    const [server, usual] = await Promise.all([start(t, { SERVE_CLIENT: 'false', SESSION_COOKIE: 'off' }), start(t, {})]);
    const answer = await request(server, { path: '/socket.io/socket.io.js' });
    assert.deepEqual([answer.status, answer.body], [400, '{"code":0,"message":"Transport unknown"}']); // as Node's with serveClient: false
    const cookies = async (at, EIO) => (await request(at, { path: query({ EIO, transport: 'polling' }) })).headers['set-cookie'];
    assert.equal(await cookies(server, 3), undefined);
    assert.match((await cookies(usual, 3))[0], /^io=[\w-]{20,}; Path=\/; HttpOnly; SameSite=Strict$/);
    assert.equal(await cookies(usual, 4), undefined);
    const alice = await Chatter.join(server);
    alice.leave();
  });

  it('CLIENT_QUEUE_BYTES bounds what waits for a client that stopped reading; the others go on', async (t) => {
    const server = await start(t, { MAX_PAYLOAD_BYTES: '200000', CLIENT_QUEUE_BYTES: '400000' });
    const [alice, bob] = [await Chatter.join(server), await Chatter.join(server, { generation: '2.5.0', transport: 'polling' })];
    const [sleeper, dozer] = [await chatSocket(server), await PollingSession.open(server)];
    t.after(() => [alice, bob].forEach((person) => person.leave()));
    await dozer.post('40/chat,');
    await dozer.until('join chat.');
    sleeper.socket.pause();
    // More than the system's own buffers hold, each once the others have the one before.
    const text = 'x'.repeat(100_000);
    for (let i = 0; i < 150; i++) {
      alice.says(`${i} ${text}`);
      await Promise.all([alice, bob].map((person) => person.inbox.until(() => person.heardFrom(alice).length > i, `message ${i} for ${person.name}`)));
    }
    assert.equal((await dozer.get()).status, 400, 'the poller that does not poll is gone');
    sleeper.socket.resume();
    await sleeper.closeCode();
    sleeper.destroy();
    assert.ok(sleeper.frames.length < 150);
    assert.deepEqual([alice, bob].map((person) => person.disconnects.length), [0, 0]);
  });

  it('CONNECT_TIMEOUT_MS lets those go who join nothing', async (t) => {
    const server = await start(t, { CONNECT_TIMEOUT_MS: '3000' });
    // Long enough for a client on a busy machine to join in time.
    const idler = await RawWebSocket.open(server);
    await idler.closeCode();
    idler.destroy();
    const alice = await Chatter.join(server);
    await barrier(alice, [alice]);
    alice.leave();
  });

  it('UPGRADE_TIMEOUT_MS ends an upgrade that does not come to its end; polling goes on', async (t) => {
    const server = await start(t, { UPGRADE_TIMEOUT_MS: '50' });
    const polls = await PollingSession.open(server);
    const ws = await RawWebSocket.open(server, { sid: polls.sid });
    ws.say('2probe');
    await ws.closeCode();
    ws.destroy();
    await polls.post('40/nope,');
    await polls.until('44/nope');
  });

  it('CHAT_JOIN_NOTICE=false keeps joins quiet', async (t) => {
    const server = await start(t, { CHAT_JOIN_NOTICE: 'false' });
    const [alice, bob] = await Promise.all([1, 2].map(() => new Chatter(server).connected()));
    t.after(() => [alice, bob].forEach((person) => person.leave()));
    await barrier(alice, [alice, bob]);
    assert.deepEqual([alice.notices(), bob.notices()], [0, 0]);
  });

  it('a wrong setting stops the start with a message', async () => {
    for (const env of [{ REDIS_HOST: '127.0.0.1' }, { PING_INTERVAL_MS: 'soon' }, { TRANSPORTS: 'pigeon' }]) {
      await assert.rejects(ChatServer.start({ env }), (error) => error.message.includes(Object.keys(env)[0]), JSON.stringify(env));
    }
  });

  it('health pages answer', async (t) => {
    const server = await start(t);
    assert.deepEqual(await Promise.all(['/healthz', '/readyz'].map((page) => server.status(page))), [200, 200]);
  });
});
