// What the server complains of. About a message of ours it comes twice: as an `exception` event,
// which all clients understand, and as that message's acknowledgement, which says which one it was.

import type { Socket } from 'socket.io-client';
import { type ShallowRef, shallowRef } from 'vue';
import { readException } from './message';

/** An exception about a message of ours comes just before its acknowledgement. */
const CLAIM_MS = 500;

export interface Complaints {
  /** The last one that is not about one of our messages; empty: none. */
  readonly last: ShallowRef<string>;
  /** This complaint is about one of our messages, and shown there. */
  claim(why: string): void;
}

export function followComplaints(socket: Pick<Socket, 'on'>): Complaints {
  const last = shallowRef('');
  const claimed: string[] = [];
  socket.on('exception', (payload: unknown) => {
    const text = readException(payload);
    setTimeout(() => {
      const at = claimed.indexOf(text);
      if (at < 0) {
        last.value = text;
      } else {
        claimed.splice(at, 1);
      }
    }, CLAIM_MS);
  });
  return {
    last,
    claim(why) {
      claimed.push(why);
      setTimeout(() => claimed.includes(why) && claimed.splice(claimed.indexOf(why), 1), 2 * CLAIM_MS);
    },
  };
}
