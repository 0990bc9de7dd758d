// A small load balancer: it sends a session's requests to the server that has the session, and everybody else to the
// first server that is ready. A real one asks /readyz every few seconds; this one asks all the time.
import { once } from 'node:events';
import net from 'node:net';

const CHECK_MS = 50;

export class Balancer {
  #homes = new Map(); // session id → server
  #sockets = new Set();

  static async before(servers) {
    const balancer = new Balancer(servers);
    balancer.listener.listen(0, '127.0.0.1');
    await once(balancer.listener, 'listening');
    balancer.port = balancer.listener.address().port;
    balancer.url = `http://127.0.0.1:${balancer.port}`;
    return balancer;
  }

  constructor(servers) {
    this.servers = servers;
    this.ready = servers[0];
    this.listener = net.createServer((near) => {
      this.#keep(near);
      near.once('data', (first) => this.#connect(near, first));
    });
    this.timer = setInterval(() => this.#check(), CHECK_MS);
  }

  async #check() {
    for (const server of this.servers) {
      if ((await server.status('/readyz')) === 200) {
        this.ready = server;
        return;
      }
    }
  }

  #keep(socket) {
    this.#sockets.add(socket);
    socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket));
  }

  #connect(near, first) {
    near.pause();
    const sid = /[?&]sid=([\w-]+)/.exec(first)?.[1];
    const server = this.#homes.get(sid) ?? this.ready;
    const far = net.connect(server.port, server.host);
    this.#keep(far);
    far.once('data', (answer) => {
      const opened = /"sid":"([\w-]+)"/.exec(answer)?.[1];
      if (opened) this.#homes.set(opened, server);
    });
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
    far.write(first);
    near.pipe(far);
    far.pipe(near);
  }

  close() {
    clearInterval(this.timer);
    this.listener.close();
    this.#sockets.forEach((socket) => socket.destroy());
  }
}
