// The real processes of a test: chat servers (ours or a Node reference), redis-server.
//
// Which server is under test is the environment's choice:
//   CHAT_SERVER=/path/to/chat-server   ours (the default; the Go test builds and names it)
//   REFERENCE=nest|s2|s4               one of the Node servers of reference/, to check the tests themselves
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient } from 'redis';
import { eventually, Log, within } from './deadline.mjs';

/** 'ours', 'nest', 's2' or 's4'. */
export const UNDER_TEST = process.env.REFERENCE || 'ours';
export const OURS = UNDER_TEST === 'ours';

const HOST = '127.0.0.1';
const references = fileURLToPath(new URL('../reference/', import.meta.url));
const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/** A port nobody listens on, outside the range from which outgoing connections take theirs. */
export async function freePort() {
  for (;;) {
    const port = 12_000 + Math.floor(Math.random() * 18_000);
    const probe = net.createServer();
    const free = await new Promise((resolve) => {
      probe.once('error', () => resolve(false));
      probe.listen(port, HOST, () => resolve(true));
    });
    if (!free) continue;
    probe.close();
    await once(probe, 'close');
    return port;
  }
}

/** A child process whose output is kept line by line. */
export class Program {
  lines = new Log();
  ended = null;

  constructor(name, command, args, options = {}) {
    this.name = name;
    this.process = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    running.add(this.process);
    for (const stream of [this.process.stdout, this.process.stderr]) this.#keepLines(stream);
    this.exit = new Promise((resolve) => {
      this.process.once('error', (error) => resolve({ error }));
      this.process.once('close', (code, signal) => resolve({ code, signal }));
    }).then((end) => {
      running.delete(this.process);
      this.ended = end;
      this.lines.add(`(${name} ended: ${JSON.stringify(end)})`);
      return end;
    });
  }

  #keepLines(stream) {
    let rest = '';
    stream.setEncoding('utf8').on('data', (chunk) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop();
      lines.forEach((line) => this.lines.add(line));
    });
  }

  /** Resolves with the first line that matches, once there is one. */
  says(pattern, from = 0) {
    return this.lines.until((lines) => {
      const line = lines.slice(from).find((text) => pattern.test(text));
      if (line === undefined && this.ended) throw new Error(`${this.name} ended before it said ${pattern}:\n${this.tail()}`);
      return line;
    }, `${this.name} to say ${pattern}`);
  }

  tail(count = 30) {
    return this.lines.slice(-count).join('\n');
  }

  /** Fails when the process is gone or has printed something that looks like an accident. */
  assertWell() {
    if (this.ended) throw new Error(`${this.name} is gone (${JSON.stringify(this.ended)}):\n${this.tail()}`);
    const accident = this.lines.find((line) => /panic|fatal error|uncaught|unhandled|TypeError|RangeError|SyntaxError|DATA RACE|^\s+at .*\.js:\d+/i.test(line));
    if (accident) throw new Error(`${this.name} had an accident, "${accident}":\n${this.tail(60)}`);
  }

  async kill(signal = 'SIGKILL') {
    if (!this.ended) this.process.kill(signal);
    return within(this.exit, `${this.name} to end after ${signal}`);
  }
}

/** A chat server process: ours, or a reference with the same environment variables. */
export class ChatServer extends Program {
  static async start({ kind = UNDER_TEST, redis, env = {}, port } = {}) {
    for (let attempt = 1; ; attempt++) {
      const server = new ChatServer(kind, port ?? (await freePort()), redis, env);
      try {
        await server.says(/listen/i);
        return server;
      } catch (error) {
        await server.kill();
        // Somebody else may have taken the port since it was seen free.
        if (port || attempt === 3 || !/in use|EADDRINUSE/i.test(error.message)) throw error;
      }
    }
  }

  constructor(kind, port, redis, extra) {
    const { REDIS_HOST: _host, REDIS_PORT: _port, ...inherited } = process.env;
    const env = { ...inherited, ...(redis && { REDIS_HOST: redis.host, REDIS_PORT: String(redis.port) }), ...extra, NODE_PORT: String(port), HOST };
    if (kind === 'ours') {
      if (!process.env.CHAT_SERVER) throw new Error('CHAT_SERVER must name the chat-server binary (or set REFERENCE=nest, s2 or s4)');
      // Metrics have an address of their own; any free port will do. Nobody waits for a balancer.
      super(`chat-server:${port}`, process.env.CHAT_SERVER, [], { env: { METRICS_ADDR: '127.0.0.1:0', DRAIN_SECONDS: '0', ...env }, cwd: tmpdir() });
    } else {
      super(`${kind}:${port}`, process.execPath, [join(references, `${kind}.mjs`)], { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    }
    Object.assign(this, { kind, host: HOST, port, url: `http://${HOST}:${port}` });
  }

  /** Asks a Node reference one of the questions it answers (see `answer` in reference/gateway.mjs). */
  ask(question, ...args) {
    const id = Math.random();
    const reply = new Promise((resolve, reject) => {
      const hear = (message) => {
        if (message.id !== id) return;
        this.process.off('message', hear);
        message.error ? reject(new Error(`${this.name}, ${question}: ${message.error}`)) : resolve(message.value);
      };
      this.process.on('message', hear);
    });
    this.process.send({ id, question, args });
    return within(reply, `${this.name} to answer ${question}`);
  }

  /** The status of a GET, or 0 when nobody answers. */
  status(path) {
    return new Promise((resolve) => {
      http
        .get(this.url + path, { agent: false }, (res) => res.resume().on('end', () => resolve(res.statusCode)))
        .on('error', () => resolve(0));
    });
  }

  /** Waits until /readyz answers `status`. */
  readiness(status) {
    return eventually(async () => (await this.status('/readyz')) === status, `${this.name}/readyz to be ${status}:\n${this.tail()}`);
  }

  stop() {
    return this.kill('SIGTERM');
  }
}

/** A private redis-server without persistence. */
export class Redis extends Program {
  static async start(port) {
    const redis = new Redis(port ?? (await freePort()), mkdtempSync(join(tmpdir(), 'chat-e2e-redis-')));
    await redis.says(/ready to accept connections/i);
    return redis;
  }

  constructor(port, dir, options = []) {
    super(`redis:${port}`, process.env.REDIS_SERVER ?? 'redis-server', ['--port', port, '--bind', HOST, '--save', '', '--appendonly', 'no', '--dir', dir, ...options]);
    Object.assign(this, { host: HOST, port, dir });
    this.exit.then(() => rmSync(dir, { recursive: true, force: true }));
  }
}

/** A Redis Cluster of three masters. */
export class RedisCluster {
  static async start() {
    const cluster = new RedisCluster();
    cluster.buses = [await freePort(), await freePort(), await freePort()];
    cluster.servers = await Promise.all(
      cluster.buses.map(async (bus) => {
        const redis = new Redis(await freePort(), mkdtempSync(join(tmpdir(), 'chat-e2e-redis-')), ['--cluster-enabled', 'yes', '--cluster-port', bus]);
        await redis.says(/ready to accept connections/i);
        return redis;
      }),
    );
    const clients = await Promise.all(cluster.servers.map(({ port }) => createClient({ url: `redis://${HOST}:${port}` }).connect()));
    for (const [index, client] of clients.entries()) {
      const [from, to] = [index, index + 1].map((part) => Math.floor((part * 16384) / 3));
      await client.sendCommand(['CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1)]);
      await client.sendCommand(['CLUSTER', 'ADDSLOTSRANGE', String(from), String(to - 1)]);
      for (const [other, { port }] of cluster.servers.entries()) {
        if (other < index) await client.sendCommand(['CLUSTER', 'MEET', HOST, String(port), String(cluster.buses[other])]);
      }
    }
    const well = (info) => /cluster_state:ok/.test(info) && /cluster_slots_ok:16384/.test(info) && /cluster_known_nodes:3/.test(info);
    await eventually(async () => (await Promise.all(clients.map((client) => client.sendCommand(['CLUSTER', 'INFO'])))).every(well), 'the Redis Cluster to be well');
    await Promise.all(clients.map((client) => client.quit()));
    return cluster;
  }

  /** host:port of every server, separated by commas. */
  get addresses() {
    return this.servers.map(({ port }) => `${HOST}:${port}`).join(',');
  }

  kill() {
    return Promise.all(this.servers.map((server) => server.kill()));
  }
}
