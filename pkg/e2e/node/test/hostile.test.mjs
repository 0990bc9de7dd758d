// What nobody sends who means well. Each row is sent while two others chat: the process must live, the others must
// notice nothing, and its sender gets what socket.io 4.8 gives: it lives on, or its connection is closed.
// A second word in a row is what ours does instead, where that differs; two words in brackets are those of protocols 4
// and 3, where clients are in the namespace / unasked.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { barrier, Chatter } from '../world/clients.mjs';
import { ChatServer, OURS } from '../world/processes.mjs';
import { chatSocket, frame, OP, PollingSession, query, RawWebSocket, request, Wire } from '../world/wire.mjs';

const [LIVES, CLOSED] = ['lives', 'closed'];
const bin = (...bytes) => Buffer.from(bytes);

/** Packets after the chat has been joined; a Buffer is a binary message. */
const PACKETS = [
  // EVENT: the payload must be an array that begins with a name.
  ['an EVENT without a payload', ['42/chat,'], LIVES],
  ['an EVENT without a comma', ['42/chat'], LIVES],
  ['an EVENT of nothing at all', ['42'], [CLOSED, LIVES]],
  ['null as payload', ['42/chat,null'], CLOSED],
  ['an object as payload', ['42/chat,{}'], CLOSED],
  ['a string as payload', ['42/chat,"x"'], CLOSED],
  ['an empty array', ['42/chat,[]'], CLOSED],
  ['null as name', ['42/chat,[null]'], CLOSED],
  ['a number as name', ['42/chat,[1,"x"]'], LIVES],
  ['an object as name', ['42/chat,[{}]'], CLOSED],
  ['an array as name', ['42/chat,[["msgToServer"]]'], CLOSED],
  ['a boolean as name', ['42/chat,[true]'], CLOSED],
  ['an empty name', ['42/chat,[""]'], LIVES],
  ['JSON that ends too early', ['42/chat,["msgToServer"'], CLOSED],
  ['JSON with a comma too many', ['42/chat,["msgToServer",]'], CLOSED],
  ['JSON with something behind it', ['42/chat,["msgToServer"]x'], CLOSED],
  ['JSON in single quotes', ["42/chat,['msgToServer']"], CLOSED],
  ['NaN', ['42/chat,["msgToServer",NaN]'], CLOSED],
  ['a control character in a string', ['42/chat,["msgToServer","\x01"]'], CLOSED],
  ['a broken escape', ['42/chat,["msgToServer","\\x"]'], CLOSED],
  ['a payload nested 5,000 deep', [`42/chat,["nonsense",${'['.repeat(5000)}${']'.repeat(5000)}]`], LIVES, CLOSED], // depth is bounded
  ['a payload nested 100,000 deep', [`42/chat,["nonsense",${'['.repeat(100_000)}${']'.repeat(100_000)}]`], LIVES, CLOSED], // likewise
  // Names that mean something to the server itself.
  ...['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener'].map((name) => [`the reserved name ${name}`, [`42/chat,["${name}","x"]`], CLOSED]),
  ['the name error', ['42/chat,["error","x"]'], LIVES], // socket.io 2.4.1 ends here
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'message', 'connection', '*'].map((name) => [`the name ${name}`, [`42/chat,["${name}","x",{"a":1}]`], LIVES]),
  // Acknowledgements.
  ['a huge acknowledgement id', ['42/chat,99999999999999999999["nonsense"]'], LIVES],
  ['an acknowledgement id with leading zeros', ['42/chat,0007["nonsense"]'], LIVES],
  ['a negative acknowledgement id', ['42/chat,-1["nonsense"]'], CLOSED],
  ['an ACK nobody waits for', ['43/chat,1[]'], LIVES],
  ['an ACK with a huge id', ['43/chat,99999999999999999999["x"]'], LIVES],
  ['an ACK without an id', ['43/chat,["x"]'], LIVES],
  ['an ACK without a payload', ['43/chat,1'], LIVES],
  ['an ACK of an object', ['43/chat,1{}'], CLOSED],
  ['an ACK of nothing', ['43/chat,'], LIVES],
  // Binary events.
  ['a binary event without a count', ['45/chat,["x"]'], CLOSED],
  ['a binary event with a dash alone', ['45-/chat,["x"]'], CLOSED],
  ['a binary event with a count that is none', ['45x-/chat,["x"]'], CLOSED],
  ['a negative count', ['45-1-/chat,["x"]'], CLOSED],
  ['a fraction as count', ['451.5-/chat,["x"]'], CLOSED],
  ['no attachments', ['450-/chat,["nonsense"]'], CLOSED],
  ['11 attachments', [`4511-/chat,["nonsense",${Array.from({ length: 11 }, (_, num) => `{"_placeholder":true,"num":${num}}`)}]`, bin(1)], CLOSED],
  ['a billion attachments', ['45999999999-/chat,["x",{"_placeholder":true,"num":0}]', bin(1)], CLOSED],
  ['a placeholder beyond the attachments', ['451-/chat,["nonsense",{"_placeholder":true,"num":5}]', bin(1)], CLOSED],
  ['a placeholder below them', ['451-/chat,["nonsense",{"_placeholder":true,"num":-1}]', bin(1)], CLOSED],
  ['a placeholder in between', ['451-/chat,["nonsense",{"_placeholder":true,"num":0.5}]', bin(1)], LIVES, CLOSED], // Node delivers undefined
  ['a placeholder that is a string', ['451-/chat,["nonsense",{"_placeholder":true,"num":"0"}]', bin(1)], CLOSED],
  ['a placeholder __proto__', ['451-/chat,["nonsense",{"_placeholder":true,"num":"__proto__"}]', bin(1)], CLOSED],
  ['a placeholder without a number', ['451-/chat,["nonsense",{"_placeholder":true}]', bin(1)], CLOSED],
  ['a placeholder as name', ['451-/chat,[{"_placeholder":true,"num":0},"x"]', bin(1)], CLOSED],
  ['the same attachment twice', ['451-/chat,["nonsense",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]', bin(1)], LIVES, CLOSED], // it would cost more than it weighs on the wire
  ['an attachment without a placeholder', ['451-/chat,["nonsense"]', bin(1)], LIVES],
  ['text where an attachment is due', ['451-/chat,["x",{"_placeholder":true,"num":0}]', '42/chat,["nonsense"]'], CLOSED],
  ['an attachment nobody announced', [bin(1, 2, 3)], CLOSED],
  ['an empty attachment nobody announced', [bin()], CLOSED],
  ['a binary ACK nobody waits for', ['461-/chat,1[{"_placeholder":true,"num":0}]', bin(1)], LIVES],
  ['a binary ACK with text behind it', ['461-/chat,1[{"_placeholder":true,"num":0}]', '43/chat,1[]'], CLOSED],
  // Types and namespaces.
  ['an unknown packet type', ['47/chat,["x"]'], CLOSED],
  ['a letter as packet type', ['4x'], CLOSED],
  ['an empty message', ['4'], CLOSED],
  ['a CONNECT_ERROR from a client', ['44/chat,{"message":"x"}'], CLOSED],
  ['an EVENT of a namespace never joined', ['42/nope,["x"]'], CLOSED, [CLOSED, LIVES]], // socket.io 2.4.1 ignores it
  ['an EVENT of /, never joined', ['42["msgToServer","x"]'], [CLOSED, LIVES]],
  ['an EVENT of __proto__', ['42/__proto__,["x"]'], CLOSED, [CLOSED, LIVES]], // likewise
  ['a DISCONNECT of a namespace never joined', ['41/nope,'], CLOSED, [CLOSED, LIVES]], // likewise
  ['a DISCONNECT with a payload', ['41/chat,{}'], CLOSED],
  ['a namespace of 100 KB', [`40/${'x'.repeat(100_000)},`], LIVES],
  ['100 unknown namespaces', Array.from({ length: 100 }, (_, i) => `40/nope${i},`), LIVES],
  ['CONNECT with broken JSON', ['40/nope,{'], CLOSED],
  ['CONNECT with a string', ['40/nope,"x"'], CLOSED],
  ['CONNECT with an array', ['40/nope,[]'], CLOSED],
  ['CONNECT with null', ['40/nope,null'], CLOSED],
  ['CONNECT with a number', ['40/nope,5'], LIVES],
  ['CONNECT to __proto__', ['40/__proto__,'], LIVES],
  ['CONNECT to constructor', ['40/constructor,{}'], LIVES],
  ['CONNECT with __proto__ as auth', ['40/nope,{"__proto__":{"a":1}}'], LIVES],
];

/** Frames of Engine.IO and WebSocket after the chat has been joined; strings are texts of Engine.IO. */
const FRAMES = [
  ['an empty text', [''], CLOSED],
  ['an unknown Engine.IO packet', ['9'], CLOSED],
  ['an open packet', ['0{"sid":"x"}'], LIVES],
  ['a ping, which only servers send', ['2'], CLOSED],
  ['an unasked pong', ['3'], LIVES],
  ['a probe without an upgrade', ['2probe'], CLOSED],
  ['an upgrade packet', ['5'], LIVES],
  ['a noop', ['6'], LIVES],
  ['the close packet', ['1'], LIVES, CLOSED], // Node acts on it on polling only
  ['base64, which is for polling', ['bAAEC'], CLOSED],
  ['a payload of two packets', ['3\x1e3'], LIVES],
  ['a frame without a mask', [frame('3', { mask: false })], CLOSED],
  ['text that is not UTF-8', [frame(bin(0x34, 0xff))], CLOSED],
  ['truncated UTF-8', [frame(Buffer.concat([Buffer.from('42/chat,["msgToServer","'), bin(0xec, 0x95)]))], CLOSED],
  ['UTF-8 cut by fragments, which is fine', [frame(Buffer.concat([Buffer.from('42/chat,["nonsense","'), bin(0xec, 0x95)]), { fin: false }), frame(Buffer.concat([bin(0x88), Buffer.from('"]')]), { opcode: OP.continuation })], LIVES],
  // CONTROL_FRAMES_PER_SECOND lets 1,000 come at once.
  ['900 empty fragments', [frame('42/chat,["nonsense"', { fin: false }), ...Array(900).fill(frame('', { opcode: OP.continuation, fin: false })), frame(']', { opcode: OP.continuation })], LIVES],
  ['900 pings', Array(900).fill(frame('x', { opcode: OP.ping })), LIVES],
  ['a length of 2^63', [Buffer.concat([bin(0x81, 0xff, 0x80), Buffer.alloc(7), Buffer.alloc(4)])], CLOSED],
  ['a message over the limit', [`42/chat,["msgToServer","${'x'.repeat(1_000_000)}"]`], CLOSED],
  ['a close and more behind it', [frame(bin(3, 0xe8), { opcode: OP.close }), frame('42/chat,["msgToServer","after the close"]')], CLOSED],
  ['garbage instead of a frame', [Buffer.from('GET / HTTP/1.1\r\n\r\n')], CLOSED],
];

/** Raw HTTP, and the statuses that will do; 0 is a connection closed without an answer. */
const REFUSED = [0, 400, 404, 405, 408, 411, 413, 414, 417, 421, 426, 431, 501, 505];
const handshake = query({ EIO: 4, transport: 'polling' });
const REQUESTS = [
  ['nothing but line ends', '\r\n\n\r\n', REFUSED],
  ['garbage', '\x00\x01\x02\xff garbage\r\n\r\n', REFUSED],
  ['a TLS hello', bin(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, 0x0d, 0x0a, 0x0d, 0x0a), REFUSED],
  ['an unknown HTTP version', `GET ${handshake} HTTP/9.9\r\nHost: x\r\n\r\n`, REFUSED],
  ['no Host', `GET ${handshake} HTTP/1.1\r\n\r\n`, REFUSED],
  ['two Hosts', `GET ${handshake} HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n`, [...REFUSED, 200]],
  ['a header of 2 MB', `GET ${handshake} HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(2_000_000)}\r\n\r\n`, REFUSED],
  ['50,000 headers', `GET ${handshake} HTTP/1.1\r\nHost: x\r\n${'x: y\r\n'.repeat(300_000)}\r\n`, REFUSED],
  ['a URL of 2 MB', `GET ${handshake}&x=${'x'.repeat(2_000_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, REFUSED],
  ['a folded header', `GET ${handshake} HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n`, [...REFUSED, 200]],
  ['a broken percent', `GET ${handshake}&username=%zz%f HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`, [...REFUSED, 200]],
  ['a zero byte in the query', `GET ${handshake}&username=%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`, [200]],
  ['__proto__ everywhere', `GET ${handshake}&__proto__=1&__proto__[x]=2&constructor[prototype][y]=3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`, [200]],
  ['90 parameters', `GET ${handshake}&${Array.from({ length: 90 }, (_, i) => `p${i}=1`).join('&')} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`, [200]],
  // HANDSHAKE_PARAMETERS; Node keeps them all.
  ['1,000 parameters', `GET ${handshake}&${Array.from({ length: 1000 }, (_, i) => `p${i}=1`).join('&')} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`, OURS ? [400] : [200]],
  ['climbing out of the path', `GET /socket.io/../../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`, [...REFUSED, 301, 307, 308]],
  ['a client file that is none', `GET /socket.io/socket.io.js.map/../x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`, [...REFUSED, 301, 307, 308]],
  ['CONNECT', 'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n', REFUSED],
  ['TRACE', `TRACE ${handshake} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`, REFUSED],
  ['an upgrade to h2c', `GET ${handshake} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n`, [...REFUSED, 200]],
  ['a WebSocket by POST', `POST ${query({ EIO: 4, transport: 'websocket' })} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`, REFUSED],
  ['a negative Content-Length', `POST ${handshake}&sid=x HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n`, REFUSED],
  ['two lengths', `POST ${handshake}&sid=x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n44`, REFUSED],
  ['a length and chunks', `POST ${handshake}&sid=x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n4\r\n0\r\n\r\n`, REFUSED],
  ['a broken chunk', `POST ${handshake}&sid=x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n4\r\n`, REFUSED],
  ['a chunk of 2^70 bytes', `POST ${handshake}&sid=x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff0\r\n4\r\n`, REFUSED],
  ['an unknown transfer encoding', `POST ${handshake}&sid=x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n4`, REFUSED],
];

describe('hostile', { skip: ['s2', 'nest'].includes(process.env.REFERENCE) && 'the outcomes are those of socket.io 4.8' }, () => {
  let server, alice, bob;
  before(async () => {
    // Requests that never end are waited for by default as long as a test waits.
    server = await ChatServer.start({ env: { HEADER_TIMEOUT_MS: '10000' } });
    [alice, bob] = [await Chatter.join(server), await Chatter.join(server, { generation: '2.5.0' })];
  });
  after(async () => {
    [alice, bob].forEach((person) => person.leave());
    await server.kill();
  });

  /** Plays while Alice and Bob chat, then sees that they noticed nothing and that the process is well. */
  async function meanwhile(play) {
    const chat = barrier(alice, [alice, bob]);
    const outcome = await play();
    await chat;
    await barrier(bob, [alice, bob]);
    assert.deepEqual([alice, bob].map((person) => [person.connects.length, person.disconnects.length]), [[1, 0], [1, 0]], 'the others stay connected');
    assert.ok(!alice.inbox.slice(-10).some(([message]) => message === 'after the close'));
    server.assertWell();
    return outcome;
  }

  /** Whether a WebSocket is closed, or still does what the chat is for. */
  async function fate(ws) {
    ws.send(frame('42/chat,["msgToServer","still here"]'));
    const end = await ws.log.until(() => (ws.ended || ws.frames.some(({ opcode }) => opcode === OP.close) ? CLOSED : ws.frames.some(({ text }) => text?.includes('"still here"')) && LIVES), 'a fate');
    ws.destroy();
    return end;
  }

  const table = (title, rows, params, encode) =>
    describe(title, () => {
      for (const [name, messages, node, ours = node] of rows) {
        const wanted = [OURS ? ours : node].flat().at(params.EIO === 3 ? -1 : 0);
        it(`${name}: ${wanted}`, async () => {
          const outcome = await meanwhile(async () => {
            const ws = await chatSocket(server, params);
            messages.forEach((message) => ws.send(encode(message)));
            return fate(ws);
          });
          assert.equal(outcome, wanted);
        });
      }
    });

  const packet = (message) => (Buffer.isBuffer(message) ? frame(message, { opcode: OP.binary }) : frame(message));
  const packet3 = (message) => (Buffer.isBuffer(message) ? frame(Buffer.concat([bin(4), message]), { opcode: OP.binary }) : frame(message));
  table('packets on protocol 4', PACKETS, { EIO: 4 }, packet);
  table('packets on protocol 3', PACKETS, { EIO: 3 }, packet3);
  table('frames', FRAMES, { EIO: 4 }, (message) => (Buffer.isBuffer(message) ? message : frame(message)));

  describe('requests', () => {
    for (const [name, bytes, allowed] of REQUESTS) {
      it(name, async () => {
        const status = await meanwhile(async () => {
          const wire = await Wire.connect(server);
          wire.send(bytes);
          // A server that waits for more gets no more: the line is cut, and whatever was half asked is given up.
          if (!bytes.includes('\r\n\r\n')) wire.socket.end();
          const answer = await wire.status();
          wire.destroy();
          return answer;
        });
        assert.ok(allowed.includes(status), `answered ${status}`);
      });
    }

    it('requests that never end', async () => {
      await meanwhile(async () => {
        const polls = await PollingSession.open(server);
        const halves = [`GET ${handshake} HTTP/1.1\r\nHost:`, `POST ${polls.path()} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n40/ch`, `POST ${polls.path()} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n40`];
        for (const half of halves) (await Wire.connect(server)).send(half).socket.end();
      });
    });

    it('bodies where none belong', async () => {
      await meanwhile(async () => {
        const { status } = await request(server, { path: handshake, headers: { 'content-type': 'text/plain' }, body: '40/chat,' });
        assert.ok([200, 400].includes(status), `answered ${status}`);
        const ws = await RawWebSocket.ask(server, {}, { 'Content-Length': '5' }, 'hello');
        assert.ok([101, 400].includes(await ws.status()));
        ws.destroy();
        const refused = await RawWebSocket.ask(server, { sid: 'nobody' }, {}, frame('40/chat,'));
        assert.equal(await refused.status(), 400);
        refused.destroy();
      });
    });

    it('a crowd that connects and leaves at once', async () => {
      await meanwhile(async () => {
        const crowd = await Promise.all(Array.from({ length: 100 }, (_, i) => (i % 2 ? RawWebSocket.ask(server, {}, {}, frame('40/chat,')) : PollingSession.open(server))));
        crowd.forEach((one) => one.destroy?.());
      });
    });
  });
});
