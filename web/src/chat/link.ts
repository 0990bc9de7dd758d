// The state of the connection as a person understands it, out of the client library's
// events. The library reconnects by itself after a lost connection, but not after the
// server ended or refused it; that case is handled here.

import { ENDED, type Refusal, readRefusal } from './refusal';

/** What the page tells its reader. */
export type LinkState = 'connecting' | 'connected' | 'reconnecting' | 'disconnected';

/** The part of the library's Socket that is used here. */
export interface Connectable {
  /** The library will connect again by itself. */
  readonly active: boolean;
  connect(): unknown;
  on(event: 'connect', listener: () => void): unknown;
  on(event: 'disconnect', listener: (reason: string, details?: unknown) => void): unknown;
  on(event: 'connect_error', listener: (error: Error) => void): unknown;
}

/** A connection the server ended is tried again this often before a person has to ask. */
const MAX_RETURNS = 3;
/** The first return waits this long, the next twice as long; a random half on top spreads a crowd. */
const RETURN_MS = 1000;
/** A connection that held this long counts as good: the returns start anew. */
const STABLE_MS = 10_000;

/** An attempt may fail without a word; when so many have failed in a row the reader is told. */
const TOLD_AFTER = 2;

/**
 * Follows socket and reports each change of state, starting from 'connecting', and of the
 * reason why there is no connection, where one is known. It does
 * not open the connection: call socket.connect() afterwards.
 *
 * A server that shuts down for an update ends its connections in the same way as one that
 * throws somebody out. So the page comes back a few times, ever more slowly, and stops at
 * 'disconnected' when the server keeps ending the connection; `again` then tries anew. Where a
 * token is missing it stops at once: another attempt would fare no better.
 */
export function followLink(socket: Connectable, report: (state: LinkState, why: Refusal | null) => void): { again(): void } {
  let state: LinkState = 'connecting';
  let why: Refusal | null = null;
  let failures = 0;
  let wasConnected = false;
  let returns = 0;
  let stable: ReturnType<typeof setTimeout> | undefined;

  const become = (next: LinkState) => {
    if (next !== state) {
      state = next;
      report(next, why);
    }
  };
  const because = (next: Refusal | null) => {
    if (next?.kind !== why?.kind || next?.detail !== why?.detail) {
      why = next;
      report(state, why);
    }
  };
  /** Takes down why an attempt failed: a reason of the server at once, silence when it lasts. */
  const failed = (refusal: Refusal) => {
    failures++;
    if (refusal.kind !== 'unreachable' || failures >= TOLD_AFTER) {
      because(refusal);
    }
  };
  const waiting = () => become(wasConnected ? 'reconnecting' : 'connecting');
  const endedByServer = () => {
    if (returns === MAX_RETURNS || why?.kind === 'signIn') {
      because(why ?? ENDED);
      become('disconnected');
      return;
    }
    waiting();
    const delay = RETURN_MS * 2 ** returns * (1 + Math.random() / 2);
    returns++;
    setTimeout(() => socket.connect(), delay);
  };

  socket.on('connect', () => {
    wasConnected = true;
    failures = 0;
    stable = setTimeout(() => (returns = 0), STABLE_MS);
    because(null);
    become('connected');
  });
  socket.on('disconnect', (reason, details) => {
    clearTimeout(stable);
    // A first request may pass where the next is refused, such as those that name their origin.
    if (state !== 'connected' && isError(details)) {
      failed(readRefusal(details));
    }
    if (socket.active) {
      waiting();
    } else if (reason === 'io client disconnect') {
      become('disconnected');
    } else {
      endedByServer();
    }
  });
  socket.on('connect_error', (error) => {
    failed(readRefusal(error));
    if (socket.active) {
      waiting();
    } else {
      endedByServer();
    }
  });

  return {
    again() {
      if (state === 'disconnected') {
        returns = 0;
        because(null);
        waiting();
        socket.connect();
      }
    },
  };
}

function isError(details: unknown): details is Error {
  return details instanceof Error;
}
