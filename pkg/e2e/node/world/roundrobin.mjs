// A balancer without stickiness. Each request goes to the next server, whatever session it is for.
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';

/** Strict: no two requests in a row meet the same server, the upgrade included. */
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
