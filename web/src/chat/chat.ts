// The chat as the page sees it: the connection, what the server offers, and the conversations.

import type { Socket } from 'socket.io-client';
import { type ShallowRef, shallowRef } from 'vue';
import { followAttendance } from './attendance';
import { followComplaints } from './complaints';
import { Conversation, type Place } from './conversation';
import { Delivery } from './delivery';
import { type LinkState, followLink } from './link';
import type { Memory } from './memory';
import { readMessage } from './message';
import { type Pending, confirm } from './outbox';
import { FEATURES_MS, type Features, NOTHING, ask, readFeatures, readHistory, readPlace } from './protocol';
import type { Refusal } from './refusal';
import { type Renewal, followRenewal } from './renewal';
import type { Siblings } from './siblings';
import type { Entry } from './timeline';
import { namesIn } from './token';

/** One's own arrival is announced as everybody's is, and this soon. */
const OWN_JOIN_MS = 10_000;
/** So many conversations there are at most; a server allows 50 rooms. */
const MOST_TALKS = 120;

export interface Chat {
  readonly state: ShallowRef<LinkState>;
  /** Why there is no connection, as far as that is known. */
  readonly refusal: ShallowRef<Refusal | null>;
  /** The last thing the server complained of that is not about one of our messages; empty: none. */
  readonly complaint: ShallowRef<string>;
  readonly offered: ShallowRef<Features>;
  /** The lobby first, then rooms and people in the order in which they were opened. */
  readonly talks: ShallowRef<readonly Conversation[]>;
  /** The one that is open. */
  readonly active: ShallowRef<Conversation>;
  /** The token that the server is shown; empty: none. */
  readonly token: ShallowRef<string>;
  /** The name under which the server lets the token's bearer speak, once it is known. */
  readonly tokenName: ShallowRef<string>;
  readonly renewal: Renewal;
  /** Is told of new entries. */
  onNews: (talk: Conversation, before: readonly Entry[], now: readonly Entry[]) => void;
  /** Sends a message where one is. False, and nothing is sent or queued, while there is no connection. */
  send(name: string, text: string): boolean;
  /** Sends a doubtful message once more, under the same conditions as send. */
  resend(pending: Pending): boolean;
  /** Forgets a doubtful or refused message. */
  discard(pending: Pending): void;
  /** The reader is writing, under this name. */
  writes(name: string): void;
  open(talk: Conversation): void;
  /** Joins a room and opens it. Throws the server's reason. */
  join(room: string): Promise<void>;
  leave(talk: Conversation): void;
  /** Opens the private talk with a person. */
  talkTo(person: string): void;
  /** The reader leaves, and has seen what is in view. */
  seen(): void;
  /** Connects again after the server has ended the connection for good. */
  connectAgain(): void;
  /** Connects with another token; with an empty one as somebody who has none. */
  signIn(token: string): void;
}

export interface Options {
  readonly siblings: Siblings;
  readonly memory: Memory;
  readonly token?: string;
  /** Is told of a token that replaces the one that was shown. */
  readonly keepToken?: (token: string) => void;
  readonly fetchToken?: (() => Promise<string>) | undefined;
}

/**
 * Opens socket and follows it. The socket must not be connected yet (autoConnect: false)
 * and belongs to the chat from then on, for as long as the page lives.
 *
 * Nothing is left to the library's own queue for sockets without a connection: what waits
 * there is invisible, and is sent minutes later without its writer knowing.
 */
export function openChat(socket: Socket, { siblings, memory, token: given = '', keepToken, fetchToken }: Options): Chat {
  const state = shallowRef<LinkState>('connecting');
  const refusal = shallowRef<Refusal | null>(null);
  const offered = shallowRef(NOTHING);
  const token = shallowRef(given);
  const tokenName = shallowRef('');
  let lastSent = 0;
  let joinedAt: number | undefined; // set while our own arrival has not been announced
  let session = 0;
  socket.auth = (give) => give((token.value ? { token: token.value } : undefined) as object);

  const complaints = followComplaints(socket);
  const post = { socket, complaints, speaks: () => offered.value.any, remember: (id: string) => memory.own(id), next: () => ++lastSent };
  const deliveries = new Map<Conversation, Delivery>();
  const newTalk = (place: Place): Conversation => {
    const where = place.kind === 'room' ? { room: place.name } : {};
    const talk: Conversation = new Conversation(place, {
      ask: async (query) => readHistory(await ask(socket, 'history', { ...where, ...query })),
      isOwn: ({ id, payload, from }) => memory.isOwn(id) || (from !== '' && from === tokenName.value) || isOwn(talk, payload),
      seenUntil: memory.seenUntil(`${place.kind} ${place.name}`),
      onNews(before, now) {
        if (talk !== active.value) {
          talk.missed(before, now);
        }
        chat.onNews(talk, before, now);
      },
    });
    deliveries.set(talk, new Delivery(post, talk));
    return talk;
  };
  const lobby = newTalk({ kind: 'lobby', name: '' });
  const talks = shallowRef<readonly Conversation[]>([lobby, ...memory.rooms().map((name) => newTalk({ kind: 'room', name }))]);
  const active = shallowRef(lobby);
  const known = (kind: Place['kind'], name: string) => talks.value.find(({ place }) => place.kind === kind && place.name === name);
  const find = (kind: Place['kind'], name: string): Conversation => {
    let talk = known(kind, name);
    if (!talk) {
      talk = newTalk({ kind, name });
      talks.value = [...talks.value, talk].slice(0, MOST_TALKS);
    }
    return talk;
  };
  const attendance = followAttendance(socket, () => offered.value, (room, person) => (person ? known('person', person) : room ? known('room', room) : lobby));
  const took = (fresh: string) => {
    token.value = fresh;
    keepToken?.(fresh);
  };
  const renewal = followRenewal(socket, took, fetchToken);

  /** Tells whether payload is what this page, or another tab of it, has sent. */
  const isOwn = (talk: Conversation, payload: unknown): boolean => {
    const names = token.value ? [...namesIn(token.value), tokenName.value] : [];
    const left = confirm(talk.outbox.value, payload, names);
    const leftOfSiblings = left === talk.outbox.value ? confirm(siblings.waiting, payload, names) : siblings.waiting;
    const own = left !== talk.outbox.value || leftOfSiblings !== siblings.waiting;
    talk.outbox.value = left;
    siblings.waiting = leftOfSiblings;
    if (own && token.value) {
      tokenName.value = (payload as { name: string }).name;
    }
    return own;
  };

  /** Takes up a new connection: asks what the server offers, and for what was missed. */
  const begin = async (returned: boolean, recovered: boolean) => {
    const mine = ++session;
    const connectedAt = Date.now();
    if (returned && !recovered) {
      // Otherwise the library hands over what was said meanwhile.
      talks.value.forEach((talk) => (offered.value.history && talk.place.kind !== 'person' ? talk.hold() : talk.gap()));
    }
    const answer = await ask(socket, 'features', {}, FEATURES_MS).then(readFeatures, () => NOTHING);
    if (mine !== session) {
      return;
    }
    offered.value = answer;
    tokenName.value = (token.value && answer.name) || tokenName.value;
    attendance.watch(active.value);
    await Promise.all(talks.value.map((talk) => enter(talk, connectedAt, recovered, () => mine === session)));
  };

  const enter = async (talk: Conversation, connectedAt: number, recovered: boolean, still: () => boolean) => {
    if (talk.place.kind === 'room' && offered.value.rooms) {
      await ask(socket, 'join', { room: talk.place.name }).catch((error: Error) => (complaints.last.value = error.message));
      talk === active.value && still() && attendance.watch(talk);
    }
    if (offered.value.history && talk.place.kind !== 'person') {
      await talk.catchUp(connectedAt, recovered, still);
    } else {
      talk.release();
    }
    if (still()) {
      deliveries.get(talk)?.resume();
    }
  };

  const link = followLink(socket, (next, why) => {
    refusal.value = why;
    if (next === state.value) {
      return;
    }
    const returned = state.value === 'reconnecting';
    state.value = next;
    if (next === 'connected') {
      joinedAt = socket.recovered ? undefined : Date.now();
      void begin(returned, socket.recovered);
    } else {
      session++;
      attendance.lost();
      renewal.reset();
      talks.value.forEach((talk) => talk.cut());
      deliveries.forEach((delivery) => delivery.interrupt());
    }
  });

  socket.on('msgToClient', (...args: unknown[]) => {
    const { room, from, to, time } = readPlace(args[1]);
    const payload = args[0];
    const talk = from !== undefined ? find('person', from === tokenName.value ? to! : from) : room ? find('room', room) : lobby;
    const own = isOwn(talk, payload) || (from !== undefined && from === tokenName.value);
    const at = Date.now();
    if (talk === lobby && joinedAt !== undefined && at - joinedAt <= OWN_JOIN_MS && readMessage([payload], own).kind === 'joined') {
      joinedAt = undefined;
      return;
    }
    talk.hear(payload, own, time ?? at);
  });
  // What the library would send by itself after a return waits in the outbox instead.
  socket.on('disconnect', () => (socket.sendBuffer = []));

  const delivery = () => deliveries.get(active.value)!;
  const chat: Chat = {
    state,
    refusal,
    complaint: complaints.last,
    offered,
    talks,
    active,
    token,
    tokenName,
    renewal,
    onNews: () => {},
    send(name, text) {
      if (!socket.connected) {
        return false;
      }
      siblings.tell(name, text);
      delivery().send(name, text);
      attendance.sent();
      return true;
    },
    resend(pending) {
      if (socket.connected) {
        siblings.tell(pending.name, pending.text);
        delivery().resend(pending);
      }
      return socket.connected;
    },
    discard: (pending) => delivery().discard(pending),
    writes: (name) => attendance.writes(token.value ? tokenName.value : name),
    open(talk) {
      chat.seen();
      talk.unread.value = 0;
      active.value = talk;
      attendance.watch(talk);
    },
    async join(room) {
      await ask(socket, 'join', { room });
      const fresh = !known('room', room);
      const talk = find('room', room);
      memory.keepRooms(talks.value.flatMap(({ place }) => (place.kind === 'room' ? [place.name] : [])));
      chat.open(talk);
      if (fresh && offered.value.history) {
        await talk.catchUp(Date.now(), false, () => true);
      }
    },
    leave(talk) {
      const { kind, name } = talk.place;
      if (talk === active.value) {
        chat.open(lobby);
      }
      talks.value = talks.value.filter((other) => other !== talk);
      deliveries.delete(talk);
      if (kind === 'room') {
        memory.keepRooms(talks.value.flatMap(({ place }) => (place.kind === 'room' ? [place.name] : [])));
        ask(socket, 'leave', { room: name }).catch(() => {});
      }
    },
    talkTo: (person) => chat.open(find('person', person)),
    seen() {
      if (active.value.following) {
        memory.see(active.value.key, active.value.serverTime(Date.now()));
      }
    },
    connectAgain: link.again,
    signIn(next) {
      token.value = next;
      tokenName.value = '';
      // Ends as a client that goes: the library does not come back by itself.
      socket.disconnect();
      link.again();
    },
  };
  socket.connect();
  return chat;
}
