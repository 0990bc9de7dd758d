// Requests without a session, or with a wrong one: handshakes, error bodies, methods, CORS.
import { ask, compareAll, essence } from '../suite/compare.mjs';
import { PollingSession, query, RawWebSocket, request, Wire } from '../world/wire.mjs';

const polling = (params) => query({ transport: 'polling', ...params });
const get = (params, headers) => ask({ path: polling(params), headers });

/** Browsers with old clients send credentials along and then accept no *; the seed's engine gives them what they need. */
const credentials = (seen) => ({ ...seen, 'access-control-allow-origin': 'https://example.com', 'access-control-allow-credentials': 'true' });

/** Scripts are sent as scripts, as the seed's engine does; socket.io 4 calls them plain text. */
const script = (seen) => ({ ...seen, 'content-type': 'text/javascript;charset=utf-8' });

compareAll('handshakes', [
  ['protocol 4', get({ EIO: 4 })],
  ['protocol 3', get({ EIO: 3 })],
  ['protocol 3 for a client without binary', get({ EIO: 3, b64: 1 })],
  ['no protocol is protocol 3', get({})],
  ['an unknown protocol is protocol 3', get({ EIO: 5 })],
  ['protocol 2', get({ EIO: 2, b64: 1 })],
  ['a strange protocol', get({ EIO: '__proto__' })],
  ['JSONP on protocol 3', get({ EIO: 3, j: 0 }), script],
  ['JSONP on protocol 4', get({ EIO: 4, j: 12 }), script],
  ['JSONP with a nasty index', get({ EIO: 3, j: '1;alert(2)//' }), script],
  ['JSONP with an index without digits', get({ EIO: 3, j: 'x' }), script],
  ['a username', get({ EIO: 4, username: '홍길동&<>' })],
  ['a cache buster', get({ EIO: 4, t: 'PABC123' })],
  ['an empty sid is none', get({ EIO: 4, sid: '' })],
  ['an Origin', get({ EIO: 4 }, { origin: 'https://example.com' })],
  ['the Origin null', get({ EIO: 4 }, { origin: 'null' })],
  ['an Origin on protocol 3', get({ EIO: 3 }, { origin: 'https://example.com' }), credentials],
]);

compareAll('refusals', [
  ['no transport', ask({ path: query({ EIO: 4 }) })],
  ['an unknown transport', ask({ path: query({ EIO: 4, transport: 'carrier-pigeon' }) })],
  ['__proto__ as transport', ask({ path: query({ EIO: 4, transport: '__proto__' }) })],
  ['constructor as transport', ask({ path: query({ EIO: 4, transport: 'constructor' }) })],
  ['webtransport', ask({ path: query({ EIO: 4, transport: 'webtransport' }) })],
  ['websocket without an upgrade', ask({ path: query({ EIO: 4, transport: 'websocket' }) })],
  ['an unknown sid', get({ EIO: 4, sid: 'nobody' })],
  ['an unknown sid on protocol 3', get({ EIO: 3, sid: 'nobody' })],
  ['__proto__ as sid', get({ EIO: 4, sid: '__proto__' })],
  ['hasOwnProperty as sid', get({ EIO: 4, sid: 'hasOwnProperty' })],
  ['a very long sid', get({ EIO: 4, sid: 'x'.repeat(5000) })],
  ['an unknown sid on POST', ask({ method: 'POST', path: polling({ EIO: 4, sid: 'nobody' }), body: '40' })],
  ['POST without a sid', ask({ method: 'POST', path: polling({ EIO: 4 }), body: '40' })],
  ['PUT without a sid', ask({ method: 'PUT', path: polling({ EIO: 4 }), body: '40' })],
  ['DELETE without a sid', ask({ method: 'DELETE', path: polling({ EIO: 4 }) })],
  ['PATCH without a sid', ask({ method: 'PATCH', path: polling({ EIO: 4 }) })],
  ['HEAD without a sid', ask({ method: 'HEAD', path: polling({ EIO: 4 }) })],
  ['the transport before everything else', ask({ method: 'POST', path: query({ EIO: 4, transport: 'x', sid: 'y' }), body: '40' })],
  ['an Origin with a header character that is none', async (server) => {
    const wire = await Wire.connect(server);
    wire.send(`GET ${polling({ EIO: 4 })} HTTP/1.1\r\nHost: x\r\nOrigin: a\x07b\r\nConnection: close\r\n\r\n`);
    return wire.status();
  }],
  ['JSONP with an unknown sid', get({ EIO: 3, j: 0, sid: 'nobody' })],
]);

const withSession = (params, play) => async (server) => play(await PollingSession.open(server, params), server);

compareAll('requests that do not fit their session', [
  ['another protocol', withSession({ EIO: 4 }, async (session) => essence(await session.get({ EIO: 3 })))],
  ['protocol 4 on a session of protocol 3', withSession({ EIO: 3 }, async (session) => essence(await session.get({ EIO: 4 })))],
  ['no protocol on a session of protocol 4', withSession({ EIO: 4 }, async (session, server) => essence(await request(server, { path: query({ transport: 'polling', sid: session.sid }) })))],
  ['no protocol on a session of protocol 3', withSession({ EIO: 3 }, async (session, server) => {
    const { status } = await request(server, { path: query({ transport: 'polling', sid: session.sid }) });
    return status;
  })],
  ['websocket without an upgrade', withSession({ EIO: 4 }, async (session) => essence(await session.get({ transport: 'websocket' })))],
  ['PUT', withSession({ EIO: 4 }, async (session, server) => essence(await request(server, { method: 'PUT', path: session.path(), body: '40' })))],
  ['DELETE', withSession({ EIO: 4 }, async (session, server) => essence(await request(server, { method: 'DELETE', path: session.path() })))],
  ['HEAD', withSession({ EIO: 4 }, async (session, server) => essence(await request(server, { method: 'HEAD', path: session.path() })))],
]);

const preflight = { origin: 'https://example.com', 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' };
const optionsOf = (params) => withSession(params, async (session, server) => essence(await request(server, { method: 'OPTIONS', path: session.path(), headers: preflight })));
/** Only the methods there are. */
const methods = (seen) => ({ ...seen, 'access-control-allow-methods': 'get,post' });
compareAll('preflights', [
  ['of a POST', optionsOf({ EIO: 4 }), methods],
  ['of a POST on protocol 3', optionsOf({ EIO: 3 }), (seen) => credentials(methods(seen))],
]);

/** The answer to a WebSocket handshake: status and body of a refusal, headers of an acceptance. */
const status = (seen) => seen.status;
const upgrade = (params, headers, view = (seen) => seen) => async (server) => {
  const ws = await RawWebSocket.ask(server, params, headers);
  const code = await ws.status();
  if (code === 101) {
    const head = ws.received.toString('latin1').split('\r\n\r\n')[0].toLowerCase();
    ws.destroy();
    return view({ status: code, upgrade: /upgrade: websocket/.test(head), accepted: head.includes(ws.acceptKey.toLowerCase()), extensions: /sec-websocket-extensions: .*/.exec(head)?.[0] });
  }
  await ws.closed();
  return view({ status: code, body: ws.received.toString().split('\r\n\r\n')[1] });
};
compareAll('WebSocket handshakes', [
  ['protocol 4', upgrade({})],
  ['protocol 3', upgrade({ EIO: 3 })],
  ['any Origin', upgrade({}, { Origin: 'https://example.com' })],
  ['an offer of compression, which is off by default', upgrade({}, { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' })],
  ['a lower-case upgrade', upgrade({}, { Connection: 'keep-alive, upgrade', Upgrade: 'WebSocket' })],
  ['an unknown sid', upgrade({ sid: 'nobody' })],
  ['__proto__ as sid', upgrade({ sid: '__proto__' })],
  ['an unknown transport', upgrade({ transport: 'x' })],
  // Node accepts it and closes it at once.
  ['the transport polling', upgrade({ transport: 'polling' }, {}, status), () => 400],
  ['no key', upgrade({}, { 'Sec-WebSocket-Key': undefined }, status)],
  ['a key that is none', upgrade({}, { 'Sec-WebSocket-Key': 'short' }, status)],
  ['an old version', upgrade({}, { 'Sec-WebSocket-Version': '7' }, status), () => 426], // RFC 6455, 4.4
  ['no version', upgrade({}, { 'Sec-WebSocket-Version': undefined }, status)],
]);
