// What this page sent and has not seen come back. The server does not acknowledge a
// message, it relays it to everybody, its sender included: that echo is the proof of
// delivery. Until it comes the message is kept, so that a connection lost at the wrong
// moment never loses what somebody wrote.

/** A message on its way. */
export interface Pending {
  readonly id: number;
  readonly name: string;
  readonly text: string;
  /** sending: no echo yet. doubtful: the connection was lost, or the echo is overdue. refused: by the server. */
  readonly state: 'sending' | 'doubtful' | 'refused';
  /** Why it was refused, in the server's words. */
  readonly why?: string;
}

/** Adds a message that was just handed to the connection. */
export function push(outbox: readonly Pending[], id: number, name: string, text: string): readonly Pending[] {
  return [...outbox, { id, name, text, state: 'sending' }];
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

/** Marks messages whose echo can no longer be expected: all of them, or the one with id. */
export function doubt(outbox: readonly Pending[], id?: number): readonly Pending[] {
  const hit = (pending: Pending) => pending.state === 'sending' && (id === undefined || pending.id === id);
  return outbox.some(hit) ? outbox.map((p) => (hit(p) ? { ...p, state: 'doubtful' } : p)) : outbox;
}

/** Marks the message with id as refused by the server, for the reason why. */
export function refuse(outbox: readonly Pending[], id: number, why: string): readonly Pending[] {
  return outbox.map((p) => (p.id === id ? { ...p, state: 'refused', why } : p));
}

/** Takes out the message with id. */
export function remove(outbox: readonly Pending[], id: number): readonly Pending[] {
  return outbox.filter((pending) => pending.id !== id);
}
