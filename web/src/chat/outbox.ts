// What this page sent and has not seen come back. The server relays a message to everybody, its
// sender included: that echo is the proof of delivery. Until it comes the message is kept, so that
// a connection lost at the wrong moment never loses what somebody wrote.
//
// A server that speaks the chat's own protocol acknowledges a message besides, and knows one that
// is sent again by its `mid`: there the page sends again by itself.

/** A message on its way. */
export interface Pending {
  readonly id: number;
  readonly name: string;
  readonly text: string;
  /**
   * sending: no echo yet. accepted: the server has relayed it, its echo is still to come. waiting: the
   * connection was lost, it will be sent again. doubtful: it may be lost, and the reader decides.
   * refused: by the server.
   */
  readonly state: 'sending' | 'accepted' | 'waiting' | 'doubtful' | 'refused';
  /** Why it was refused, in the server's words. */
  readonly why?: string;
  /** The message's own id, where the server knows such, and when it was first sent (ms since the epoch). */
  readonly mid?: string;
  readonly at?: number;
}

/** A server knows an id again for some minutes; within this time a message is sent again without asking. */
export const RESEND_MS = 120_000;

/** Adds a message that was just handed to the connection. */
export function push(outbox: readonly Pending[], pending: Omit<Pending, 'state'>): readonly Pending[] {
  return [...outbox, { ...pending, state: 'sending' }];
}

/**
 * Takes out the oldest message that payload is the echo of. It gives the same list back
 * when there is none. An identical message by another person of the same name passes for
 * the echo: the two cannot be told apart, and nothing is lost by it.
 *
 * A server that asks for tokens puts the name of the token in place of the one that was sent:
 * `names` are then those that the echo may have.
 */
export function confirm(outbox: readonly Pending[], payload: unknown, names: readonly string[] = []): readonly Pending[] {
  if (outbox.length === 0 || typeof payload !== 'object' || payload === null) {
    return outbox;
  }
  const { name, text } = payload as { name?: unknown; text?: unknown };
  const found = outbox.findIndex(
    (pending) => pending.state !== 'refused' && pending.text === text && (pending.name === name || names.includes(name as string)),
  );
  return found < 0 ? outbox : outbox.toSpliced(found, 1);
}

/** Changes the message with id, if it is still there. */
export function change(outbox: readonly Pending[], id: number, to: Partial<Pending>): readonly Pending[] {
  return outbox.some((p) => p.id === id) ? outbox.map((p) => (p.id === id ? { ...p, ...to } : p)) : outbox;
}

/** The connection is gone: what was on its way waits to be sent again, or is doubted where the server would not know it. */
export function interrupt(outbox: readonly Pending[]): readonly Pending[] {
  const hit = (pending: Pending) => pending.state === 'sending';
  return outbox.some(hit) ? outbox.map((p) => (hit(p) ? { ...p, state: p.mid ? 'waiting' : 'doubtful' } : p)) : outbox;
}

/** What may be sent again now without a double; all else that waited is doubted. `known`: the server knows ids. */
export function due(outbox: readonly Pending[], now: number, known: boolean): { due: readonly Pending[]; outbox: readonly Pending[] } {
  const fresh = (p: Pending) => known && now - (p.at ?? 0) < RESEND_MS;
  const waiting = outbox.filter((p) => p.state === 'waiting');
  return {
    due: waiting.filter(fresh),
    outbox: waiting.length > 0 ? outbox.map((p) => (p.state === 'waiting' && !fresh(p) ? { ...p, state: 'doubtful' } : p)) : outbox,
  };
}

/** Takes out the message with id. */
export function remove(outbox: readonly Pending[], id: number): readonly Pending[] {
  return outbox.filter((pending) => pending.id !== id);
}
