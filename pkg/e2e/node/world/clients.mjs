// The people of a test: a Chatter is one real socket.io-client of some generation, in the chat.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after } from 'node:test';
import { Log, next, within } from './deadline.mjs';

const require = createRequire(import.meta.url);

/** The generations of clients found in the wild, by the protocol they speak. */
export const GENERATIONS = ['1.4.5', '1.7.4', '2.5.0', '3.1.3', '4.8'];
export const TRANSPORTS = {
  polling: ['polling'],
  websocket: ['websocket'],
  default: undefined, // polling first, then the upgrade
};

/** The connect function of one generation's package. */
export const clientOf = (generation) => require(`client-${generation}`);
/** Engine.IO protocol 4 and Socket.IO protocol 5 came with the 3.x client. */
export const modern = (generation) => Number(generation[0]) >= 3;

export const JOIN_NOTICE = { name: 'admin', text: 'join chat.' };
const isNotice = ([message]) => message?.name === 'admin' && message.text === JOIN_NOTICE.text;

let newcomers = 0;

// Chatters that a failed test has left behind leave at the end, or the test process would never end.
const present = new Set();
after(() => present.forEach((chatter) => chatter.leave()));

export class Chatter {
  #bySender = new Map();

  /** Connects, waits for the connection and for the newcomer's own join notice. */
  static async join(server, options) {
    const chatter = new Chatter(server, options);
    await chatter.connected();
    await chatter.wantNotices(1);
    return chatter;
  }

  /**
   * Starts to connect. `server` is anything with a url. Further options go to the client as they are.
   * The transport is a key of TRANSPORTS, or a list.
   */
  constructor(server, { generation = '4.8', transport = 'default', name, namespace = '/chat', ...options } = {}) {
    this.name = name ?? `chatter-${++newcomers}`;
    present.add(this);
    this.generation = generation;
    /** The arguments of every msgToClient, in order of arrival. */
    this.inbox = new Log();
    this.connects = new Log();
    this.disconnects = new Log();
    const transports = Array.isArray(transport) ? transport : TRANSPORTS[transport];
    this.socket = clientOf(generation)(server.url + namespace, {
      forceNew: true,
      reconnectionDelay: 20,
      reconnectionDelayMax: 100,
      ...(transports && { transports }),
      ...options,
    });
    this.socket.on('connect', () => this.connects.add(this.engine.transport.name));
    this.socket.on('disconnect', (reason) => this.disconnects.add(reason));
    this.socket.on('msgToClient', (...args) => this.#keep(args));
  }

  /** The Engine.IO connection underneath. */
  get engine() {
    return this.socket.io.engine;
  }

  get id() {
    return this.socket.id;
  }

  async connected(times = 1) {
    await this.connects.until((all) => all.length >= times, () => `${this.name} (${this.generation}) to connect (${times}.)`);
    return this;
  }

  async disconnected(times = 1) {
    await this.disconnects.until((all) => all.length >= times, `${this.name} to lose the connection`);
    return this.disconnects.at(-1);
  }

  /** Resolves when the connection has moved to WebSocket. */
  async upgraded() {
    if (this.engine.transport.name !== 'websocket') await next(this.engine, 'upgrade', `the upgrade of ${this.name}`);
  }

  emit(...args) {
    this.socket.emit('msgToServer', ...args);
  }

  /** Says something under the chatter's own name, the way the page does. */
  says(text) {
    this.emit({ name: this.name, text });
  }

  /** Waits for a message that satisfies `test`. */
  wants(test, what) {
    let seen = 0;
    const found = (all) => {
      while (seen < all.length) if (test(all[seen++][0])) return all[seen - 1];
    };
    return this.inbox.until(found, () => `${this.name} to get ${what}; got ${this.#recent()}`);
  }

  /** Waits until a message of this sender with this text has come. */
  async wantMessage(from, text) {
    const [message] = await this.wants((m) => m?.name === from.name && m.text === text, `"${text.slice(0, 80)}" from ${from.name}`);
    assert.deepEqual(message, { name: from.name, text });
  }

  /** Waits for at least `count` join notices. */
  wantNotices(count) {
    return this.inbox.until(() => this.notices() >= count, () => `${this.name} to get ${count} join notices; got ${this.#recent()}`);
  }

  notices() {
    return this.heardFrom(JOIN_NOTICE).length;
  }

  /** What this sender said, in the order in which it came here. */
  heardFrom(from) {
    return this.#bySender.get(from.name) ?? [];
  }

  #keep(args) {
    const { name, text } = args[0] ?? {};
    if (!this.#bySender.has(name)) this.#bySender.set(name, []);
    this.#bySender.get(name).push(text);
    this.inbox.add(args);
  }

  /**
   * Waits for the sender's last text and then asserts that everything came: once, in order, nothing else.
   * Once the last one is here nothing can follow it but a duplicate, which the caller's next barrier catches.
   */
  async wantExactly(from, texts) {
    await this.inbox.until(() => this.heardFrom(from).length >= texts.length, () => `${this.name} to get ${texts.length} messages from ${from.name}; got ${this.heardFrom(from).length}${this === from ? '' : from.losses()}${this.losses()}`);
    assert.deepEqual(this.heardFrom(from), texts, `${this.name} hears ${from.name}`);
  }

  /** The values of everything that came after position `from`, join notices left out. */
  payloadsSince(from) {
    return this.inbox.slice(from).filter((args) => !isNotice(args));
  }

  leave() {
    present.delete(this);
    this.socket.disconnect();
    this.socket.io.disconnect(); // the connection under it too
  }

  /** For messages: why this chatter lost its connection so far. */
  losses() {
    return this.disconnects.length > 0 ? `. ${this.name} lost its connection: ${[...this.disconnects].join(', ')}` : '';
  }

  #recent() {
    return JSON.stringify(this.inbox.slice(-3))?.slice(0, 300);
  }
}

/** Every one of `witnesses` hears a fresh call of `speaker`: all it said before has arrived by then. */
export async function barrier(speaker, witnesses) {
  const call = { name: `(${speaker.name} calls)`, text: `${Math.random()}` };
  speaker.emit(call);
  await Promise.all(witnesses.map((witness) => witness.wantMessage(call, call.text)));
}

/** An encoding fault of 1.x clients on polling that Node's servers do not make good: text outside ASCII is garbled. */
export const garbles = (generation, transport) => generation.startsWith('1.') && transport !== 'websocket';

/**
 * Lets people join one after the other, alternating over the servers, until everybody has every join notice.
 * `ushers`, one on each server, hear each of them before the next one comes: no notice is still on its way
 * between the servers, where it would greet somebody who joins meanwhile.
 */
export async function gather(servers, count, options, people = [], ushers = []) {
  for (let i = 0; i < count; i++) {
    people.push(await Chatter.join(servers[i % servers.length], options));
    await barrier(people.at(-1), [...people, ...ushers]);
  }
  return people;
}

/** One steady guest on each server, on the client that every kind of server serves. */
export const usher = (server) => Chatter.join(server, { name: `usher of ${server.port}`, generation: '2.5.0', transport: 'websocket' });

/** Resolves with the client's complaint about the namespace it was refused. */
export function refusal(server, generation, transport, namespace) {
  const chatter = new Chatter(server, { generation, transport, namespace });
  const event = modern(generation) ? 'connect_error' : 'error';
  return within(new Promise((resolve) => chatter.socket.once(event, resolve)), `${generation} to be refused ${namespace}`).finally(() => chatter.leave());
}
