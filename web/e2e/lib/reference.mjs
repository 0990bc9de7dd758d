// The seed's gateway on Node's own Socket.IO server, for work on the page without ours.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { dist, serveFiles } from './files.mjs';
import { speakProtocol } from './protocol.mjs';

// Instances of one cluster hand messages to each other in memory, in place of Redis.
const clusters = new Map();

/**
 * Starts it on port; instances of one `redis` hear each other. `mood` may be changed at any
 * time: { deaf: true } relays nothing, { refusing: true } accepts nobody. With `mood.speaks`, options
 * of speakProtocol, it speaks the chat's own protocol, and `mood.talk` is what that gives. With `recovery` it
 * remembers for so many seconds those who lost their connection.
 */
export async function startReference(port, redis, mood = {}, recovery = 0) {
  const peers = clusters.get(redis?.port) ?? new Set();
  if (redis) {
    clusters.set(redis.port, peers);
  }
  const policy = /ContentSecurityPolicy = "(.*)" \+\s*"(.*)"/.exec(await readFile(new URL('../../web.go', import.meta.url), 'utf8'));
  let http, io;

  const listen = async () => {
    http = createServer(serveFiles(new URL('page/', dist), { 'content-security-policy': policy[1] + policy[2] }));
    io = new Server(http, { allowEIO3: true, cors: { origin: true, credentials: true }, serveClient: true, ...(recovery && { connectionStateRecovery: { maxDisconnectionDuration: recovery * 1000 } }) });
    const chat = io.of('/chat');
    const everybody = (payload) => [...new Set([chat, ...peers])].forEach((peer) => peer.emit('msgToClient', payload));
    peers.add(chat);
    chat.use((_socket, next) => next(mood.refusing ? new Error('not today') : undefined));
    chat.on('connection', (socket) => {
      everybody({ name: 'admin', text: 'join chat.' });
      if (mood.speaks) {
        return; // what is said goes through the protocol
      }
      socket.on('msgToServer', (...given) => {
        const args = given.filter((arg) => typeof arg !== 'function'); // an acknowledgement is asked for, and never given
        return mood.deaf || everybody(args.length > 1 ? args : (args[0] ?? null));
      });
    });
    if (mood.speaks) {
      mood.talk = speakProtocol(chat, mood.speaks, mood.talk);
    }
    http.listen(port, '127.0.0.1');
    await once(http, 'listening');
  };
  const stop = async () => {
    peers.delete(io.of('/chat'));
    // As a process that ends: the connections break, nobody is told goodbye.
    io.engine.close();
    http.closeAllConnections();
    http.close();
    await once(http, 'close');
    return 0;
  };

  await listen();
  const throwOut = () => io.of('/chat').disconnectSockets(true);
  return { stop, restart: listen, throwOut, output: () => '' };
}
