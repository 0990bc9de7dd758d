// Balancers without stickiness. Each request goes to the next server, whatever session it is for.
import http from 'node:http';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './deadline.mjs';
import { freePort, Program } from './processes.mjs';

/** One of our own, strict: no two requests in a row meet the same server, the upgrade included. */
export class RoundRobin {
  #turn = 0;
  #sockets = new Set();

  static async before(servers) {
    const balancer = new RoundRobin(servers);
    balancer.listener.listen(0, '127.0.0.1');
    await once(balancer.listener, 'listening');
    return Object.assign(balancer, { host: '127.0.0.1', port: balancer.listener.address().port, url: `http://127.0.0.1:${balancer.listener.address().port}` });
  }

  constructor(servers) {
    this.servers = servers;
    this.agent = new http.Agent({ keepAlive: true });
    this.listener = http.createServer((req, res) => this.#request(req, res));
    this.listener.on('connection', (socket) => this.#keep(socket));
    this.listener.on('upgrade', (req, socket, head) => this.#upgrade(req, socket, head));
  }

  #keep(socket) {
    this.#sockets.add(socket);
    socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket));
  }

  /** The next server that is there. */
  #next() {
    for (;;) {
      const server = this.servers[this.#turn++ % this.servers.length];
      if (!server.ended) return server;
    }
  }

  #request(req, res) {
    const { host, port } = this.#next();
    const headers = rawHeaders(req);
    const far = http.request({ host, port, method: req.method, path: req.url, headers, agent: this.agent }, (answer) => {
      res.writeHead(answer.statusCode, answer.rawHeaders);
      answer.pipe(res);
      answer.on('error', () => res.destroy());
    });
    far.on('error', () => (res.headersSent ? res.destroy() : res.writeHead(502).end()));
    res.on('close', () => res.writableFinished || far.destroy());
    req.pipe(far);
  }

  #upgrade(req, near, head) {
    const { host, port } = this.#next();
    const far = net.connect(port, host, () => {
      const lines = [];
      for (let i = 0; i < req.rawHeaders.length; i += 2) lines.push(`${req.rawHeaders[i]}: ${req.rawHeaders[i + 1]}\r\n`);
      far.write(`${req.method} ${req.url} HTTP/1.1\r\n${lines.join('')}\r\n`);
      far.write(head);
      near.pipe(far);
      far.pipe(near);
    });
    this.#keep(far);
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
  }

  close() {
    this.listener.close();
    this.#sockets.forEach((socket) => socket.destroy());
    this.agent.destroy();
  }
}

function rawHeaders(req) {
  const headers = {};
  for (let i = 0; i < req.rawHeaders.length; i += 2) headers[req.rawHeaders[i]] = req.rawHeaders[i + 1];
  return headers;
}

/**
 * HAProxy as people run it. `affinity`: by a cookie of its own (true), or by the session's own cookie of that name, before whose
 * value it puts the server's name.
 */
export class HAProxy extends Program {
  static async before(servers, { affinity = false } = {}) {
    const dir = mkdtempSync(join(tmpdir(), 'chat-e2e-haproxy-'));
    const port = await freePort();
    const file = join(dir, 'haproxy.cfg');
    writeFileSync(file, configuration(port, servers, affinity));
    const proxy = new HAProxy(port, file, dir);
    await eventually(() => listens(port), `HAProxy to listen:\n${proxy.tail()}`);
    return proxy;
  }

  constructor(port, file, dir) {
    super(`haproxy:${port}`, process.env.HAPROXY ?? 'haproxy', ['-db', '-f', file]);
    Object.assign(this, { host: '127.0.0.1', port, url: `http://127.0.0.1:${port}` });
    this.exit.then(() => rmSync(dir, { recursive: true, force: true }));
  }
}

/** timeout check: a busy machine may be slow to answer a check; a server that drains says so, and one that ended refuses. */
function configuration(port, servers, affinity) {
  return `
defaults
    mode http
    option redispatch
    retries 3
    retry-on conn-failure
    http-reuse always
    timeout connect 2s
    timeout client 60s
    timeout server 60s
    timeout tunnel 1h
    timeout check 10s
frontend public
    bind 127.0.0.1:${port}
    default_backend chat
backend chat
    balance roundrobin
    ${sticky(affinity)}
${servers.map((server, i) => `    server s${i} 127.0.0.1:${server.port} check inter 200ms fall 1 rise 1 cookie s${i}`).join('\n')}
`;
}

/** A Node server has no health check of its own: that it listens must do. */
function sticky(affinity) {
  if (typeof affinity === 'string') return `cookie ${affinity} prefix indirect nocache`;
  return `option httpchk GET /readyz${affinity ? '\n    cookie CHAT insert indirect nocache httponly' : ''}`;
}

export function listens(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => resolve(true) ?? socket.destroy());
    socket.on('error', () => resolve(false));
  });
}
