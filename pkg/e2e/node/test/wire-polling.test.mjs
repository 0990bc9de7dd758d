// Sessions on polling, request by request, compared with socket.io 4.8.
import { compareAll, essence, withoutIds } from '../suite/compare.mjs';
import { PollingSession, request, Wire } from '../world/wire.mjs';

const OCTETS = { 'content-type': 'application/octet-stream' };
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

/** Opens a session, plays, and resolves with what `play` resolves with. */
const session = (params, play) => async (server) => play(await PollingSession.open(server, params), server);
/** The answer to one POST, and the one to the GET that follows it. */
const post = (params, body, headers) => session(params, async (polls) => [essence(await polls.post(body, headers)), essence(await polls.get())]);
/** Only the answer to a POST, and whether the session lives on. */
const fate = (params, body, headers) => session(params, async (polls) => {
  const answer = essence(await polls.post(body, headers));
  const { status } = await polls.post(params.EIO === 4 ? '3' : '1:2');
  return [answer, status];
});
/** Joins the chat, then posts and polls until `text` comes. */
const talk = (params, body, text, headers) => session(params, async (polls) => {
  const connect = polls.params.EIO === 4 ? '40/chat,' : '8:40/chat,';
  const opening = [essence(await polls.post(connect)), withoutIds(await polls.until('join chat.'))];
  return [...opening, essence(await polls.post(body, headers)), await polls.until(text)];
});

compareAll('conversations on polling', [
  ['joining the chat on protocol 4', session({ EIO: 4 }, async (polls) => [essence(await polls.post('40/chat,')), withoutIds(await polls.until('join chat.'))])],
  ['joining the chat on protocol 3', session({ EIO: 3 }, async (polls) => [withoutIds(await polls.until('40')), essence(await polls.post('8:40/chat,')), (await polls.until('join chat.')).length > 0])],
  ['a message', talk({ EIO: 4 }, '42/chat,["msgToServer",{"name":"a","text":"안녕"}]', '안녕')],
  ['two messages in one POST', talk({ EIO: 4 }, '42/chat,["msgToServer","one"]\x1e42/chat,["msgToServer","two"]', 'two')],
  ['lengths of protocol 3 count UTF-16 units', talk({ EIO: 3, b64: 1 }, '31:42/chat,["msgToServer","안녕 👍"]', 'msgToClient')],
  ['an unknown namespace on protocol 4', post({ EIO: 4 }, '40/nope,')],
  ['a ping of protocol 3', session({ EIO: 3 }, async (polls) => [withoutIds(await polls.until('40')), essence(await polls.post('1:2')), essence(await polls.get())])],
  ['a ping with data of protocol 3', session({ EIO: 3 }, async (polls) => [withoutIds(await polls.until('40')), essence(await polls.post('6:2probe')), essence(await polls.get())])],
  ['binary as base64 on protocol 4', talk({ EIO: 4 }, '451-/chat,["msgToServer",{"_placeholder":true,"num":0}]\x1ebAAECAw==', 'bAAECAw==')],
  ['a binary payload of protocol 3', talk({ EIO: 3 }, Buffer.concat([Buffer.from([0, 2, 7, 255]), Buffer.from('42/chat,["msgToServer","x"]')]), 'msgToClient', OCTETS)],
  ['the close packet', post({ EIO: 4 }, '1')],
  ['a close packet of protocol 3', session({ EIO: 3 }, async (polls) => [essence(await polls.post('1:1')), essence(await polls.get())])],
  ['a pong', fate({ EIO: 4 }, '3')],
]);

compareAll('JSONP', [
  ['a POST of a form', session({ EIO: 3, j: 0 }, async (polls) => [essence(await polls.post(`d=${encodeURIComponent('8:40/chat,')}`, FORM)), withoutIds(await polls.until('join chat.')).length > 0])],
  ['escaped line ends', session({ EIO: 3, j: 0 }, async (polls) => {
    await polls.post(`d=${encodeURIComponent('8:40/chat,')}`, FORM);
    await polls.until('join chat.');
    const packet = '42/chat,["msgToServer","a\\\\nb"]';
    const answer = essence(await polls.post(`d=${encodeURIComponent(`${packet.length - 1}:${packet}`)}`, FORM));
    return [answer.status, answer.body, (await polls.until('msgToClient')).replace(/^.*?\(/, '')];
  })],
  ['U+2028 in an answer', session({ EIO: 4, j: 3 }, async (polls) => {
    await polls.post(`d=${encodeURIComponent('40/chat,')}`, FORM);
    await polls.until('join chat.');
    await polls.post(`d=${encodeURIComponent('42/chat,["msgToServer","a\u2028b\u2029c</script>"]')}`, FORM);
    return polls.until('c<');
  })],
  ['a form without d', fate({ EIO: 3, j: 0 }, 'x=1', FORM)],
]);

compareAll('POSTs that no client sends', [
  ['nothing', fate({ EIO: 4 }, '')],
  ['garbage', fate({ EIO: 4 }, 'garbage')],
  ['an unknown packet type', fate({ EIO: 4 }, '9')],
  ['a separator alone', fate({ EIO: 4 }, '\x1e')],
  ['base64 that is none', fate({ EIO: 4 }, 'b***')],
  ['an open packet', fate({ EIO: 4 }, '0{"sid":"x"}')],
  ['a ping, which only servers send', fate({ EIO: 4 }, '2')],
  ['an upgrade packet', fate({ EIO: 4 }, '5')],
  ['a noop', fate({ EIO: 4 }, '6')],
  ['octets on protocol 4', fate({ EIO: 4 }, Buffer.from([0, 1, 255, 52]), OCTETS)],
  ['a payload of protocol 3 on protocol 4', fate({ EIO: 4 }, '2:40')],
  ['a payload of protocol 4 on protocol 3', fate({ EIO: 3 }, '40/chat,')],
  ['a length beyond the end', fate({ EIO: 3 }, '99:40')],
  ['a length of zero', fate({ EIO: 3 }, '0:')],
  ['a negative length', fate({ EIO: 3 }, '-1:4')],
  ['a length that is no number', fate({ EIO: 3 }, '1x:4')],
  ['a huge length', fate({ EIO: 3 }, '99999999999999999999:4')],
  ['octets with a broken length', fate({ EIO: 3 }, Buffer.from([0, 200, 255, 52]), OCTETS)],
  ['octets without an end', fate({ EIO: 3 }, Buffer.from([0, 1, 2, 3]), OCTETS)],
  ['no content type', fate({ EIO: 4 }, '3', {})],
  ['JSON as content type', fate({ EIO: 4 }, '3', { 'content-type': 'application/json' })],
]);

/** A POST of which only the beginning is sent. */
function halfPost(polls, server, body = '4') {
  return Wire.connect(server).then((wire) => wire.send(`POST ${polls.path()} HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\n${body}`));
}

compareAll('requests that overlap', [
  ['two polls', session({ EIO: 4 }, async (polls) => {
    const first = polls.get();
    // The first one has arrived once a POST on the same session, sent later, is answered.
    await polls.post('3');
    const second = essence(await polls.get());
    return [(await first).status, second, (await polls.get()).status];
  })],
  ['two POSTs', session({ EIO: 4 }, async (polls, server) => {
    const half = await halfPost(polls, server);
    // Nothing tells when half a request has arrived: the second is repeated until it is refused.
    for (;;) {
      const { status } = await polls.post('3');
      if (status === 200) continue;
      half.destroy();
      return status;
    }
  })],
]);

const LIMIT = 1_000_000;
compareAll('the limit', [
  ['a POST of just the limit', session({ EIO: 4 }, async (polls) => essence(await polls.post(`42["x","${'y'.repeat(LIMIT - 9)}"]`)))],
  ['a POST over the limit', session({ EIO: 4 }, async (polls) => essence(await polls.post('4'.repeat(LIMIT + 1))))],
  ['a chunked POST over the limit', session({ EIO: 4 }, async (polls, server) => {
    const { status } = await request(server, { method: 'POST', path: polls.path(), headers: { 'transfer-encoding': 'chunked', 'content-type': 'text/plain' }, body: '4'.repeat(2 * LIMIT) });
    return status;
  })],
]);
