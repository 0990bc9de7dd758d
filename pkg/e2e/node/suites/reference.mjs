// The suites' servers on Node, to check the tests themselves: node suites/reference.mjs in one shell, and with what it prints in the
// environment node --test suites/ in another.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { Server } from 'socket.io-4';
import { PING_INTERVAL, PING_TIMEOUT } from './peer.mjs';

const { Server: Engine } = createRequire(createRequire(import.meta.url).resolve('socket.io-4'))('engine.io');
const options = { maxPayload: 1e6, maxHttpBufferSize: 1e6, allowEIO3: true };
const heartbeat = { ...options, pingInterval: PING_INTERVAL, pingTimeout: PING_TIMEOUT };

function listen(name, attach) {
  const web = createServer();
  attach(web);
  web.listen(0, '127.0.0.1', () => console.log(`export ${name}=127.0.0.1:${web.address().port}`));
}

for (const [name, opts] of Object.entries({ SUITE_ECHO: options, SUITE_BEATS: heartbeat })) {
  listen(name, (web) => {
    const engine = new Engine(opts);
    engine.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
    web.on('request', (req, res) => engine.handleRequest(req, res));
    web.on('upgrade', (req, socket, head) => engine.handleUpgrade(req, socket, head));
  });
}

listen('SUITE_PROTOCOL', (web) => {
  const io = new Server(web, { ...heartbeat, connectTimeout: 1000 });
  for (const name of ['/', '/custom']) {
    io.of(name).on('connection', (socket) => {
      socket.emit('auth', socket.handshake.auth);
      socket.on('message', (...args) => socket.emit('message-back', ...args));
      socket.on('message-with-ack', (...args) => args.pop()(...args));
    });
  }
});

const handshakeOf = ({ handshake: { query, auth, headers } }) => ({ query, auth, headers });
const texts = ['てすと', 'Я Б Г Д Ж Й', 'Ä ä Ü ü ß', 'utf8 — string', 'utf8 — string'];

listen('SUITE_STAGE', (web) => {
  const io = new Server(web, { pingInterval: 2000, allowEIO3: true, connectionStateRecovery: {} });
  io.use((socket, next) => next('fail' in socket.handshake.query ? new Error('Auth failed (main namespace)') : undefined));
  io.of('/no').use((socket, next) => next(new Error('Auth failed (custom namespace)')));
  io.of('/abc').on('connection', (socket) => socket.emit('handshake', handshakeOf(socket)));
  for (const name of ['/asd', '/valid', '/timeout_socket']) io.of(name);
  for (const name of ['/', '/foo']) io.of(name).on('connection', (socket) => socket.on('getId', (ack) => ack(socket.id)));
  io.on('connection', (socket) => {
    socket.on('getHandshake', (ack) => ack(handshakeOf(socket)));
    socket.on('hi', () => socket.emit('hi'));
    socket.on('echo', (value, ack) => ack(value));
    socket.on('ack', () => socket.emit('ack', (a, b) => a === 5 && b.test && socket.emit('got it')));
    socket.on('getAckDate', (value, ack) => ack(new Date()));
    socket.on('getDate', () => socket.emit('takeDate', new Date()));
    socket.on('getDateObj', () => socket.emit('takeDateObj', { date: new Date() }));
    socket.on('getUtf8', () => texts.forEach((text) => socket.emit('takeUtf8', text)));
    socket.on('false', () => socket.emit('false', false));
    socket.on('doge', () => socket.emit('doge', Buffer.from('asdfasdf')));
    socket.on('getbin', () => socket.emit('takebin', Buffer.from('asdfasdf')));
    socket.on('buffa', (value) => Buffer.isBuffer(value) && socket.emit('buffack'));
    socket.on('jsonbuff', ({ hello, message, goodbye }) => hello === 'lol' && Buffer.isBuffer(message) && goodbye === 'gotcha' && socket.emit('jsonbuff-ack'));
    const order = [];
    for (const name of ['abuff1', 'abuff2', 'blob1', 'blob2', 'blob3']) {
      socket.on(name, () => {
        order.push(name);
        if (name === 'abuff2' && order[0] === 'abuff1') socket.emit('abuff2-ack');
        if (name === 'blob3' && order.join() === 'blob1,blob2,blob3') socket.emit('blob3-ack');
      });
    }
  });
});
