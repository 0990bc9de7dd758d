// For tests: a server with all that a network does to it, played step by step. What the server
// sends waits on the line until it is delivered, what it is asked until it is served; a cut takes
// both away. It notes what was relayed, so that one can tell what a page has to show.

import { EventEmitter } from 'node:events';

export type Ack = (overdue: Error | null, answer?: unknown) => void;
type Fields = Record<string, unknown>;

interface Kept {
  readonly id: string;
  readonly time: number;
  readonly payload: { name: string; text: string };
}

interface Request {
  readonly event: string;
  readonly argument: Fields;
  readonly ack?: Ack;
}

/** What a server can do, and how much it keeps. */
export interface Means {
  /** It speaks the chat's own protocol. */
  readonly speaks: boolean;
  /** Messages that are kept of each conversation; 0: no history. */
  readonly kept: number;
  /** Messages an answer has at most. */
  readonly page: number;
  /** It may hand over what was missed. */
  readonly recovers: boolean;
}

/** The client library's socket, as far as the chat uses it. */
export class Line extends EventEmitter {
  connected = false;
  recovered = false;
  active = true;
  auth: unknown;
  /** What was emitted without a connection is sent on the next. */
  sendBuffer: Request[] = [];
  onRequest: (request: Request) => void = () => {};
  /** A question was not answered in time. */
  overdue = false;
  #waiting = new Set<Ack>();

  readonly volatile = { emit: (event: string, argument: Fields) => this.#request({ event, argument }) };

  connect() {
    return this;
  }

  timeout(ms: number) {
    return {
      emit: (event: string, argument: Fields, ack: Ack) => {
        const once: Ack = (overdue, answer) => {
          clearTimeout(timer);
          if (this.#waiting.delete(once)) {
            ack(overdue, answer);
          }
        };
        const timer = setTimeout(() => {
          this.overdue = true;
          once(new Error('operation has timed out'));
        }, ms);
        this.#waiting.add(once);
        this.#request({ event, argument, ack: once });
      },
    };
  }

  up(recovered: boolean) {
    this.connected = true;
    this.recovered = recovered;
    this.sendBuffer.splice(0).forEach((request) => this.onRequest(request));
    this.emit('connect');
  }

  down() {
    const waiting = [...this.#waiting];
    const buffered = new Set(this.sendBuffer.map(({ ack }) => ack));
    this.connected = false;
    this.emit('disconnect', 'transport close');
    waiting.forEach((ack) => buffered.has(ack) || ack(new Error('socket has been disconnected')));
  }

  #request(request: Request) {
    this.connected ? this.onRequest(request) : request.ack && this.sendBuffer.push(request);
  }
}

const LOBBY = '';
const JOINED = { name: 'admin', text: 'join chat.' };

export class World {
  readonly line = new Line();
  /** What was said where, in its order: in rooms, the lobby being '', and by people to the reader as `@name`. */
  readonly said = new Map<string, string[]>();
  /** Rooms that the server does not let the reader into. */
  readonly closed = new Set<string>();
  /** Rooms that the reader's connection is in, by the server. */
  readonly rooms = new Set<string>();
  readonly people = new Set(['Ann']);
  #harmed = false;
  /** The server answers nothing more of this kind. */
  silent = '';
  #away = false;

  readonly #histories = new Map<string, Kept[]>();
  readonly #late: [string, Kept['payload']][] = [];
  #wire: (() => void)[] = [];
  #requests: Request[] = [];
  /** What a recovered session hands over; undefined: there is no session. */
  #missed: (() => void)[] | undefined;
  readonly #sent = new Map<string, object>();
  #last = 0;

  constructor(readonly means: Means) {
    this.line.onRequest = (request) => this.#requests.push(request);
  }

  /** Something of the history was dropped, was late, or could not be asked for. */
  get harmed(): boolean {
    return this.#harmed || this.line.overdue;
  }

  get quiet(): boolean {
    return this.#wire.length === 0 && this.#requests.length === 0;
  }

  /** Somebody says text in a room. */
  say(room: string, text: string, name = 'Bob'): void {
    this.#relay(room, { name, text });
  }

  /** A person says text to the reader alone. */
  whisper(person: string, text: string): void {
    this.#note(`@${person}`, text);
    this.#toClient(() => this.line.emit('msgToClient', { name: person, text }, { private: true, from: person, to: 'Ann', time: Date.now() }));
  }

  types(name: string, room: string): void {
    this.#toClient(() => this.line.emit('typing', { ...(room && { room }), name, for: 6000 }), true);
  }

  /** Somebody comes to the lobby, or goes. */
  comesOrGoes(name: string): void {
    const there = !this.people.delete(name) && this.people.add(name);
    const joined = there ? [{ name, connections: 1 }] : [];
    if (there) {
      this.#toClient(() => this.line.emit('msgToClient', JOINED));
    }
    if (this.means.speaks) {
      this.#toClient(() => this.line.emit('presence:change', { joined, left: there ? [] : [name], count: this.people.size, connections: this.people.size }));
    }
  }

  /** Where messages are kept goes away: they are kept when it is back. */
  away(away: boolean): void {
    this.#away = away;
    this.#harmed ||= away;
    if (!away) {
      this.#late.splice(0).forEach(([room, payload]) => this.#keep(room, payload));
    }
  }

  connect(recovers: boolean): void {
    if (this.line.connected) {
      return;
    }
    const recovered = recovers && this.#missed !== undefined;
    const missed = this.#missed ?? [];
    this.#missed = undefined;
    this.#wire = recovered ? missed : [];
    if (!recovered) {
      this.rooms.clear();
    }
    this.line.up(recovered);
    if (!recovered) {
      this.#toClient(() => this.line.emit('msgToClient', JOINED));
    }
  }

  /** Cuts the line. Requests on their way arrive or do not. */
  cut(arrive: boolean): void {
    if (!this.line.connected) {
      return;
    }
    const requests = this.#requests.splice(0);
    if (arrive) {
      requests.forEach(({ event, argument }) => this.#answer(event, argument));
    }
    this.#missed = this.means.recovers ? this.#wire.filter((item) => !this.#lossy.has(item)) : undefined;
    this.#wire = [];
    this.#missed ?? this.rooms.clear();
    this.line.down();
  }

  /** The server does what it was asked: the first thing, or a later one that changes nothing. */
  serve(which: number): void {
    const later = this.#requests.findIndex(({ event }, i) => i >= which && ['history', 'presence', 'features'].includes(event));
    const [request] = this.#requests.splice(Math.max(later, 0), 1);
    if (!request || !this.means.speaks && request.event !== 'msgToServer') {
      return;
    }
    const answer = this.#answer(request.event, request.argument);
    if (request.event === this.silent) {
      this.#harmed = true;
    } else if (request.ack && answer) {
      const { ack } = request;
      this.#toClient(() => ack(null, answer), true);
    }
  }

  /** So much of what is on the line reaches the page. */
  deliver(most: number): void {
    this.#wire.splice(0, most).forEach((item) => item());
  }

  /** What does not outlive a connection: answers, and what is volatile. */
  readonly #lossy = new WeakSet<() => void>();

  #toClient(item: () => void, lossy = false): void {
    if (lossy) {
      this.#lossy.add(item);
    }
    if (this.line.connected) {
      this.#wire.push(item);
    } else if (!lossy) {
      this.#missed?.push(item);
    }
  }

  #note(where: string, text: string): void {
    this.said.has(where) ? this.said.get(where)!.push(text) : this.said.set(where, [text]);
  }

  #relay(room: string, payload: Kept['payload']): object {
    this.#note(room, payload.text);
    const kept = this.means.kept > 0 && !this.#away ? this.#keep(room, payload) : undefined;
    if (!kept && this.means.kept > 0) {
      this.#late.push([room, payload]);
    }
    if (room === LOBBY) {
      this.#toClient(() => this.line.emit('msgToClient', payload));
    } else if (this.rooms.has(room)) {
      const about = { room, ...(kept && { id: kept.id, time: kept.time }) };
      this.#toClient(() => this.line.emit('msgToClient', payload, about));
    }
    return { id: kept?.id ?? null, time: Date.now(), kept: kept !== undefined };
  }

  #keep(room: string, payload: Kept['payload']): Kept {
    const kept = { id: String(++this.#last).padStart(8, '0'), time: Date.now(), payload };
    const all = this.#histories.get(room) ?? [];
    this.#histories.set(room, all);
    all.push(kept);
    if (all.length > this.means.kept) {
      all.shift();
      this.#harmed = true;
    }
    return kept;
  }

  #answer(event: string, argument: Fields): object | undefined {
    const room = (argument.room as string | undefined) ?? LOBBY;
    const outside = { error: { code: 'not_joined', message: `join ${room} first` } };
    switch (event) {
      case 'features':
        return { history: this.means.kept > 0 ? { limit: this.means.kept, hours: 24 } : null, presence: true, typing: true, rooms: true, private: true, name: 'Ann', now: Date.now() };
      case 'history':
        return room && !this.rooms.has(room) ? outside : this.#page(room, argument);
      case 'join':
        if (this.closed.has(room)) {
          return { error: { code: 'forbidden', message: 'this room is closed' } };
        }
        this.rooms.add(room);
        return { room };
      case 'leave':
        this.rooms.delete(room);
        return { room };
      case 'presence':
      case 'presence:watch':
        return { people: [...(room ? ['Ann'] : this.people)].map((name) => ({ name, connections: 1 })), count: room ? 1 : this.people.size, connections: room ? 1 : this.people.size };
      case 'msgToServer':
        this.#relay(LOBBY, argument as unknown as Kept['payload']);
        return undefined;
      case 'send':
        return this.#send(room, argument);
      default:
        return {};
    }
  }

  #send(room: string, { id, to, payload }: Fields): object {
    const said = payload as Kept['payload'];
    const before = this.#sent.get(id as string);
    if (before) {
      return { ...before, duplicate: true };
    }
    if (said.text.startsWith('bad')) {
      return { error: { code: 'forbidden', message: 'not that word' } };
    }
    if (room && !this.rooms.has(room)) {
      return { error: { code: 'not_joined', message: `join ${room} first` } };
    }
    const answer = to ? this.#tell(to as string, said) : this.#relay(room, said);
    this.#sent.set(id as string, answer);
    return answer;
  }

  #tell(to: string, payload: Kept['payload']): object {
    this.#note(`@${to}`, payload.text);
    this.#toClient(() => this.line.emit('msgToClient', payload, { private: true, from: 'Ann', to, time: Date.now() }));
    return { id: null, time: Date.now(), kept: false };
  }

  #page(room: string, { before, after, limit = 50 }: { before?: string; after?: string; limit?: number }): object {
    const all = this.#away && room ? [] : this.#histories.get(room) ?? [];
    const found = after ? all.filter(({ id }) => id > after) : before ? all.filter(({ id }) => id < before) : all;
    const most = Math.min(limit, this.means.page);
    return {
      messages: after ? found.slice(0, most) : found.slice(-most),
      more: found.length > most,
      now: Date.now(),
      ...(after && !all.some(({ id }) => id === after) && { gap: true }),
      ...(this.#away && { partial: true }),
    };
  }
}
