// WebSockets, frame by frame, compared with socket.io 4.8: conversations, the upgrade, closing codes.
import { compareAll, withoutIds } from '../suite/compare.mjs';
import { frame, OP, PollingSession, RawWebSocket } from '../world/wire.mjs';

/** Plays on a new WebSocket; resolves with all its frames until `play` is done. */
const socket = (params, play) => async (server) => {
  const ws = await RawWebSocket.open(server, params);
  await play(ws, server);
  ws.destroy();
  return ws.frames.map(({ opcode, text, data, code }) => (text !== undefined ? withoutIds(text) : code ?? [opcode, data.toString('base64')]));
};
/** Says each text once the answer to the one before has come. */
const dialogue = (params, ...turns) => socket(params, async (ws) => {
  await ws.want(/^0/);
  for (const [text, answer] of turns) {
    ws.say(text);
    await ws.want(answer);
  }
});
/** Sends bytes to an open chat; resolves with the code the server closes with. */
const closing = (...frames) => async (server) => {
  const ws = await RawWebSocket.open(server);
  await ws.want(/^0/);
  frames.forEach((bytes) => ws.send(bytes));
  return ws.closeCode();
};

compareAll('conversations by WebSocket', [
  ['joining the chat on protocol 4', dialogue({ EIO: 4 }, ['40/chat,', /join chat/])],
  ['joining the chat on protocol 3', dialogue({ EIO: 3 }, ['40/chat,', /join chat/])],
  ['joining with a query in the packet', dialogue({ EIO: 3 }, ['40/chat?username=x&y=z,', /join chat/])],
  ['joining with auth', dialogue({ EIO: 4 }, ['40/chat,{"token":"x"}', /join chat/])],
  ['a message', dialogue({ EIO: 4 }, ['40/chat,', /join chat/], ['42/chat,["msgToServer",{"name":"a","text":"안녕"}]', /안녕/])],
  ['a message with an acknowledgement asked for', dialogue({ EIO: 4 }, ['40/chat,', /join chat/], ['42/chat,7["msgToServer","x"]', /"x"/], ['42/chat,["msgToServer","y"]', /"y"/])],
  ['the root namespace on protocol 4', dialogue({ EIO: 4 }, ['40', /^40/], ['40/chat,', /join chat/])],
  ['an unknown namespace on protocol 4', dialogue({ EIO: 4 }, ['40/nope,', /^44/])],
  ['a ping of protocol 3', dialogue({ EIO: 3 }, ['2', /^3/], ['2x', /^3/])],
  ['a WebSocket ping', socket({ EIO: 4 }, async (ws) => {
    ws.send(frame('are you there?', { opcode: OP.ping }));
    ws.say('40/nope,');
    await ws.want(/^44/);
  })],
  ['binary', socket({ EIO: 4 }, async (ws) => {
    ws.say('40/chat,');
    await ws.want(/join chat/);
    ws.say('451-/chat,["msgToServer",{"_placeholder":true,"num":0}]');
    ws.send(frame(Buffer.from([1, 2, 3]), { opcode: OP.binary }));
    ws.say('42/chat,["msgToServer","after"]');
    await ws.want(/after/);
  })],
  ['binary on protocol 3', socket({ EIO: 3 }, async (ws) => {
    ws.say('40/chat,');
    await ws.want(/join chat/);
    ws.say('451-/chat,["msgToServer",{"_placeholder":true,"num":0}]');
    ws.send(frame(Buffer.from([4, 1, 2, 3]), { opcode: OP.binary }));
    ws.say('42/chat,["msgToServer","after"]');
    await ws.want(/after/);
  })],
  ['a message in fragments', socket({ EIO: 4 }, async (ws) => {
    ws.send(frame('40/', { fin: false })).send(frame('no', { opcode: OP.continuation, fin: false })).send(frame('', { opcode: OP.ping })).send(frame('pe,', { opcode: OP.continuation }));
    await ws.want(/^44/);
  })],
  ['frames that come with the handshake', async (server) => {
    const ws = await RawWebSocket.ask(server, {}, {}, Buffer.concat([frame('40/nope,'), frame('40/nope2,')]));
    await ws.until((received) => received.includes('/nope2'), 'both answers');
    ws.destroy();
    return ws.received.toString().match(/44\/nope2?,\{.*?\}/g);
  }],
]);

const upgrading = (params, play) => async (server) => {
  const polls = await PollingSession.open(server, params);
  const ws = await RawWebSocket.open(server, { ...params, sid: polls.sid });
  const seen = await play(ws, polls, server);
  ws.destroy();
  return seen;
};
compareAll('the upgrade', [
  ['from polling to WebSocket', upgrading({ EIO: 4 }, async (ws, polls) => {
    await polls.post('40/chat,');
    const before = withoutIds(await polls.until('join chat'));
    const poll = polls.get();
    ws.say('2probe');
    const probe = (await ws.next()).text;
    const released = (await poll).body;
    ws.say('5');
    ws.say('42/chat,["msgToServer","by WebSocket"]');
    return [before, probe, released, await ws.want(/by WebSocket/)];
  })],
  ['polling is over after it', upgrading({ EIO: 4 }, async (ws, polls) => {
    ws.say('2probe');
    await ws.next();
    ws.say('5');
    ws.say('40/nope,');
    await ws.want(/^44/);
    const { status, body } = await polls.get();
    return [status, body];
  })],
  ['a second WebSocket does not disturb the first', upgrading({ EIO: 4 }, async (ws, polls, server) => {
    ws.say('2probe');
    await ws.next();
    // Node accepts it and closes it at once, ours refuses it.
    const second = await RawWebSocket.ask(server, { sid: polls.sid });
    await second.until((received) => received.includes('\r\n\r\n'), 'an answer');
    second.destroy();
    ws.say('5');
    ws.say('40/nope,');
    return ws.want(/^44/);
  })],
  ['a probe that is none', upgrading({ EIO: 4 }, async (ws) => {
    ws.say('2sonde');
    return ws.closeCode();
  })],
  ['a probe given up leaves the polling session alone', upgrading({ EIO: 4 }, async (ws, polls) => {
    ws.say('2probe');
    await ws.next();
    ws.destroy();
    await polls.post('40/nope,');
    return polls.until('44/nope');
  })],
]);

compareAll('closing codes', [
  ['a close is answered with its code', closing(frame(Buffer.from([0x03, 0xe8]), { opcode: OP.close }))],
  ['a close without a code', closing(frame('', { opcode: OP.close }))],
  ['a frame without a mask', closing(frame('40/chat,', { mask: false }))],
  ['a reserved bit', closing(frame('40/chat,', { rsv: 4 }))],
  ['a reserved opcode', closing(frame('x', { opcode: 3 }))],
  ['a continuation of nothing', closing(frame('x', { opcode: OP.continuation }))],
  ['a text within a text', closing(frame('4', { fin: false }), frame('4'))],
  ['a ping in fragments', closing(frame('x', { opcode: OP.ping, fin: false }))],
  ['a ping that is too long', closing(frame('x'.repeat(126), { opcode: OP.ping }))],
  ['text that is not UTF-8', closing(frame(Buffer.from([0x34, 0xff, 0xfe])))],
  ['text that ends within a character', closing(frame(Buffer.from([0x34, 0xed, 0x95])))],
  ['an encoded surrogate', closing(frame(Buffer.from([0x34, 0xed, 0xa0, 0x80])))],
  ['a close with half a code', closing(frame(Buffer.from([3]), { opcode: OP.close }))],
  ['a close with a code that may not be sent', closing(frame(Buffer.from([0x03, 0xed]), { opcode: OP.close }))],
  ['a close whose reason is not UTF-8', closing(frame(Buffer.from([0x03, 0xe8, 0xff]), { opcode: OP.close }))],
  ['a message over the limit', closing(frame('4'.repeat(1_000_001)))],
  ['a length over the limit, nothing more', closing(frame('', { length: 2 ** 40 }))],
  ['fragments over the limit', closing(frame('4'.repeat(600_000), { fin: false }), frame('4'.repeat(600_000), { opcode: OP.continuation }))],
]);
