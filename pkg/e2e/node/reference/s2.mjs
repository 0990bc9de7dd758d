// socket.io 2.4.1 with socket.io-redis 5.4.0, the pair the seed runs on, with its chat.
import { createServer } from 'node:http';
import socketio from 'socket.io-2';
import redisAdapter from 'socket.io-redis';
import { announce, answer, heartbeat, serveChat, settings } from './gateway.mjs';

const at = settings();
const web = createServer();
const io = socketio(web, heartbeat());
if (at.redis) io.adapter(redisAdapter(at.redis));
const chat = serveChat(io);

answer({
  emitTo: (room, event, payload) => void chat.to(room).emit(event, payload),
  joinAll: (room) => Promise.all(Object.values(chat.connected).map((client) => new Promise((done) => client.join(room, done)))),
  // The 2.x way to ask the cluster, over the request channel.
  clients: () => new Promise((done, fail) => chat.adapter.clients([], (error, ids) => (error ? fail(error) : done(ids)))),
  remoteJoin: (id, room) => new Promise((done, fail) => chat.adapter.remoteJoin(id, room, (error) => (error ? fail(error) : done()))),
  remoteLeave: (id, room) => new Promise((done, fail) => chat.adapter.remoteLeave(id, room, (error) => (error ? fail(error) : done()))),
  remoteDisconnect: (id) => new Promise((done, fail) => chat.adapter.remoteDisconnect(id, false, (error) => (error ? fail(error) : done()))),
});
web.listen(at.port, at.host, () => announce('socket.io 2.4.1', at));
