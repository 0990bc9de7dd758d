// socket.io 4.8 with the seed's chat and the adapter that REDIS_ADAPTER names: of @socket.io/redis-adapter 8 (pubsub, sharded) or
// @socket.io/redis-streams-adapter (streams). It serves EIO3 clients too.
import { createServer } from 'node:http';
import { createAdapter, createShardedAdapter } from '@socket.io/redis-adapter';
import { createAdapter as createStreamsAdapter } from '@socket.io/redis-streams-adapter';
import { createClient, createCluster } from 'redis';
import msgpackParser from 'socket.io-msgpack-parser';
import { Server } from 'socket.io-4';
import { announce, answer, heartbeat, serveChat, settings } from './gateway.mjs';

const at = settings();
const web = createServer();
const io = new Server(web, { ...heartbeat(), allowEIO3: true, ...(process.env.PARSER === 'msgpack' && { parser: msgpackParser }), cors: process.env.CORS ? { origin: process.env.CORS } : undefined });
// REDIS_CLUSTER lists nodes of a Redis Cluster, host:port each.
const nodes = process.env.REDIS_CLUSTER?.split(',').map((node) => ({ url: `redis://${node}` }));
if (nodes || at.redis) {
  const connect = () => (nodes ? createCluster({ rootNodes: nodes }) : createClient({ url: at.redis }));
  const [pub, sub] = [connect(), connect()];
  for (const client of [pub, sub]) client.on('error', (error) => console.error('redis:', error.code));
  await Promise.all([pub.connect(), sub.connect()]);
  const adapters = { pubsub: () => createAdapter(pub, sub), sharded: () => createShardedAdapter(pub, sub), streams: () => createStreamsAdapter(pub) };
  io.adapter(adapters[process.env.REDIS_ADAPTER || 'pubsub']());
}
const chat = serveChat(io);
const heard = [];
chat.on('greeting', (...args) => {
  const reply = typeof args.at(-1) === 'function' && args.pop();
  heard.push(args);
  if (reply) reply('from socket.io 4.8');
});

const seen = ({ id, rooms, handshake, data }) => ({ id, rooms: [...rooms], query: handshake.query, data });
answer({
  fetchSockets: async (room) => (await (room ? chat.in(room) : chat).fetchSockets()).map(seen),
  socketsJoin: (selected, room) => void chat.in(selected).socketsJoin(room),
  socketsLeave: (selected, room) => void chat.in(selected).socketsLeave(room),
  disconnectSockets: (selected, close) => void chat.in(selected).disconnectSockets(close),
  emitTo: (room, event, ...args) => void chat.to(room).emit(event, ...args),
  emitExcept: (room, event, ...args) => void chat.except(room).emit(event, ...args),
  emitWithAck: (room, event, ...args) => chat.to(room).timeout(2000).emitWithAck(event, ...args),
  serverSideEmit: (event, ...args) => void chat.serverSideEmit(event, ...args),
  serverCount: () => chat.adapter.serverCount(),
  allRooms: async () => [...(await chat.adapter.allRooms())],
  heard: () => heard,
});
web.listen(at.port, at.host, () => announce('socket.io 4.8', at));
