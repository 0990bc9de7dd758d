// The list of what was said, bounded and never changed in place: each step gives a new
// array, and entries that stay are the same objects, so the view re-renders only what is new.
// It grows at its end by what arrives and at its beginning by what a server has kept.

import type { Joined, Message } from './message';

interface Base {
  /** Rises from entry to entry; the view's key. What arrives has ids above 0, what is put in front of an empty list has not. */
  readonly id: number;
  /** In milliseconds since the epoch: when it arrived here, or when the server relayed it if it says so. */
  readonly at: number;
}

/** Something somebody said. */
export interface MessageEntry extends Base, Message {
  /** This page sent it. */
  readonly own: boolean;
  /** Same speaker as the entry above, moments later: the view need not repeat the name. */
  readonly continues: boolean;
  /** When its group began, and which message of it this is, from 1. */
  readonly since: number;
  readonly rank: number;
  /** Which live message it was; none if a server's memory brought it. */
  readonly heard?: number;
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

/** What follows was said on the day of `at`, as this reader's clock has it. */
export interface DayEntry extends Base {
  readonly kind: 'day';
}

export type Entry = MessageEntry | JoinedEntry | GapEntry | DayEntry;

/** What can be added: a message, a join notice or a gap, with its time of arrival. */
export type Arrival = { at: number } & ((Message & { own: boolean; heard?: number }) | Joined | { kind: 'gap' });

/** How many entries are kept; with a server that keeps them too, so many that one can read far back. */
export const TIMELINE_LIMIT = 1000;
export const LONG_TIMELINE_LIMIT = 60_000;

/** The day that stands at the head of a list whose beginning was dropped: below all other ids. */
const HEAD_ID = Number.MIN_SAFE_INTEGER;

/** Messages of one speaker are shown as one group: this long and so many at most. */
const GROUP_MS = 5 * 60_000;
const GROUP_ROWS = 8;

/**
 * Adds arrivals in their order and drops the oldest entries over the limit. Join notices
 * that follow each other become one entry with a count. A day begins with an entry of its own,
 * and so does the list, however much was dropped.
 */
export function append(entries: readonly Entry[], arrivals: readonly Arrival[], limit = TIMELINE_LIMIT): readonly Entry[] {
  const next = entries.slice();
  push(next, arrivals, Math.max(next.at(-1)?.id ?? 0, 0));
  return next.length > limit ? newest(next, limit) : next;
}

/** Puts arrivals, oldest first, in front of entries. Nothing is dropped. */
export function prepend(entries: readonly Entry[], arrivals: readonly Arrival[]): readonly Entry[] {
  if (arrivals.length === 0) {
    return entries;
  }
  const rest = entries[0]?.kind === 'day' ? entries.slice(1) : entries;
  const first = rest[0];
  const next: Entry[] = [];
  // Each arrival may begin a day, and so may what follows them.
  push(next, arrivals, (first?.id ?? 1) - 2 * arrivals.length - 2);
  if (first && !sameDay(next.at(-1)!.at, first.at)) {
    next.push({ kind: 'day', id: first.id - 1, at: first.at });
  }
  return next.concat(rest);
}

/**
 * Puts arrivals before the entry at index, which was said later. Where they fill what was missing,
 * notices of it just before that entry go.
 */
export function insert(entries: readonly Entry[], index: number, arrivals: readonly Arrival[], fills: boolean): readonly Entry[] {
  let from = index;
  while (fills && entries[from - 1]?.kind === 'gap') {
    from--;
  }
  const next = entries.slice(0, from);
  const after = entries.slice(index);
  if (arrivals.length > 0 && after[0]) {
    const low = next.at(-1)?.id ?? after[0].id - 1;
    const step = (after[0].id - low) / (2 * arrivals.length + 2);
    push(next, arrivals, low, step);
    const above = next.at(-1)!;
    if (!sameDay(above.at, after[0].at)) {
      next.push({ kind: 'day', id: after[0].id - step / 2, at: after[0].at });
    }
    if (after[0].kind === 'message') {
      after[0] = { ...after[0], continues: false };
    }
  }
  return next.concat(after);
}

/** Tells whether the oldest entries were dropped: what was said before the rest is not known to be next to it. */
export function isTrimmed(entries: readonly Entry[]): boolean {
  return entries[0]?.id === HEAD_ID;
}

/** Adds arrivals to next, with ids above id, so far apart. */
function push(next: Entry[], arrivals: readonly Arrival[], id: number, step = 1): void {
  let last = next.at(-1);
  for (const arrival of arrivals) {
    if (!last || !sameDay(last.at, arrival.at)) {
      last = { kind: 'day', id: (id += step), at: arrival.at };
      next.push(last);
    }
    if (arrival.kind === 'joined' && last.kind === 'joined') {
      last = { ...last, count: last.count + 1, at: arrival.at };
      next[next.length - 1] = last;
      continue;
    }
    last = entryOf(arrival, (id += step), last);
    next.push(last);
  }
}

/** The newest of entries, so many of them, with a head that stands for itself. */
function newest(entries: readonly Entry[], limit: number): readonly Entry[] {
  const kept = entries.slice(-limit);
  const first = kept[0]!;
  if (first.kind === 'day') {
    kept[0] = { ...first, id: HEAD_ID };
    return kept;
  }
  const second = kept[1];
  if (second?.kind === 'message' && second.continues) {
    kept[1] = { ...second, continues: false };
  }
  kept[0] = { kind: 'day', id: HEAD_ID, at: (second ?? first).at };
  return kept;
}

function entryOf(arrival: Arrival, id: number, above: Entry): Entry {
  switch (arrival.kind) {
    case 'joined':
      return { kind: 'joined', id, at: arrival.at, count: 1 };
    case 'gap':
      return { kind: 'gap', id, at: arrival.at };
    case 'message': {
      const group = above.kind === 'message' && continues(above, arrival) ? above : undefined;
      return { ...arrival, id, continues: group !== undefined, since: group?.since ?? arrival.at, rank: (group?.rank ?? 0) + 1 };
    }
  }
}

function continues(above: MessageEntry, next: { name: string; own: boolean; at: number }): boolean {
  return above.name === next.name && above.own === next.own && next.at - above.since <= GROUP_MS && above.rank < GROUP_ROWS;
}

function sameDay(one: number, other: number): boolean {
  return one === other || new Date(one).toDateString() === new Date(other).toDateString();
}

/** Finds the first message of somebody else in now that was not in before and arrived; what was put in front of it is not new. */
export function firstNew(before: readonly Entry[], now: readonly Entry[]): MessageEntry | undefined {
  const known = Math.max(before.at(-1)?.id ?? 0, 0);
  const from = now.findLastIndex(({ id }) => id <= known) + 1;
  return now.slice(from).find(isOfOthers);
}

/** Counts those messages. */
export function countNew(before: readonly Entry[], now: readonly Entry[]): number {
  const known = Math.max(before.at(-1)?.id ?? 0, 0);
  let count = 0;
  for (let i = now.length - 1; i >= 0 && now[i]!.id > known; i--) {
    if (isOfOthers(now[i]!)) {
      count++;
    }
  }
  return count;
}

function isOfOthers(entry: Entry): entry is MessageEntry {
  return entry.kind === 'message' && !entry.own;
}
