// A TCP proxy in front of a server, for cutting cables.
import { once } from 'node:events';
import net from 'node:net';

export class Proxy {
  #pairs = new Set();
  #open = true;
  #held = null;

  static async before(server) {
    const proxy = new Proxy(server);
    proxy.listener.listen(0, '127.0.0.1');
    await once(proxy.listener, 'listening');
    proxy.port = proxy.listener.address().port;
    proxy.url = `http://127.0.0.1:${proxy.port}`;
    return proxy;
  }

  constructor(server) {
    this.listener = net.createServer((near) => {
      if (!this.#open) return near.destroy();
      const far = net.connect(server.port, server.host);
      const pair = [near, far];
      this.#pairs.add(pair);
      near.once('data', (first) => this.#forward(first, near, far));
      for (const [from, to] of [pair, [far, near]]) {
        from.on('error', () => {});
        from.on('close', () => {
          to.destroy();
          this.#pairs.delete(pair);
        });
      }
    });
  }

  async #forward(first, near, far) {
    near.pause();
    if (first.includes('transport=websocket')) await this.#held;
    far.write(first);
    near.pipe(far);
    far.pipe(near);
  }

  /** Keeps WebSockets from opening until the function it returns is called. */
  holdWebSockets() {
    let release;
    this.#held = new Promise((resolve) => (release = resolve));
    return release;
  }

  /** Breaks every connection without a goodbye. */
  cut() {
    // A reset, but not of a socket that is being shut down: Node 20 never lets go of its handle then.
    for (const socket of [...this.#pairs].flat()) socket.writableEnded ? socket.destroy() : socket.resetAndDestroy();
  }

  /** From now on new connections are broken off at once, until `mend`. */
  unplug() {
    this.#open = false;
    this.cut();
  }

  mend() {
    this.#open = true;
  }

  close() {
    this.unplug();
    this.listener.close();
  }
}
