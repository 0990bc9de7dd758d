// The conversations of this page: the lobby, joined rooms, private talk with people. One is open.

import type { Socket } from 'socket.io-client';
import { type ShallowRef, shallowRef } from 'vue';
import { Conversation, type Place, addressOf } from './conversation';
import { Delivery, type Post } from './delivery';
import type { Memory } from './memory';
import type { Ownership } from './ownership';
import { ask, readHistory } from './protocol';
import type { Entry } from './timeline';

/** When there are so many, private talk gives way to what is new; rooms do not, and a server allows 50 of them. */
const MOST = 120;

export class Talks {
  readonly lobby: Conversation;
  /** The lobby first, then rooms and people in the order in which they were opened. */
  readonly list: ShallowRef<readonly Conversation[]>;
  /** The one that is open. */
  readonly active: ShallowRef<Conversation>;
  /** Is told of new entries. */
  onNews: (talk: Conversation, before: readonly Entry[], now: readonly Entry[]) => void = () => {};

  readonly #socket: Socket;
  readonly #ownership: Ownership;
  readonly #memory: Memory;
  readonly #post: Post;
  readonly #deliveries = new Map<Conversation, Delivery>();

  constructor(socket: Socket, ownership: Ownership, memory: Memory, post: Post) {
    this.#socket = socket;
    this.#ownership = ownership;
    this.#memory = memory;
    this.#post = post;
    this.lobby = this.#create({ kind: 'lobby', name: '' });
    this.active = shallowRef(this.lobby);
    this.list = shallowRef([this.lobby, ...memory.rooms().map((name) => this.#create({ kind: 'room', name }))]);
  }

  /** The conversation of that kind and name, if there is one. */
  known(kind: Place['kind'], name: string): Conversation | undefined {
    return this.list.value.find(({ place }) => place.kind === kind && place.name === name);
  }

  /** The same; it begins if there is none. */
  find(kind: 'room' | 'person', name: string): Conversation {
    let talk = this.known(kind, name);
    if (!talk) {
      this.#giveWay();
      talk = this.#create({ kind, name });
      this.list.value = [...this.list.value, talk];
      this.#keepRooms();
    }
    return talk;
  }

  /** What hands on messages of talk. */
  delivery(talk: Conversation): Delivery {
    return this.#deliveries.get(talk)!;
  }

  open(talk: Conversation): void {
    this.seen();
    talk.unread.value = 0;
    this.active.value = talk;
  }

  /** Ends talk here; if it was open the lobby is. */
  remove(talk: Conversation): void {
    if (talk === this.active.value) {
      this.open(this.lobby);
    }
    this.list.value = this.list.value.filter((other) => other !== talk);
    this.#deliveries.delete(talk);
    this.#keepRooms();
  }

  /** Remembers that all of the open one was seen, if it was. */
  seen(): void {
    const talk = this.active.value;
    if (talk.following) {
      this.#memory.see(talk.key, talk.serverTime(Date.now()));
    }
  }

  /**
   * If there are as many as there may be, ends the private talk that was opened first, of those that are not open now and have
   * nothing left to send.
   */
  #giveWay(): void {
    const mayGo = (talk: Conversation) => talk.place.kind === 'person' && talk !== this.active.value && talk.outbox.value.length === 0;
    const oldest = this.list.value.find(mayGo);
    if (oldest && this.list.value.length >= MOST) {
      this.remove(oldest);
    }
  }

  #keepRooms(): void {
    this.#memory.keepRooms(this.list.value.flatMap(({ place }) => (place.kind === 'room' ? [place.name] : [])));
  }

  #create(place: Place): Conversation {
    const talk: Conversation = new Conversation(place, {
      ask: async (query) => readHistory(await ask(this.#socket, 'history', { ...addressOf(place), ...query })),
      isOwn: (kept) => this.#ownership.isOwnKept(talk, kept),
      seenUntil: this.#memory.seenUntil(`${place.kind} ${place.name}`),
      isOpen: () => talk === this.active?.value, // while the lobby is made none is
      onNews: (before, now) => this.onNews(talk, before, now),
    });
    this.#deliveries.set(talk, new Delivery(this.#post, talk));
    return talk;
  }
}
