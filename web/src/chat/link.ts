// The state of the connection as a person understands it, out of the client library's
// events. The library reconnects by itself after a lost connection, but not after the
// server ended or refused it; that case is handled here.

/** What the page tells its reader. */
export type LinkState = 'connecting' | 'connected' | 'reconnecting' | 'disconnected';

/** The part of the library's Socket that is used here. */
export interface Connectable {
  /** The library will connect again by itself. */
  readonly active: boolean;
  connect(): unknown;
  on(event: 'connect', listener: () => void): unknown;
  on(event: 'disconnect', listener: (reason: string) => void): unknown;
  on(event: 'connect_error', listener: (error: Error) => void): unknown;
}

/** A connection the server ended is tried again this often before a person has to ask. */
const MAX_RETURNS = 3;
/** The first return waits this long, the next twice as long; a random half on top spreads a crowd. */
const RETURN_MS = 1000;
/** A connection that held this long counts as good: the returns start anew. */
const STABLE_MS = 10_000;

/**
 * Follows socket and reports each change of state, starting from 'connecting'. It does
 * not open the connection: call socket.connect() afterwards.
 *
 * A server that shuts down for an update ends its connections in the same way as one that
 * throws somebody out. So the page comes back a few times, ever more slowly, and stops at
 * 'disconnected' when the server keeps ending the connection; `again` then tries anew.
 */
export function followLink(socket: Connectable, report: (state: LinkState) => void): { again(): void } {
  let state: LinkState = 'connecting';
  let wasConnected = false;
  let returns = 0;
  let stable: ReturnType<typeof setTimeout> | undefined;

  const become = (next: LinkState) => {
    if (next !== state) {
      state = next;
      report(next);
    }
  };
  const waiting = () => become(wasConnected ? 'reconnecting' : 'connecting');
  const endedByServer = () => {
    if (returns === MAX_RETURNS) {
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
    stable = setTimeout(() => (returns = 0), STABLE_MS);
    become('connected');
  });
  socket.on('disconnect', (reason) => {
    clearTimeout(stable);
    if (socket.active) {
      waiting();
    } else if (reason === 'io client disconnect') {
      become('disconnected');
    } else {
      endedByServer();
    }
  });
  socket.on('connect_error', () => (socket.active ? waiting() : endedByServer()));

  return {
    again() {
      if (state === 'disconnected') {
        returns = 0;
        waiting();
        socket.connect();
      }
    },
  };
}
