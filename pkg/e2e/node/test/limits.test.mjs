// How much clients may do: what they are told when it is too much, and what the log says.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Chatter } from '../world/clients.mjs';
import { next } from '../world/deadline.mjs';
import { ChatServer, OURS } from '../world/processes.mjs';
import { PollingSession, query, RawWebSocket, request, Wire } from '../world/wire.mjs';

describe('limits', { skip: !OURS && 'settings of our server' }, () => {
  const start = async (t, env) => {
    const server = await ChatServer.start({ env });
    t.after(() => server.kill());
    return server;
  };
  const path = query({ EIO: 4, transport: 'polling' });
  const handshake = (server, headers = {}) => request(server, { path, headers });

  it('MAX_CONNECTIONS: who comes too late is told so, and may come when somebody has left', async (t) => {
    const server = await start(t, { MAX_CONNECTIONS: '2' });
    const [alice, bob] = [await Chatter.join(server), await Chatter.join(server, { generation: '2.5.0' })];
    const { status, headers, body } = await handshake(server);
    assert.deepEqual([status, headers['retry-after'], body], [503, '1', '{"code":4,"message":"the server is full; try again later"}']);
    const ws = await RawWebSocket.ask(server);
    assert.equal(await ws.status(), 503);
    await server.says(/"msg":"a client was refused: the server is full.*"setting":"MAX_CONNECTIONS"/);
    bob.leave();
    const carol = await Chatter.join(server); // tries until there is a place
    [alice, carol].forEach((person) => person.leave());
    server.assertWell();
  });

  it('MAX_CONNECTIONS_PER_ADDRESS: a spoofed X-Forwarded-For is ignored, that of a trusted proxy is not', async (t) => {
    const direct = await start(t, { MAX_CONNECTIONS_PER_ADDRESS: '2' });
    const statuses = async (server, addresses) => {
      const all = [];
      for (const address of addresses) all.push((await handshake(server, { 'X-Forwarded-For': address, Forwarded: `for=${Math.random()}` })).status);
      return all;
    };
    assert.deepEqual(await statuses(direct, ['192.0.2.1', '192.0.2.2', '192.0.2.3', '127.0.0.1']), [200, 200, 429, 429]);

    const behind = await start(t, { MAX_CONNECTIONS_PER_ADDRESS: '2', TRUSTED_PROXIES: '127.0.0.0/8,10.0.0.1' });
    assert.deepEqual(await statuses(behind, ['192.0.2.1', '192.0.2.1', '192.0.2.1', '192.0.2.2']), [200, 200, 429, 200]);
    // To the left of the client's address stands what the client made up; to the right another proxy.
    assert.deepEqual(await statuses(behind, ['192.0.2.9, 192.0.2.1', '192.0.2.2, 192.0.2.1, 10.0.0.1', '192.0.2.1, 192.0.2.3']), [429, 429, 200]);
    assert.match((await handshake(behind, { 'X-Forwarded-For': '192.0.2.1' })).body, /too many connections from your address/);
  });

  it('HANDSHAKES_PER_SECOND_PER_ADDRESS', async (t) => {
    const server = await start(t, { HANDSHAKES_PER_SECOND_PER_ADDRESS: '1' });
    const answers = await Promise.all(Array.from({ length: 10 }, () => handshake(server)));
    const refused = answers.filter(({ status }) => status === 429);
    assert.ok(refused.length >= 5, `${refused.length} refused`); // four at once, and one in each second that this took
    assert.match(refused[0].body, /too many connection attempts/);
  });

  it('MESSAGES_PER_SECOND slows a client down, tells it so, and loses nothing', async (t) => {
    const server = await start(t, { MESSAGES_PER_SECOND: '200', MESSAGE_BURST: '20' });
    for (const [generation, transport] of [['1.4.5', 'polling'], ['2.5.0', 'default'], ['4.8', 'websocket']]) {
      const alice = await Chatter.join(server, { generation, transport });
      const told = next(alice.socket, 'exception', 'to be told');
      const texts = Array.from({ length: 100 }, (_, i) => `${i}`);
      texts.forEach((text) => alice.says(text));
      assert.match((await told).message, /too many messages: more than 200 a second/);
      await alice.wantExactly(alice, texts);
      alice.leave();
    }
    await server.says(/"msg":"a client sends too much and is read more slowly".*"reason":"messages","per_second":200/);
    server.assertWell();
  });

  it('HEADER_TIMEOUT_MS and BODY_TIMEOUT_MS end requests that trickle', async (t) => {
    const server = await start(t, { HEADER_TIMEOUT_MS: '2000', BODY_TIMEOUT_MS: '2000' });
    const header = (await Wire.connect(server)).send(`GET ${path} HTTP/1.1\r\nHost: x\r\nX-Slow: `);
    const polls = await PollingSession.open(server);
    const body = (await Wire.connect(server)).send(`POST ${polls.path()} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n40/`);
    await Promise.all([header.closed(), body.closed()]);
    const alice = await Chatter.join(server, { transport: 'polling' }); // long polls are not meant
    alice.leave();
  });

  it('MAX_ATTACHMENTS and MAX_NAMESPACES', async (t) => {
    const server = await start(t, { MAX_ATTACHMENTS: '2', MAX_NAMESPACES: '1' });
    const ws = await RawWebSocket.open(server);
    ws.say('40/chat,');
    await ws.want(/^40\/chat,/);
    ws.say('40/,');
    assert.equal(await ws.want(/^44/), '44{"message":"too many namespaces"}');
    ws.say('453-/chat,["msgToServer",{"_placeholder":true,"num":0}]');
    assert.equal(await ws.closeCode(), 1005);
    await server.says(/too many attachments/);
    server.assertWell();
  });
});
