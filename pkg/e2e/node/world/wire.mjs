// The wire itself: HTTP requests, Engine.IO sessions over polling and WebSocket frames, well-formed or not.
import { createHash, randomBytes } from 'node:crypto';
import http from 'node:http';
import net from 'node:net';
import { Log, within } from './deadline.mjs';

const PATH = '/socket.io/';

/** One HTTP request on a connection of its own; resolves with { status, headers, body }. */
export function request(server, { method = 'GET', path = PATH, headers = {}, body } = {}) {
  const answer = new Promise((resolve, reject) => {
    const req = http.request({ host: server.host, port: server.port, method, path, headers, agent: false }, (res) => {
      const chunks = [];
      res.on('data', (chunk) => chunks.push(chunk));
      res.on('end', () => resolve({ status: res.statusCode, headers: res.headers, body: Buffer.concat(chunks).toString() }));
      res.on('error', reject);
    });
    req.on('upgrade', (res, socket) => {
      socket.destroy();
      resolve({ status: res.statusCode, headers: res.headers, body: '' });
    });
    // A server may answer and close while a body is still being sent; the answer counts then.
    req.on('error', (error) => resolve({ status: 0, headers: {}, body: error.code }));
    req.end(body);
  });
  return within(answer, `the answer to ${method} ${path}`);
}

export const query = (params) => `${PATH}?${new URLSearchParams(params)}`;

/** A session on polling. */
export class PollingSession {
  static async open(server, params = {}) {
    const session = new PollingSession(server, { EIO: 4, ...params });
    const { body } = await session.get();
    session.sid = /sid\\*":\\*"([\w-]+)/.exec(body)[1];
    return session;
  }

  constructor(server, params) {
    this.server = server;
    this.params = { transport: 'polling', ...params };
  }

  path(more) {
    return query({ ...this.params, ...(this.sid && { sid: this.sid }), ...more });
  }

  get(more) {
    return request(this.server, { path: this.path(more) });
  }

  post(body, headers = { 'content-type': 'text/plain;charset=UTF-8' }) {
    return request(this.server, { method: 'POST', path: this.path(), body, headers });
  }

  /** Polls until everything received contains `text`; resolves with all of it. */
  async until(text) {
    for (let all = ''; ; ) {
      const { status, body } = await this.get();
      if (status !== 200) throw new Error(`poll answered ${status} ${body}`);
      all += body;
      if (all.includes(text)) return all;
    }
  }
}

export const OP = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

/** The bytes of a WebSocket frame as a client sends it, or as no client should. */
export function frame(payload, { opcode = OP.text, fin = true, rsv = 0, mask = true, length } = {}) {
  const data = Buffer.from(payload);
  const size = length ?? data.length;
  const head = [(fin ? 0x80 : 0) | (rsv << 4) | opcode];
  const bit = mask ? 0x80 : 0;
  if (size < 126) head.push(bit | size);
  else if (size < 65536) head.push(bit | 126, size >> 8, size & 255);
  else head.push(bit | 127, ...Buffer.from(BigInt(size).toString(16).padStart(16, '0'), 'hex'));
  if (!mask) return Buffer.concat([Buffer.from(head), data]);
  const key = randomBytes(4);
  return Buffer.concat([Buffer.from(head), key, data.map((byte, i) => byte ^ key[i & 3])]);
}

/** A TCP connection that speaks whatever it is told. */
export class Wire {
  static async connect(server) {
    const wire = new Wire(net.connect(server.port, server.host));
    await within(new Promise((resolve, reject) => wire.socket.once('connect', resolve).once('error', reject)), `${server.name} to accept`);
    return wire;
  }

  received = Buffer.alloc(0);
  log = new Log();
  ended = false;

  constructor(socket) {
    this.socket = socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      this.received = Buffer.concat([this.received, chunk]);
      this.parse();
      this.log.add(chunk);
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.ended = true;
      this.log.add(null);
    });
  }

  /** Takes apart what has been received, for those who know how. */
  parse() {}

  send(bytes) {
    if (!this.socket.destroyed) this.socket.write(bytes);
    return this;
  }

  /** Resolves once the server has closed the connection. */
  closed() {
    return this.log.until(() => this.ended, () => `the server to close; it sent ${JSON.stringify(this.received.toString('latin1').slice(0, 200))}`);
  }

  until(enough, what) {
    return this.log.until(() => {
      const answer = enough(this.received);
      if (!answer && this.ended) throw new Error(`closed before ${what}; received ${JSON.stringify(this.received.toString('latin1').slice(0, 300))}`);
      return answer;
    }, what);
  }

  /** The status of the response in `received`, once it is there; 0 when the server just closes. */
  async status() {
    await this.log.until(() => this.ended || this.received.includes('\r\n\r\n'), 'a response');
    const match = /^HTTP\/1\.[01] (\d+)/.exec(this.received.toString('latin1'));
    return match ? Number(match[1]) : 0;
  }

  destroy() {
    this.socket.destroy();
  }
}

/** A WebSocket by hand. */
export class RawWebSocket extends Wire {
  /** Opens a WebSocket; resolves with it when the server has switched protocols. */
  static async open(server, params = {}, headers = {}) {
    const ws = await RawWebSocket.ask(server, params, headers);
    const status = await ws.status();
    if (status !== 101) throw new Error(`the handshake is answered with ${ws.received.toString()}`);
    ws.offset = ws.received.indexOf('\r\n\r\n') + 4;
    ws.parse();
    return ws;
  }

  /** Sends the handshake and leaves the answer to the caller. `early` follows in the same packet. */
  static async ask(server, params = {}, headers = {}, early = '') {
    const socket = net.connect(server.port, server.host);
    const ws = new RawWebSocket(socket);
    ws.key = randomBytes(16).toString('base64');
    const lines = Object.entries({
      Host: `${server.host}:${server.port}`,
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': ws.key,
      ...headers,
    }).filter(([, value]) => value !== undefined).map(([name, value]) => `${name}: ${value}\r\n`);
    const path = query({ EIO: 4, transport: 'websocket', ...params });
    ws.send(Buffer.concat([Buffer.from(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`), Buffer.from(early)]));
    return ws;
  }

  frames = new Log();
  taken = 0;

  get acceptKey() {
    return createHash('sha1').update(`${this.key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  }

  parse() {
    while (this.offset !== undefined) {
      const rest = this.received.subarray(this.offset);
      if (rest.length < 2) return;
      let [size, head] = [rest[1] & 127, 2];
      if (size === 126) {
        if (rest.length < 4) return;
        [size, head] = [rest.readUInt16BE(2), 4];
      } else if (size === 127) {
        if (rest.length < 10) return;
        [size, head] = [Number(rest.readBigUInt64BE(2)), 10];
      }
      if (rest.length < head + size) return;
      const data = Buffer.from(rest.subarray(head, head + size));
      const opcode = rest[0] & 15;
      this.offset += head + size;
      const entry = { opcode, data };
      if (opcode === OP.text) entry.text = data.toString();
      if (opcode === OP.close) entry.code = data.length ? data.readUInt16BE(0) : 1005;
      this.frames.add(entry);
    }
  }

  say(text) {
    return this.send(frame(text));
  }

  /** The next frame. */
  async next() {
    const index = this.taken++;
    await this.log.until(() => this.frames.length > index || this.ended, 'a frame');
    return this.frames[index] ?? { closed: true };
  }

  /** Skips frames until one's text satisfies the pattern; resolves with the text. */
  async want(pattern) {
    for (;;) {
      const { text, closed, code } = await this.next();
      if (closed || code) throw new Error(`closed (${code ?? 'without a close frame'}) before ${pattern}`);
      if (text !== undefined && pattern.test(text)) return text;
    }
  }

  /** Resolves with the code of the server's close frame, or 0 when the connection ends without one. */
  async closeCode() {
    const close = () => this.frames.find(({ opcode }) => opcode === OP.close);
    await this.log.until(() => this.ended || close(), 'the server to close');
    return close()?.code ?? 0;
  }
}

/** A WebSocket in the chat, past its own join notice. */
export async function chatSocket(server, params = {}) {
  const ws = await RawWebSocket.open(server, params);
  await ws.want(/^0\{/);
  ws.say('40/chat,');
  await ws.want(/^42\/chat,\["msgToClient",\{"name":"admin"/);
  return ws;
}
