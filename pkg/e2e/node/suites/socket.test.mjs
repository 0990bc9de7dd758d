// What the Socket.IO protocol, version 5, asks of a server. The subjects are those of the protocol's own suite.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OP, frame, RawWebSocket } from '../world/wire.mjs';
import { protocol } from './peer.mjs';

const server = protocol();

/** A WebSocket past the handshake of Engine.IO. */
async function opened() {
  const ws = await RawWebSocket.open(server, { EIO: 4, transport: 'websocket' });
  await ws.want(/^0\{/);
  return ws;
}

/** One that is in the main namespace, past the server's word about its auth. */
async function connected() {
  const ws = await opened();
  ws.say('40');
  await ws.want(/^40\{/);
  await ws.want(/^42\["auth"/);
  return ws;
}

/** The next frame that is no heartbeat. */
async function packet(ws) {
  for (;;) {
    const { text, data, closed } = await ws.next();
    assert.ok(!closed, 'the server closed');
    if (text === '2') ws.say('3');
    else return text ?? [...data];
  }
}

describe('Socket.IO protocol 5', () => {
  for (const [what, nsp, auth, told] of [
    ['the main namespace', '', '', '{}'],
    ['the main namespace with auth', '', '{"token":"123"}', '{"token":"123"}'],
    ['another namespace', '/custom,', '', '{}'],
    ['another namespace with auth', '/custom,', '{"token":"abc"}', '{"token":"abc"}'],
  ]) {
    it(`lets a client into ${what}`, async () => {
      const ws = await opened();
      ws.say(`40${nsp}${auth}`);
      const answer = await packet(ws);
      assert.ok(answer.startsWith(`40${nsp}{`), answer);
      assert.deepEqual(Object.keys(JSON.parse(answer.slice(2 + nsp.length))), ['sid']);
      assert.equal(await packet(ws), `42${nsp}["auth",${told}]`);
      ws.destroy();
    });
  }

  it('refuses an unknown namespace', async () => {
    const ws = await opened();
    ws.say('40/random');
    assert.equal(await packet(ws), '44/random,{"message":"Invalid namespace"}');
    ws.destroy();
  });

  it('closes over a CONNECT that is none', async () => {
    const ws = await opened();
    ws.say('4abc');
    await ws.closeCode();
  });

  it('closes a connection that joins nothing in time', async () => {
    const ws = await opened();
    const answer = setInterval(() => ws.say('3'), 200); // it is alive
    await ws.closeCode().finally(() => clearInterval(answer));
  });

  it('lets a client leave the main namespace', async () => {
    const ws = await connected();
    ws.say('41');
    assert.equal(await ws.want(/./), '2', 'nothing but the heartbeat goes on');
    ws.destroy();
  });

  it('lets a client leave another namespace and stay in the first', async () => {
    const ws = await connected();
    ws.say('40/custom');
    await ws.want(/^40\/custom,/);
    await ws.want(/^42\/custom,\["auth"/);
    ws.say('41/custom');
    ws.say('42["message","message to main namespace"]');
    assert.equal(await packet(ws), '42["message-back","message to main namespace"]');
    ws.destroy();
  });

  it('carries text', async () => {
    const ws = await connected();
    ws.say('42["message",1,"2",{"3":[true]}]');
    assert.equal(await packet(ws), '42["message-back",1,"2",{"3":[true]}]');
    ws.destroy();
  });

  const PLACEHOLDERS = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}';
  const attach = (ws) => [[1, 2, 3], [4, 5, 6]].forEach((bytes) => ws.send(frame(Buffer.from(bytes), { opcode: OP.binary })));

  it('carries attachments', async () => {
    const ws = await connected();
    ws.say(`452-["message",${PLACEHOLDERS}]`);
    attach(ws);
    assert.deepEqual([await packet(ws), await packet(ws), await packet(ws)], [`452-["message-back",${PLACEHOLDERS}]`, [1, 2, 3], [4, 5, 6]]);
    ws.destroy();
  });

  it('acknowledges text', async () => {
    const ws = await connected();
    ws.say('42456["message-with-ack",1,"2",{"3":[false]}]');
    assert.equal(await packet(ws), '43456[1,"2",{"3":[false]}]');
    ws.destroy();
  });

  it('acknowledges attachments', async () => {
    const ws = await connected();
    ws.say(`452-789["message-with-ack",${PLACEHOLDERS}]`);
    attach(ws);
    assert.deepEqual([await packet(ws), await packet(ws), await packet(ws)], [`462-789[${PLACEHOLDERS}]`, [1, 2, 3], [4, 5, 6]]);
    ws.destroy();
  });

  for (const [what, bad] of [['an unknown packet type', '4abc'], ['a payload that is no array', '42{}'], ['an id that is no number', '42abc["message-with-ack",1,"2",{"3":[false]}]']]) {
    it(`closes over ${what}`, async () => {
      const ws = await connected();
      ws.say(bad);
      await ws.closeCode();
    });
  }
});
