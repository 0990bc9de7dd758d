// Puts what the server has kept where it was said: before what was heard after it, else at the end of
// what is shown.

import type { ShallowRef } from 'vue';
import type { Batches } from '../ui/batch';
import type { Answer } from './past';
import type { Kept } from './protocol';
import { type Arrival, type Entry, insert, isTrimmed, prepend } from './timeline';

/** Places runs of messages in the entries of a conversation, whose live arrivals go to their end. */
export class Placing {
  readonly #entries: ShallowRef<readonly Entry[]>;
  readonly #arrivals: Batches<Arrival>;
  readonly #recall: (kept: Kept) => Arrival;
  readonly #onNew: (entries: readonly Entry[]) => void;

  /** `onNew` gets the messages of others that were put between older ones. */
  constructor(
    entries: ShallowRef<readonly Entry[]>,
    arrivals: Batches<Arrival>,
    recall: (kept: Kept) => Arrival,
    onNew: (entries: readonly Entry[]) => void,
  ) {
    this.#entries = entries;
    this.#arrivals = arrivals;
    this.#recall = recall;
    this.#onNew = onNew;
  }

  /**
   * Places an answer. What it has of the live messages that are held back, by their numbers, is taken from
   * there. `first`: it is of what was said before all that is shown.
   */
  place({ items, partial }: Answer<number>, held: Map<number, Arrival>, first: boolean): void {
    held.forEach(({ kind }, heard) => kind === 'gap' && held.delete(heard));
    let run: Arrival[] = [];
    for (const item of items) {
      const waiting = item !== 'gap' && 'live' in item ? held.get(item.live) : undefined;
      if (item === 'gap') {
        run.push({ kind: 'gap', at: Date.now() });
      } else if ('kept' in item) {
        run.push(this.#recall(item.kept));
      } else if (waiting) {
        run.push(waiting);
        held.delete(item.live);
      } else {
        this.#putBefore(item.live, run, !partial);
        [run, first] = [[], false];
      }
    }
    first ? this.putInFront(run) : this.#putLast(run, !partial);
  }

  /** Puts a run before all else; what is missing before that can be read. */
  putInFront(run: readonly Arrival[]): void {
    if (!isTrimmed(this.#entries.value)) {
      this.#entries.value = prepend(this.#entries.value, withoutGap(run));
    }
  }

  #putBefore(heard: number, run: readonly Arrival[], fills: boolean): void {
    const before = this.#entries.value;
    const index = before.findLastIndex((entry) => entry.kind === 'message' && entry.heard === heard);
    if (index < 0) {
      return; // dropped, and what was said before it with it
    }
    if (!before.slice(0, index).some(({ kind }) => kind === 'message')) {
      this.#entries.value = insert(before, index, [], fills);
      this.putInFront(run);
      return;
    }
    this.#entries.value = insert(before, index, run, fills);
    const known = new Set(before);
    const others = run.length > 0 ? this.#entries.value.slice(0, -(before.length - index)).filter((entry) => entry.kind === 'message' && !entry.own && !known.has(entry)) : [];
    this.#onNew(others);
  }

  #putLast(run: readonly Arrival[], fills: boolean): void {
    const end = this.#entries.value.length;
    const shown = this.#entries.value.some(({ kind }) => kind === 'message') ? run : withoutGap(run);
    shown.forEach((arrival) => this.#arrivals.add(arrival));
    this.#arrivals.flush();
    if (fills && run.length > 0 && !isTrimmed(this.#entries.value)) {
      this.#entries.value = insert(this.#entries.value, end, [], true);
    }
  }
}

/** A run without the notice at its beginning that something is missing. */
function withoutGap(run: readonly Arrival[]): readonly Arrival[] {
  return run.slice(Math.max(run.findIndex(({ kind }) => kind !== 'gap'), 0));
}
