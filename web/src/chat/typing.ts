// The people who write at the moment. Writing ends by itself: after the time that the server gave,
// or with the person's next message.

import { type ShallowRef, shallowRef } from 'vue';
import { NAME_LIMIT, shorten } from './message';

/** Longer is nobody believed to write without a further sign, in milliseconds. */
const LONGEST_MS = 15_000;
/** So many are remembered. */
const MOST = 50;
/** A sign of one's own is sent this often at most; the server passes on one in two seconds. */
const OWN_MS = 3000;

export interface Typing {
  /** Their names, the longest at it first. */
  readonly names: ShallowRef<readonly string[]>;
  /** Someone writes, for so many milliseconds. */
  heard(name: string, ms: number): void;
  /** That person's message is there. */
  said(name: string): void;
  /** Nobody is known to write: the connection is gone. */
  clear(): void;
}

export function followTyping(): Typing {
  const names = shallowRef<readonly string[]>([]);
  const ends = new Map<string, ReturnType<typeof setTimeout>>();
  const show = () => (names.value = [...ends.keys()]);
  const forget = (name: string) => {
    clearTimeout(ends.get(name));
    if (ends.delete(name)) {
      show();
    }
  };
  return {
    names,
    heard(given, ms) {
      const name = shorten(given.replace(/\s+/gu, ' ').trim(), NAME_LIMIT);
      if (name === '' || (ends.size >= MOST && !ends.has(name))) {
        return;
      }
      clearTimeout(ends.get(name));
      const known = ends.has(name);
      ends.set(name, setTimeout(() => forget(name), Math.min(Math.max(ms, 0), LONGEST_MS)));
      if (!known) {
        show();
      }
    },
    said: forget,
    clear: () => [...ends.keys()].forEach(forget),
  };
}

/** Gives a function that says now and then, through `tell`, that one is writing. */
export function sayTyping(tell: () => void): { writes(): void; sent(): void } {
  let last = -Infinity;
  return {
    writes() {
      const now = performance.now();
      if (now - last >= OWN_MS) {
        last = now;
        tell();
      }
    },
    /** After a message the next letter is a new beginning. */
    sent: () => (last = -Infinity),
  };
}
