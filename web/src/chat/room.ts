// The chat as the page sees it: what was said, what is on its way, how the connection is.

import type { Socket } from 'socket.io-client';
import { type ShallowRef, shallowRef } from 'vue';
import { inBatches } from '../ui/batch';
import { type Arrival, type Entry, HISTORY_LIMIT, append } from './history';
import { type LinkState, followLink } from './link';
import { readMessage } from './message';
import { type Pending, confirm, doubt, push, remove } from './outbox';

/** The echo of a message takes a moment; after this long it is doubted. */
const ECHO_MS = 15_000;

export interface Room {
  readonly state: ShallowRef<LinkState>;
  readonly entries: ShallowRef<readonly Entry[]>;
  readonly outbox: ShallowRef<readonly Pending[]>;
  /** Sends a message. False, and nothing is sent or queued, while there is no connection. */
  send(name: string, text: string): boolean;
  /** Sends a doubtful message once more, under the same conditions as send. */
  resend(pending: Pending): boolean;
  /** Forgets a doubtful message. */
  discard(pending: Pending): void;
  /** Connects again after the server has ended the connection for good. */
  connectAgain(): void;
}

/**
 * Opens socket and follows it. The socket must not be connected yet (autoConnect: false)
 * and belongs to the room from then on, for as long as the page lives.
 *
 * Nothing is left to the library's own queue for sockets without a connection: what waits
 * there is invisible, and is sent minutes later without its writer knowing.
 */
export function openRoom(socket: Socket): Room {
  const state = shallowRef<LinkState>('connecting');
  const entries = shallowRef<readonly Entry[]>([]);
  const outbox = shallowRef<readonly Pending[]>([]);
  let lastSent = 0;

  const arrive = inBatches<Arrival>(HISTORY_LIMIT, (arrivals) => {
    entries.value = append(entries.value, arrivals);
  });

  const link = followLink(socket, (next) => {
    // After a recovery the library hands over what was said meanwhile: nothing is missing.
    if (next === 'connected' && state.value === 'reconnecting' && !socket.recovered) {
      arrive({ kind: 'gap', at: Date.now() });
    }
    if (next !== 'connected') {
      outbox.value = doubt(outbox.value);
    }
    state.value = next;
  });

  socket.on('msgToClient', (...args: unknown[]) => {
    const message = readMessage(args);
    if (message.kind === 'joined') {
      arrive({ ...message, at: Date.now() });
      return;
    }
    const before = outbox.value;
    outbox.value = confirm(before, args[0]);
    arrive({ ...message, own: outbox.value !== before, at: Date.now() });
  });
  socket.connect();

  const send = (name: string, text: string) => {
    if (!socket.connected) {
      return false;
    }
    const id = ++lastSent;
    outbox.value = push(outbox.value, id, name, text);
    socket.emit('msgToServer', { name, text });
    setTimeout(() => (outbox.value = doubt(outbox.value, id)), ECHO_MS);
    return true;
  };

  return {
    state,
    entries,
    outbox,
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
  };
}
