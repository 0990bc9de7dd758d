// The chat as the page sees it: what was said, what is on its way, how the connection is.

import type { Socket } from 'socket.io-client';
import { type ShallowRef, shallowRef } from 'vue';
import { inBatches } from '../ui/batch';
import { type Arrival, type Entry, HISTORY_LIMIT, append } from './history';
import { type LinkState, followLink } from './link';
import { readException, readMessage } from './message';
import { type Pending, confirm, doubt, push, refuse, remove } from './outbox';
import type { Refusal } from './refusal';
import type { Siblings } from './siblings';
import { namesIn } from './token';

/** The echo of a message takes a moment; after this long it is doubted. */
const ECHO_MS = 15_000;

/** One's own arrival is announced as everybody's is, and this soon. */
const OWN_JOIN_MS = 10_000;

/** An exception about a message of ours comes just before its acknowledgement. */
const CLAIM_MS = 500;

export interface Room {
  readonly state: ShallowRef<LinkState>;
  /** Why there is no connection, as far as that is known. */
  readonly refusal: ShallowRef<Refusal | null>;
  /** The last thing the server complained of that is not about one of our messages; empty: none. */
  readonly complaint: ShallowRef<string>;
  readonly entries: ShallowRef<readonly Entry[]>;
  readonly outbox: ShallowRef<readonly Pending[]>;
  /** The token that the server is shown; empty: none. */
  readonly token: ShallowRef<string>;
  /** The name under which the server lets the token's bearer speak, once it is known. */
  readonly tokenName: ShallowRef<string>;
  /** Sends a message. False, and nothing is sent or queued, while there is no connection. */
  send(name: string, text: string): boolean;
  /** Sends a doubtful message once more, under the same conditions as send. */
  resend(pending: Pending): boolean;
  /** Forgets a doubtful or refused message. */
  discard(pending: Pending): void;
  /** Connects again after the server has ended the connection for good. */
  connectAgain(): void;
  /** Connects with another token; with an empty one as somebody who has none. */
  signIn(token: string): void;
}

/**
 * Opens socket and follows it. The socket must not be connected yet (autoConnect: false)
 * and belongs to the room from then on, for as long as the page lives.
 *
 * Nothing is left to the library's own queue for sockets without a connection: what waits
 * there is invisible, and is sent minutes later without its writer knowing.
 */
export function openRoom(socket: Socket, siblings: Siblings, keptToken = ''): Room {
  const state = shallowRef<LinkState>('connecting');
  const refusal = shallowRef<Refusal | null>(null);
  const complaint = shallowRef('');
  const entries = shallowRef<readonly Entry[]>([]);
  const outbox = shallowRef<readonly Pending[]>([]);
  const token = shallowRef(keptToken);
  const tokenName = shallowRef('');
  let lastSent = 0;
  let joinedAt: number | undefined; // set while our own arrival has not been announced
  socket.auth = (give) => give((token.value ? { token: token.value } : undefined) as object);

  const arrive = inBatches<Arrival>(HISTORY_LIMIT, (arrivals) => {
    entries.value = append(entries.value, arrivals);
  });

  const link = followLink(socket, (next, why) => {
    refusal.value = why;
    if (next === state.value) {
      return;
    }
    if (next === 'connected' && !socket.recovered) {
      joinedAt = Date.now();
      // After a recovery the library hands over what was said meanwhile: nothing is missing.
      if (state.value === 'reconnecting') {
        arrive({ kind: 'gap', at: Date.now() });
      }
    }
    if (next !== 'connected') {
      outbox.value = doubt(outbox.value);
    }
    state.value = next;
  });

  /** Tells whether payload is what this page, or another tab of it, has sent. */
  const isOwn = (payload: unknown): boolean => {
    const names = token.value ? namesIn(token.value) : [];
    const left = confirm(outbox.value, payload, names);
    const leftOfSiblings = left === outbox.value ? confirm(siblings.waiting, payload, names) : siblings.waiting;
    const own = left !== outbox.value || leftOfSiblings !== siblings.waiting;
    outbox.value = left;
    siblings.waiting = leftOfSiblings;
    if (own && token.value) {
      tokenName.value = (payload as { name: string }).name;
    }
    return own;
  };

  socket.on('msgToClient', (...args: unknown[]) => {
    const own = isOwn(args[0]);
    const at = Date.now();
    const message = readMessage(args, own);
    if (message.kind === 'message') {
      arrive({ ...message, own, at });
    } else if (joinedAt === undefined || at - joinedAt > OWN_JOIN_MS) {
      arrive({ ...message, at });
    } else {
      joinedAt = undefined;
    }
  });

  // About a message of ours it comes twice: as an event, which all clients understand, and as
  // the acknowledgement of that message, which says which one it was.
  const claimed: string[] = [];
  socket.on('exception', (payload: unknown) => {
    const text = readException(payload);
    setTimeout(() => {
      const at = claimed.indexOf(text);
      if (at < 0) {
        complaint.value = text;
      } else {
        claimed.splice(at, 1);
      }
    }, CLAIM_MS);
  });
  // What the library would send by itself after a return waits in the outbox instead.
  socket.on('disconnect', () => (socket.sendBuffer = []));
  socket.connect();

  const send = (name: string, text: string) => {
    if (!socket.connected) {
      return false;
    }
    const id = ++lastSent;
    outbox.value = push(outbox.value, id, name, text);
    siblings.tell(name, text);
    socket.timeout(ECHO_MS).emit('msgToServer', { name, text }, (overdue: Error | null, answer: unknown) => {
      if (overdue) {
        outbox.value = doubt(outbox.value, id);
        return;
      }
      const why = readException(answer);
      claimed.push(why);
      setTimeout(() => claimed.includes(why) && claimed.splice(claimed.indexOf(why), 1), 2 * CLAIM_MS);
      outbox.value = refuse(outbox.value, id, why);
    });
    return true;
  };

  return {
    state,
    refusal,
    complaint,
    entries,
    outbox,
    token,
    tokenName,
    send,
    resend(pending) {
      const sent = send(pending.name, pending.text);
      if (sent) {
        outbox.value = remove(outbox.value, pending.id);
      }
      return sent;
    },
    discard(pending) {
      outbox.value = remove(outbox.value, pending.id);
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
}
