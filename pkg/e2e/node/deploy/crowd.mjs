// People who talk all the time while something is done to the servers, and the account of what they heard.
import assert from 'node:assert/strict';
import { Chatter, barrier } from '../world/clients.mjs';
import { eventually } from '../world/deadline.mjs';

/** How often each speaker says something, in ms. */
const PACE = 40;

export class Crowd {
  #timers = [];
  #said = new Map();

  /** `listeners` of the newest client, in turns on WebSocket, polling and the default order; `speakers` on WebSocket. */
  static async gather(server, { listeners = 9, speakers = 3 } = {}) {
    const crowd = new Crowd();
    const transports = ['websocket', 'polling', 'default'];
    crowd.listeners = await Promise.all(Array.from({ length: listeners }, (_, i) =>
      Chatter.join(server, { name: `listener ${i}`, transport: transports[i % transports.length] })));
    crowd.speakers = await Promise.all(Array.from({ length: speakers }, (_, i) =>
      Chatter.join(server, { name: `speaker ${i}`, transport: 'websocket' })));
    for (const listener of crowd.listeners) {
      listener.recoveries = { recovered: 0, anew: 0 };
      listener.socket.on('connect', () => {
        listener.recoveries[listener.socket.recovered ? 'recovered' : 'anew']++;
      });
    }
    return crowd;
  }

  start() {
    for (const speaker of this.speakers) {
      this.#said.set(speaker, 0);
      this.#timers.push(setInterval(() => {
        const n = this.#said.get(speaker);
        this.#said.set(speaker, n + 1);
        speaker.says(`${n}`);
      }, PACE));
    }
  }

  /** Waits until everybody has heard `count` more messages of some speaker: the talk goes on. */
  async talkedOn(count = 25) {
    const before = this.listeners.map((l) => l.inbox.length);
    await eventually(() => this.listeners.every((l, i) => l.inbox.length >= before[i] + count), 'the talk to go on');
  }

  async connected() {
    await eventually(() => [...this.listeners, ...this.speakers].every((c) => c.socket.connected), 'everybody to be connected');
  }

  /**
   * Ends the talk and waits until the last word has reached everybody. Returns the account: a message is due once
   * anybody has heard it. (What a speaker says in the moment its connection goes is lost before any server has it;
   * `unheard` counts that.)
   */
  async stop() {
    this.#timers.forEach(clearInterval);
    this.#timers = [];
    await this.connected();
    for (const speaker of this.speakers) await barrier(speaker, this.listeners);
    const account = { due: 0, unheard: 0, lost: 0, doubled: 0, disordered: 0, recovered: 0, anew: 0 };
    for (const speaker of this.speakers) {
      const heard = this.listeners.map((l) => l.heardFrom(speaker).map(Number));
      const due = new Set(heard.flat());
      account.due += due.size * this.listeners.length;
      account.unheard += this.#said.get(speaker) - due.size;
      for (const numbers of heard) {
        const distinct = new Set(numbers);
        account.doubled += numbers.length - distinct.size;
        account.lost += due.size - distinct.size;
        account.disordered += numbers.filter((n, i) => i > 0 && n < numbers[i - 1]).length;
      }
    }
    for (const { recoveries } of this.listeners) {
      account.recovered += recoveries.recovered;
      account.anew += recoveries.anew;
    }
    this.leave();
    return account;
  }

  leave() {
    this.#timers.forEach(clearInterval);
    [...this.listeners, ...this.speakers].forEach((c) => c.leave());
  }
}

/** Order and uniqueness hold whatever happens. */
export function assertOrderly(account) {
  assert.equal(account.doubled, 0, `doubled: ${JSON.stringify(account)}`);
  assert.equal(account.disordered, 0, `out of order: ${JSON.stringify(account)}`);
  assert.ok(account.due > 0, 'nothing was said');
}
