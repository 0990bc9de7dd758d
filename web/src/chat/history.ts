// The list of what was said, bounded and never changed in place: each step gives a new
// array, and entries that stay are the same objects, so the view re-renders only what is new.

import type { Joined, Message } from './message';

interface Base {
  /** Rises with every entry; the view's key. */
  readonly id: number;
  /** When it arrived here, in milliseconds since the epoch: the server sends no time. */
  readonly at: number;
}

/** Something somebody said. */
export interface MessageEntry extends Base, Message {
  /** This page sent it. */
  readonly own: boolean;
  /** Same speaker as the entry above, moments later: the view need not repeat the name. */
  readonly continues: boolean;
}

/** One or more people came, one after another. */
export interface JoinedEntry extends Base {
  readonly kind: 'joined';
  readonly count: number;
}

/** The connection was lost and is back; what was said meanwhile is not in the list. */
export interface GapEntry extends Base {
  readonly kind: 'gap';
}

export type Entry = MessageEntry | JoinedEntry | GapEntry;

/** What can be added: a message, a join notice or a gap, with its time of arrival. */
export type Arrival = { at: number } & ((Message & { own: boolean }) | Joined | { kind: 'gap' });

/** How many entries are kept. */
export const HISTORY_LIMIT = 1000;

/** Messages of one speaker are shown as one group when no more than this lies between them. */
const GROUP_MS = 3 * 60_000;

/**
 * Adds arrivals in their order and drops the oldest entries over the limit. Join notices
 * that follow each other become one entry with a count.
 */
export function append(entries: readonly Entry[], arrivals: readonly Arrival[], limit = HISTORY_LIMIT): readonly Entry[] {
  const next = entries.slice();
  let last = next.at(-1);
  let id = last?.id ?? 0;
  for (const arrival of arrivals) {
    if (arrival.kind === 'joined' && last?.kind === 'joined') {
      last = { ...last, count: last.count + 1, at: arrival.at };
      next[next.length - 1] = last;
      continue;
    }
    id++;
    last = entryOf(arrival, id, last);
    next.push(last);
  }
  return next.length > limit ? next.slice(-limit) : next;
}

function entryOf(arrival: Arrival, id: number, above: Entry | undefined): Entry {
  switch (arrival.kind) {
    case 'joined':
      return { kind: 'joined', id, at: arrival.at, count: 1 };
    case 'gap':
      return { kind: 'gap', id, at: arrival.at };
    case 'message':
      return { ...arrival, id, continues: above?.kind === 'message' && continues(above, arrival) };
  }
}

function continues(above: MessageEntry, next: { name: string; own: boolean; at: number }): boolean {
  return above.name === next.name && above.own === next.own && next.at - above.at <= GROUP_MS;
}

/** Counts the messages in now that were not in before, notices left out. */
export function countNew(before: readonly Entry[], now: readonly Entry[]): number {
  const known = before.at(-1)?.id ?? 0;
  let count = 0;
  for (let i = now.length - 1; i >= 0 && now[i]!.id > known; i--) {
    if (now[i]!.kind === 'message') {
      count++;
    }
  }
  return count;
}
