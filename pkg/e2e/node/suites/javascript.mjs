// What the tests of the JavaScript client share: sockets that end with their test.
import { createRequire } from 'node:module';
import net from 'node:net';
import { next } from '../world/deadline.mjs';
import { stage } from './peer.mjs';

export const { io, Manager } = createRequire(import.meta.url)('client-4.8');
export const URL = stage().url;
/** Options that keep reconnecting quick. */
const QUICK = { reconnectionDelay: 10, reconnectionDelayMax: 50 };

/** A socket of its own manager, which is closed when the test ends; `url` is that of another server. */
export function join(t, namespace = '/', { url = URL, ...options } = {}) {
  const socket = io(url + namespace, { forceNew: true, ...QUICK, ...options });
  t.after(() => (socket.disconnect(), socket.io._close()));
  return socket;
}

/** The same, connected. */
export async function joined(t, namespace, options) {
  const socket = join(t, namespace, options);
  await next(socket, 'connect');
  return socket;
}

export function managed(t, options = {}, url = URL) {
  const manager = new Manager(url, { ...QUICK, ...options });
  t.after(() => {
    manager.reconnection(false);
    Object.values(manager.nsps).forEach((socket) => socket.disconnect());
    manager._close();
  });
  return manager;
}

/** Resolves with what the server acknowledges. */
export const ask = (socket, ...args) => new Promise((resolve) => socket.emit(...args, (...answer) => resolve(answer)));

/** Resolves with the first argument of the next `event`: with recovery an offset follows the last one. */
export const hear = (socket, event) => next(socket, event).then((args) => (Array.isArray(args) ? args[0] : args));

/** A round trip on another connection: by then what would have happened at once has happened. */
export async function aWhile(t) {
  const other = await joined(t);
  for (let i = 0; i < 5; i++) await ask(other, 'getId');
  other.disconnect();
}

/** The address of a port where nobody listens. */
export async function nowhere() {
  const server = net.createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

/** The address of a server that says nothing: even a time-out of nothing may be longer than a busy machine needs to connect. */
export async function silence(t) {
  const sockets = new Set();
  const server = net.createServer((socket) => sockets.add(socket.on('error', () => {})));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => (server.close(), sockets.forEach((socket) => socket.destroy())));
  return `http://127.0.0.1:${server.address().port}`;
}

/** Counts an event of an emitter. */
export function count(emitter, event) {
  const counter = { n: 0, first: undefined };
  emitter.on(event, (value) => {
    counter.first ??= value;
    counter.n++;
  });
  return counter;
}
