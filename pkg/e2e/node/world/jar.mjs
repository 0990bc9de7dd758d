// What a browser does with cookies, for clients in Node: an agent that keeps those of one host and sends them back.
import http from 'node:http';

export class CookieJar extends http.Agent {
  cookies = new Map();

  addRequest(req, ...rest) {
    if (this.cookies.size) req.setHeader('Cookie', [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; '));
    req.once('response', (res) => this.#keep(res)).once('upgrade', (res) => this.#keep(res));
    return super.addRequest(req, ...rest);
  }

  #keep(res) {
    for (const line of res.headers['set-cookie'] ?? []) {
      const [, name, value] = /^([^=;]+)=([^;]*)/.exec(line);
      this.cookies.set(name, value);
    }
  }
}
