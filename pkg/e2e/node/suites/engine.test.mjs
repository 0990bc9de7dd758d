// What the Engine.IO protocol asks of a server, versions 3 and 4, on a server that echoes. The subjects are those of the
// protocol's own suite; ../../suites/titles.json says which test stands for which title.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually } from '../world/deadline.mjs';
import { OP, frame, PollingSession, RawWebSocket, query, request } from '../world/wire.mjs';
import { beats, echo, PING_INTERVAL, PING_TIMEOUT } from './peer.mjs';

const server = echo();
const beating = beats();

/** How each protocol writes a payload of packets. */
const DIALECTS = {
  3: { payload: (...packets) => packets.map((packet) => `${packet.length}:${packet}`).join(''), opened: (body) => /^(\d+):0(\{.*\})$/.exec(body), bytes: [4, 1, 2, 3, 4] },
  4: { payload: (...packets) => packets.join('\x1e'), opened: (body) => /^()0(\{.*\})$/.exec(body), bytes: [1, 2, 3, 4] },
};

for (const [EIO, { payload, opened, bytes }] of Object.entries(DIALECTS)) {
  // Protocol 3 sends octets on polling unless the client says b64.
  const polling = EIO === '3' ? { EIO, transport: 'polling', b64: 1 } : { EIO, transport: 'polling' };
  const session = (of = server) => PollingSession.open(of, polling);
  const websocket = async (params = {}, of = server) => {
    const ws = await RawWebSocket.open(of, { EIO, transport: 'websocket', ...params });
    if (!params.sid) await ws.want(/^0\{/);
    return ws;
  };
  const checkOpen = (text, upgrades) => {
    const { sid, ...open } = JSON.parse(text);
    assert.equal(typeof sid, 'string');
    assert.deepEqual(open, { upgrades, pingInterval: PING_INTERVAL, pingTimeout: PING_TIMEOUT, maxPayload: 1_000_000 });
  };

  describe(`Engine.IO protocol ${EIO}`, () => {
    it('opens a session on polling', async () => {
      const { status, body } = await request(beating, { path: query(polling) });
      assert.equal(status, 200);
      const [, length, open] = opened(body);
      if (EIO === '3') assert.equal(Number(length), open.length + 1);
      checkOpen(open, ['websocket']);
    });

    it('opens a session on a WebSocket', async () => {
      const ws = await RawWebSocket.open(beating, { EIO, transport: 'websocket' });
      checkOpen((await ws.want(/^0/)).slice(1), []);
      ws.destroy();
    });

    it('refuses an unknown transport, on HTTP and WebSocket', async () => {
      for (const params of [{ EIO }, { EIO, transport: 'abc' }]) {
        assert.equal((await request(server, { path: query(params) })).status, 400);
        const ws = await RawWebSocket.ask(server, { EIO, transport: undefined, ...params });
        assert.equal(await ws.status(), 400);
        await ws.closeCode();
      }
    });

    it('refuses other methods than GET for a handshake', async () => {
      for (const method of ['POST', 'PUT']) assert.equal((await request(server, { method, path: query(polling) })).status, 400, method);
    });

    it('carries one text packet on polling', async () => {
      const polled = await session();
      const { status, body } = await polled.post(payload('4hello'));
      assert.deepEqual([status, body], [200, 'ok']);
      assert.equal((await polled.get()).body, payload('4hello'));
    });

    it('carries several text packets in one payload', async () => {
      const polled = await session();
      await polled.post(payload('4test1', '4test2', '4test3'));
      assert.equal((await polled.get()).body, payload('4test1', '4test2', '4test3'));
    });

    it('carries text and bytes in one payload, as base64', async () => {
      const polled = await session();
      const both = payload('4hello', EIO === '3' ? 'b4AQIDBA==' : 'bAQIDBA==');
      await polled.post(both);
      assert.equal((await polled.get()).body, both);
    });

    it('closes the session over a payload that is none', async () => {
      const polled = await session();
      await polled.post('abc');
      assert.equal((await polled.get()).status, 400);
    });

    it('closes the session over two polls at once', async () => {
      const polled = await session();
      const answers = await Promise.all([polled.get(), polled.get({ t: 'burst' })]);
      const [told, refused] = answers.sort((a, b) => a.status - b.status);
      assert.deepEqual([told.status, told.body, refused.status], [200, payload('1'), 400]);
      assert.equal((await polled.get()).status, 400);
    });

    it('carries text on a WebSocket', async () => {
      const ws = await websocket();
      ws.say('4hello');
      assert.equal(await ws.want(/^4/), '4hello');
      ws.destroy();
    });

    it('carries bytes on a WebSocket', async () => {
      const ws = await websocket();
      ws.send(frame(Buffer.from(bytes), { opcode: OP.binary }));
      for (;;) {
        const { opcode, data, closed } = await ws.next();
        assert.ok(!closed);
        if (opcode !== OP.binary) continue;
        assert.deepEqual([...data], bytes);
        break;
      }
      ws.destroy();
    });

    it('closes a WebSocket over a packet that is none', async () => {
      const ws = await websocket();
      ws.say('abc');
      await ws.closeCode();
    });

    it('beats on polling', async () => {
      const polled = await session(beating);
      for (let i = 0; i < 3; i++) {
        if (EIO === '3') {
          assert.equal((await polled.post(payload('2'))).status, 200);
          assert.equal((await polled.get()).body, payload('3'));
        } else {
          assert.equal((await polled.get()).body, '2');
          assert.equal((await polled.post('3')).status, 200);
        }
      }
    });

    it('beats on a WebSocket', async () => {
      const ws = await websocket({}, beating);
      for (let i = 0; i < 3; i++) {
        if (EIO === '3') {
          ws.say('2');
          assert.equal(await ws.want(/./), '3');
        } else {
          assert.equal(await ws.want(/./), '2');
          ws.say('3');
        }
      }
      ws.destroy();
    });

    it('closes a session on polling whose heartbeat has stopped', async () => {
      const polled = await session(beating);
      // Polls alone: a packet of the client's would show it alive, should the session not be over on a busy machine.
      await eventually(async () => (await polled.get()).status === 400, 'the session to end');
      assert.equal((await polled.post(payload(EIO === '3' ? '2' : '3'))).status, 400);
    });

    it('closes a WebSocket whose heartbeat has stopped', async () => {
      await (await websocket({}, beating)).closeCode();
    });

    it('closes a session on polling when the client asks', async () => {
      // The poll has to be there first; nothing tells when it is.
      await eventually(async () => {
        const polled = await session();
        const poll = polled.get();
        assert.equal((await polled.post(payload('1'))).status, 200);
        const { body } = await poll;
        assert.equal((await polled.get()).status, 400);
        return body === payload('6');
      }, 'a poll that waits to be answered with noop');
    });

    it('closes a WebSocket when the client asks', async () => {
      const ws = await websocket();
      ws.say('1');
      await ws.closeCode();
    });

    /** A session with a WebSocket beside it whose probe has been answered. */
    const probed = async () => {
      const polled = await session();
      const ws = await websocket({ sid: polled.sid });
      ws.say('2probe');
      assert.equal(await ws.want(/./), '3probe');
      return { polled, ws };
    };

    it('moves a session from polling to a WebSocket', async () => {
      const { polled, ws } = await probed();
      assert.equal((await polled.get()).body, payload('6'), 'noop lets the poll go');
      ws.say('5');
      ws.say('4hello');
      assert.equal(await ws.want(/^4/), '4hello');
      ws.destroy();
    });

    it('ignores HTTP requests of a session that has moved', async () => {
      const { polled, ws } = await probed();
      ws.say('5');
      ws.say('4moved');
      await ws.want(/^4moved/);
      assert.equal((await polled.get()).status, 400);
      ws.say('4hello');
      assert.equal(await ws.want(/^4/), '4hello');
      ws.destroy();
    });

    it('ignores a second WebSocket of a session that has moved', async () => {
      const { polled, ws } = await probed();
      ws.say('5');
      ws.say('4moved');
      await ws.want(/^4moved/);
      const second = await RawWebSocket.ask(server, { EIO, transport: 'websocket', sid: polled.sid });
      // Refused at once, or accepted and closed, as Node does: all the same to the first.
      if ((await second.status()) === 101) {
        second.offset = second.received.indexOf('\r\n\r\n') + 4;
        second.parse();
      }
      await second.closeCode();
      ws.say('4hello');
      assert.equal(await ws.want(/^4/), '4hello');
      ws.destroy();
    });
  });
}

describe('Engine.IO protocol 3 alone', () => {
  it('carries text and bytes in one payload, as octets', async () => {
    const polled = await PollingSession.open(server, { EIO: 3, transport: 'polling', b64: 1 });
    await polled.post('6:4hello10:b4AQIDBA==');
    const response = await fetch(`${server.url}${query({ EIO: 3, transport: 'polling', sid: polled.sid })}`);
    // What the client said at the handshake counts: this one wants base64. One that never said so gets octets.
    assert.equal(await response.text(), '6:4hello10:b4AQIDBA==');

    const handshake = await fetch(`${server.url}${query({ EIO: 3, transport: 'polling' })}`);
    const sid = /"sid":"([^"]+)"/.exec(Buffer.from(await handshake.arrayBuffer()).toString())[1];
    const path = query({ EIO: 3, transport: 'polling', sid });
    await request(server, { method: 'POST', path, body: '6:4hello10:b4AQIDBA==', headers: { 'content-type': 'text/plain;charset=UTF-8' } });
    const octets = Buffer.from(await (await fetch(server.url + path)).arrayBuffer());
    assert.deepEqual([...octets], [0, 6, 255, ...Buffer.from('4hello'), 1, 5, 255, 4, 1, 2, 3, 4]);
  });

  it('serves a client that names no version, or an unknown one', async () => {
    // A server that takes protocol 3 at all takes these for it, as Node's does with allowEIO3.
    for (const params of [{}, { EIO: 'abc' }]) {
      const { status, body } = await request(server, { path: query({ ...params, transport: 'polling', b64: 1 }) });
      assert.equal(status, 200);
      assert.match(body, /^\d+:0\{/);
      const ws = await RawWebSocket.open(server, { EIO: undefined, ...params });
      ws.destroy();
    }
  });
});
