// The chat as the page sees it: the connection, what the server offers, and the conversations.

import type { Socket } from 'socket.io-client';
import { type ShallowRef, shallowRef } from 'vue';
import { type Attendance, followAttendance } from './attendance';
import { type Complaints, followComplaints } from './complaints';
import type { Conversation } from './conversation';
import { type LinkState, followLink } from './link';
import type { Memory } from './memory';
import { readMessage } from './message';
import type { Pending } from './outbox';
import { Ownership } from './ownership';
import { FEATURES_MS, NOTHING, ask, readFeatures, readPlace } from './protocol';
import type { Refusal } from './refusal';
import { type Renewal, followRenewal } from './renewal';
import type { Siblings } from './siblings';
import { Talks } from './talks';

/** One's own arrival is announced as everybody's is, and this soon. */
const OWN_JOIN_MS = 10_000;

export interface Options {
  readonly siblings: Siblings;
  readonly memory: Memory;
  readonly token?: string;
  /** Is told of a token that replaces the one that was shown. */
  readonly keepToken?: (token: string) => void;
  readonly fetchToken?: (() => Promise<string>) | undefined;
}

/**
 * Follows a socket, which must not be connected yet (autoConnect: false) and belongs to the chat
 * from then on, for as long as the page lives.
 *
 * Nothing is left to the library's own queue for sockets without a connection: what waits
 * there is invisible, and is sent minutes later without its writer knowing.
 */
export class Chat {
  readonly state: ShallowRef<LinkState> = shallowRef('connecting');
  /** Why there is no connection, as far as that is known. */
  readonly refusal: ShallowRef<Refusal | null> = shallowRef(null);
  readonly offered = shallowRef(NOTHING);
  readonly ownership: Ownership;
  readonly talks: Talks;
  readonly renewal: Renewal;

  readonly #socket: Socket;
  readonly #siblings: Siblings;
  readonly #complaints: Complaints;
  readonly #attendance: Attendance;
  readonly #link: { again(): void };
  /** Rises with every connection and its end: what was asked before is no longer waited for. */
  #session = 0;
  /** Rooms that we have asked to join: their messages may come before the answer. */
  readonly #joining = new Set<string>();
  /** The server has answered what it offers, or has had the time to. */
  #known = false;
  /** Set while our own arrival has not been announced. */
  #joinedAt: number | undefined;

  constructor(socket: Socket, { siblings, memory, token = '', keepToken, fetchToken }: Options) {
    this.#socket = socket;
    this.#siblings = siblings;
    this.#complaints = followComplaints(socket);
    this.ownership = new Ownership(token, siblings, memory);
    let sent = 0;
    const speaks = () => this.offered.value.any;
    this.talks = new Talks(socket, this.ownership, memory, { socket, complaints: this.#complaints, speaks, remember: memory.own, next: () => ++sent });
    const about = (room: string, person: string) => (person ? this.talks.known('person', person) : room ? this.talks.known('room', room) : this.talks.lobby);
    this.#attendance = followAttendance(socket, () => this.offered.value, about);
    const took = (fresh: string) => {
      this.ownership.token.value = fresh;
      keepToken?.(fresh);
    };
    this.renewal = followRenewal(socket, took, fetchToken);
    this.#link = followLink(socket, (next, why) => this.#linked(next, why));
    socket.auth = (give) => give((this.ownership.token.value ? { token: this.ownership.token.value } : undefined) as object);
    socket.on('msgToClient', (...args: unknown[]) => this.#hear(args));
    // What the library would send by itself after a return waits in the outbox instead.
    socket.on('disconnect', () => (socket.sendBuffer = []));
    socket.connect();
  }

  /** The last thing the server complained of that is not about one of our messages; empty: none. */
  get complaint(): ShallowRef<string> {
    return this.#complaints.last;
  }

  /** Sends a message in the open conversation. False, and nothing is sent or queued, while there is no connection. */
  readonly send = (name: string, text: string): boolean => {
    if (this.#socket.connected) {
      this.#siblings.tell(name, text);
      this.talks.delivery(this.talks.active.value).send(name, text);
      this.#attendance.sent();
    }
    return this.#socket.connected;
  };

  /** Sends a doubtful message once more, under the same conditions as send. */
  readonly resend = (pending: Pending): boolean => {
    if (this.#socket.connected) {
      this.#siblings.tell(pending.name, pending.text);
      this.talks.delivery(this.talks.active.value).resend(pending);
    }
    return this.#socket.connected;
  };

  /** Forgets a message that waits, is doubtful or was refused. */
  readonly discard = (pending: Pending): void => this.talks.delivery(this.talks.active.value).discard(pending);

  /** The reader is writing, under this name. */
  readonly writes = (name: string): void => this.#attendance.writes(this.ownership.token.value ? this.ownership.tokenName.value : name);

  readonly open = (talk: Conversation): void => {
    this.talks.open(talk);
    this.#attendance.watch(talk);
  };

  /** Joins a room and opens it. Throws the server's reason. */
  async join(room: string): Promise<void> {
    this.#joining.add(room);
    try {
      await ask(this.#socket, 'join', { room });
    } finally {
      this.#joining.delete(room);
    }
    const talk = this.talks.find('room', room);
    this.open(talk);
    if (!talk.loaded && this.offered.value.history) {
      const mine = this.#session;
      await talk.catchUp(Date.now(), false, () => mine === this.#session);
    }
  }

  /** Leaves a room, or closes the private talk with a person. */
  leave(talk: Conversation): void {
    const { kind, name } = talk.place;
    const open = talk === this.talks.active.value;
    this.talks.remove(talk);
    if (open) {
      this.#attendance.watch(this.talks.lobby);
    }
    if (kind === 'room') {
      ask(this.#socket, 'leave', { room: name }).catch(() => {}); // the connection's end leaves it, too
    }
  }

  /** Opens the private talk with a person. */
  readonly talkTo = (person: string): void => this.open(this.talks.find('person', person));

  /** Connects again after the server has ended the connection for good. */
  readonly connectAgain = (): void => this.#link.again();

  /** Connects with another token; with an empty one as somebody who has none. */
  readonly signIn = (token: string): void => {
    this.ownership.change(token);
    // Ends as a client that goes: the library does not come back by itself.
    this.#socket.disconnect();
    this.#link.again();
  };

  #linked(next: LinkState, why: Refusal | null): void {
    this.refusal.value = why;
    if (next === this.state.value) {
      return;
    }
    const returned = this.state.value === 'reconnecting';
    this.state.value = next;
    if (next === 'connected') {
      this.#joinedAt = this.#socket.recovered ? undefined : Date.now();
      void this.#begin(returned);
      return;
    }
    this.#session++;
    this.#attendance.lost();
    this.renewal.reset();
    for (const talk of this.talks.list.value) {
      talk.cut();
      this.talks.delivery(talk).interrupt();
    }
  }

  /** Takes up a new connection: asks what the server offers, and for what was missed. */
  async #begin(returned: boolean): Promise<void> {
    const mine = ++this.#session;
    const still = () => mine === this.#session;
    const connectedAt = Date.now();
    const { recovered } = this.#socket;
    const missed = returned && !recovered;
    if (!recovered) {
      this.talks.list.value.forEach((talk) => talk.begin(returned));
    }
    if (missed) {
      // Otherwise the library hands over what was said meanwhile.
      const kept = (talk: Conversation) => (this.offered.value.history || !this.#known) && talk.place.kind !== 'person';
      for (const talk of this.talks.list.value) {
        if (kept(talk)) {
          talk.hold();
        } else {
          talk.gap();
          this.talks.delivery(talk).settle();
        }
      }
    }
    const offered = await ask(this.#socket, 'features', {}, FEATURES_MS).then(readFeatures, () => NOTHING);
    if (!still()) {
      return;
    }
    this.offered.value = offered;
    this.#known = true;
    if (missed && offered.history) {
      this.talks.list.value.forEach((talk) => talk.place.kind !== 'person' && !talk.holding && talk.hold());
    }
    this.ownership.named(offered.name);
    this.#attendance.watch(this.talks.active.value);
    await Promise.all(this.talks.list.value.map((talk) => this.#enter(talk, connectedAt, recovered, still)));
  }

  async #enter(talk: Conversation, connectedAt: number, recovered: boolean, still: () => boolean): Promise<void> {
    if (talk.place.kind === 'room' && this.offered.value.rooms) {
      await ask(this.#socket, 'join', { room: talk.place.name }).catch((error: Error) => still() && (this.complaint.value = error.message));
      if (talk === this.talks.active.value && still()) {
        this.#attendance.watch(talk); // before, it was not ours to watch
      }
    }
    if (this.offered.value.history && talk.place.kind !== 'person') {
      await talk.catchUp(connectedAt, recovered, still);
    } else {
      talk.release();
    }
    if (still()) {
      this.talks.delivery(talk).resume();
    }
  }

  #hear(args: readonly unknown[]): void {
    const payload = args[0];
    const { room, from, to, time } = readPlace(args[1]);
    const sentByMe = from !== undefined && this.ownership.is(from);
    const talk = from !== undefined ? this.talks.find('person', sentByMe ? to! : from) : room ? this.#roomOf(room) : this.talks.lobby;
    if (!talk) {
      return; // what was on its way when we left
    }
    const own = this.ownership.isOwn(talk, payload) || sentByMe;
    const at = Date.now();
    if (talk === this.talks.lobby && this.#joinedAt !== undefined && at - this.#joinedAt <= OWN_JOIN_MS && readMessage([payload], own).kind === 'joined') {
      this.#joinedAt = undefined;
      return;
    }
    talk.hear(payload, own, time ?? at);
  }

  #roomOf(room: string): Conversation | undefined {
    return this.#joining.has(room) ? this.talks.find('room', room) : this.talks.known('room', room);
  }
}
