// The servers under test: CHAT_SERVER is the path of the chat server's binary, or the word
// `reference` for a small Socket.IO server on Node, for work on the page without the binary.
import { createConnection } from 'node:net';
import { once } from 'node:events';
import { freePort, start } from './ports.mjs';
import { startReference } from './reference.mjs';

const binary = process.env.CHAT_SERVER;
if (!binary) {
  throw new Error('CHAT_SERVER is not set: give the path of the chat-server binary (go build -o bin/chat-server ./cmd/chat-server), or the word reference');
}

/** The suite runs against Node's Socket.IO server, not against ours. */
export const isReference = binary === 'reference';

/**
 * Starts one instance; on the given Redis it joins that cluster.
 * Returns { url, port, stop(), restart() }: restart comes back on the same port.
 */
export async function startInstance({ redis, port, env = {} } = {}) {
  port ??= await freePort();
  const url = `http://127.0.0.1:${port}`;
  if (isReference) {
    return { url, port, ...(await startReference(port, redis, {}, Number(env.RECOVERY_SECONDS ?? 0))) };
  }
  const boot = () =>
    start(binary, [], {
      env: {
        NODE_PORT: String(port),
        HOST: '127.0.0.1',
        METRICS_ADDR: '127.0.0.1:0',
        ...(redis ? { REDIS_HOST: '127.0.0.1', REDIS_PORT: String(redis.port) } : {}),
        ...env,
      },
      ready: async () => (await fetch(`${url}/readyz`)).ok,
    });
  let running = await boot();
  return {
    url,
    port,
    output: () => running.output(),
    stop: () => running.stop(),
    async restart() {
      running = await boot();
    },
  };
}

/** Starts a redis-server of this run's own that keeps nothing. Returns { port, stop() }. */
export async function startRedis() {
  const port = await freePort();
  if (isReference) {
    return { port, stop: async () => {} }; // reference instances of one "Redis" share memory
  }
  const ping = async () => {
    const socket = createConnection(port, '127.0.0.1');
    try {
      socket.write('PING\r\n');
      const [answer] = await once(socket, 'data');
      return String(answer).startsWith('+PONG');
    } finally {
      socket.destroy();
    }
  };
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--daemonize', 'no'];
  return { port, ...(await start(process.env.REDIS_SERVER ?? 'redis-server', args, { ready: ping })) };
}
