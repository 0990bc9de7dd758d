// RFC 6455 with a client that is neither socket.io's nor ours: the package ws, which takes every frame of the server
// to pieces and complains about each that breaks the rules. (The frames that no decent client can be made to send are in
// wire-websocket.test.mjs and in pkg/engineio.)
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { Chatter, barrier } from '../world/clients.mjs';
import { Log, next, within } from '../world/deadline.mjs';
import { ChatServer } from '../world/processes.mjs';
import { RawWebSocket } from '../world/wire.mjs';

let server, bystander;
before(async () => {
  server = await ChatServer.start();
  bystander = await Chatter.join(server, { transport: 'websocket' });
});
after(() => {
  bystander.leave();
  return server.stop();
});

/** A connection in the chat that keeps what comes. */
class Talk {
  texts = new Log();
  pongs = new Log();

  static async open(options) {
    const talk = new Talk();
    const ws = (talk.ws = new WebSocket(`${server.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`, options));
    ws.on('message', (data, binary) => talk.texts.add(binary ? data : data.toString()));
    ws.on('pong', (data) => talk.pongs.add(data.toString()));
    talk.closed = new Promise((resolve) => ws.on('close', (code, reason) => resolve({ code, reason: reason.toString() })));
    talk.errors = [];
    ws.on('error', (error) => talk.errors.push(error.message));
    await next(ws, 'open');
    ws.send('40/chat,');
    await talk.hears((text) => text.includes('join chat.'));
    return talk;
  }

  hears(what) {
    const test = typeof what === 'function' ? what : (text) => text === `42/chat,["msgToClient",${what}]`;
    return this.texts.until((all) => all.some((text) => typeof text === 'string' && test(text)), () => `the client to hear ${what}; it heard ${this.texts.length} messages`);
  }

  /** Sends the parts of one message, each a frame, and runs `between` after each but the last. */
  sendParts(parts, between = () => {}) {
    parts.forEach((part, i) => {
      const last = i === parts.length - 1;
      this.ws.send(part, { fin: last, binary: false });
      if (!last) between(i);
    });
  }

  async leave() {
    this.ws.close(1000);
    const { code } = await within(this.closed, 'the closing handshake');
    assert.deepEqual(this.errors, []);
    return code;
  }
}

const message = (value) => Buffer.from(`42/chat,["msgToServer",${JSON.stringify(value)}]`);

describe('fragmentation', () => {
  for (const [name, cut] of [
    ['two halves', (bytes) => [bytes.subarray(0, 30), bytes.subarray(30)]],
    ['single bytes, letters of several bytes among them', (bytes) => [...bytes].map((byte) => Buffer.of(byte))],
    ['empty frames before, between and after', (bytes) => ['', bytes.subarray(0, 9), '', '', bytes.subarray(9), '']],
  ]) {
    test(name, async () => {
      const talk = await Talk.open();
      talk.sendParts(cut(message('안녕 👍 in pieces')));
      await talk.hears('"안녕 👍 in pieces"');
      assert.equal(await talk.leave(), 1000);
    });
  }

  test('control frames between the fragments are answered at once', async () => {
    const talk = await Talk.open();
    const bytes = message('interrupted');
    talk.sendParts([bytes.subarray(0, 10), bytes.subarray(10, 20), bytes.subarray(20)], (i) => {
      talk.ws.ping(`ping ${i}`);
      talk.ws.pong('nobody asked');
    });
    await talk.hears('"interrupted"');
    assert.deepEqual([...talk.pongs], ['ping 0', 'ping 1']);
    await talk.leave();
  });

  test('a close between the fragments ends the connection and not the server', async () => {
    const talk = await Talk.open();
    talk.ws.send('42/chat,["msgToServer","never fin', { fin: false, binary: false });
    assert.equal(await talk.leave(), 1000);
    await barrier(bystander, [bystander]);
  });

  test('binary attachments in fragments', async () => {
    const talk = await Talk.open();
    talk.ws.send('451-/chat,["msgToServer",{"_placeholder":true,"num":0}]');
    const bytes = Buffer.from(Array.from({ length: 1000 }, (_, i) => i & 255));
    for (let i = 0; i < 1000; i += 100) talk.ws.send(bytes.subarray(i, i + 100), { fin: i === 900, binary: true });
    await talk.texts.until((all) => all.some((part) => Buffer.isBuffer(part) && part.equals(bytes)), 'the attachment to come back whole');
    await talk.leave();
  });
});

describe('ping and pong', () => {
  test('a flood of pings is answered in order, and the neighbours notice nothing', async () => {
    const talk = await Talk.open();
    // CONTROL_FRAMES_PER_SECOND lets 1,000 through at once.
    const flood = Array.from({ length: 900 }, (_, i) => `${i}`);
    for (const payload of flood) talk.ws.ping(payload);
    await barrier(bystander, [bystander]);
    await talk.pongs.until((all) => all.at(-1) === flood.at(-1), 'the last pong');
    // A pong may be left out when a later one is sent, but not the order.
    const numbers = talk.pongs.map(Number);
    assert.deepEqual(numbers, numbers.toSorted((a, b) => a - b));
    talk.ws.send(message('still here').toString());
    await talk.hears('"still here"');
    await talk.leave();
  });

  test('the payload comes back to the letter, up to the 125 bytes there may be', async () => {
    const talk = await Talk.open();
    for (const payload of ['', 'x', '\0\xff', 'p'.repeat(125)]) {
      talk.ws.ping(payload);
      await talk.pongs.until((all) => all.at(-1) === payload, `pong ${JSON.stringify(payload)}`);
    }
    await talk.leave();
  });
});

describe('the end', () => {
  for (const code of [1000, 1001, 1003, 1007, 1009, 1011, 3000, 4999]) {
    test(`close code ${code} comes back`, async () => {
      const talk = await Talk.open();
      talk.ws.close(code, 'bye 안녕');
      assert.equal((await within(talk.closed, 'the closing handshake')).code, code);
      assert.deepEqual(talk.errors, []);
    });
  }

  test('a close without a code', async () => {
    const talk = await Talk.open();
    talk.ws.close();
    // A client that gives no code gets none, or 1000.
    assert.ok([1000, 1005].includes((await within(talk.closed, 'the closing handshake')).code));
  });

  test('text that is not UTF-8: 1007', async () => {
    for (const bytes of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82]]) {
      const talk = await Talk.open();
      talk.ws.send(Buffer.concat([Buffer.from('42/chat,["msgToServer","'), Buffer.from(bytes)]), { binary: false });
      assert.equal((await within(talk.closed, 'the server to close')).code, 1007);
    }
    await barrier(bystander, [bystander]);
  });

  test('more than MAX_PAYLOAD_BYTES, in one frame or in many: 1009', async () => {
    for (const parts of [1, 50]) {
      const talk = await Talk.open();
      talk.sendParts(Array.from({ length: parts }, () => 'x'.repeat(1_100_000 / parts)));
      assert.equal((await within(talk.closed, 'the server to close')).code, 1009);
    }
    await barrier(bystander, [bystander]);
  });
});

describe('the handshake', () => {
  test('compression is offered and politely not taken', async () => {
    const talk = await Talk.open({ perMessageDeflate: true });
    assert.equal(talk.ws.extensions, '');
    await talk.leave();
  });

  test('version 8, whose frames are the same, is let in as ws does', async () => {
    const talk = await Talk.open({ protocolVersion: 8 });
    talk.ws.send('42/chat,["msgToServer","from version 8"]');
    await talk.hears('"from version 8"');
    await talk.leave();
  });

  test('another version is refused, with those that are spoken', async () => {
    for (const version of ['7', '12', '14']) {
      const ws = await RawWebSocket.ask(server, {}, { 'Sec-WebSocket-Version': version });
      assert.equal(await ws.status(), 426);
      assert.match(ws.received.toString('latin1'), /^Sec-WebSocket-Version: 13, 8\r$/im);
      ws.destroy();
    }
  });
});
