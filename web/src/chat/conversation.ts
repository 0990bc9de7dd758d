// One conversation as the page sees it: the lobby that everybody is in, a room, or private talk
// with one person. It keeps what was said and fills it with what the server has kept.

import { type ShallowRef, shallowRef } from 'vue';
import { inBatches } from '../ui/batch';
import { readMessage } from './message';
import type { Pending } from './outbox';
import { Past, type Query } from './past';
import { NOBODY, type People } from './people';
import type { HistoryPage, Kept } from './protocol';
import { type Arrival, type Entry, LONG_TIMELINE_LIMIT, TIMELINE_LIMIT, append, countNew, firstNew, prepend } from './timeline';
import { type Typing, followTyping } from './typing';

/** lobby: everybody is there. The name of the others is that of the room or of the person. */
export interface Place {
  readonly kind: 'lobby' | 'room' | 'person';
  readonly name: string;
}

/** How an event tells the server which conversation it is about; the lobby goes without saying. */
export function addressOf({ kind, name }: Place): { room?: string; to?: string } {
  return kind === 'room' ? { room: name } : kind === 'person' ? { to: name } : {};
}

/** none: nothing is kept. start: what is shown begins where the server's memory does. */
export type Earlier = 'none' | 'more' | 'loading' | 'failed' | 'start';

/** What a conversation has to be told. */
export interface Surroundings {
  /** Asks for kept messages; rejects when there is no answer. */
  ask(query: Query): Promise<HistoryPage>;
  /** This kept message is one of ours. */
  isOwn(kept: Kept): boolean;
  /** The last moment, by the server's clock, of which the reader has seen all, in an earlier visit; 0: none. */
  seenUntil: number;
  /** Messages came, and these are the new entries' numbers. */
  onNews(before: readonly Entry[], now: readonly Entry[]): void;
}

export class Conversation {
  readonly entries: ShallowRef<readonly Entry[]> = shallowRef([]);
  readonly outbox: ShallowRef<readonly Pending[]> = shallowRef([]);
  readonly earlier: ShallowRef<Earlier> = shallowRef('none');
  /** The server could not look everywhere for what it answered. */
  readonly partial = shallowRef(false);
  /** Messages that came while another conversation was open. */
  readonly unread = shallowRef(0);
  /** The entry at which begins what the reader has not seen; NaN: none. */
  readonly mark = shallowRef(NaN);
  readonly people: ShallowRef<People> = shallowRef(NOBODY);
  readonly typing: Typing = followTyping();
  /** The newest message is in view. */
  following = true;

  readonly #past: Past<Arrival>;
  readonly #around: Surroundings;
  readonly #arrive: (arrival: Arrival) => void;
  /** Live messages that wait for what was said before them; undefined: none do. */
  #held: Set<Arrival> | undefined;
  #limit = TIMELINE_LIMIT;
  #loaded = false;

  constructor(
    readonly place: Place,
    around: Surroundings,
  ) {
    this.#around = around;
    this.#past = new Past((query) => around.ask(query));
    this.#arrive = inBatches<Arrival>(TIMELINE_LIMIT, (arrivals) => {
      const before = this.entries.value;
      this.entries.value = append(before, arrivals, this.#limit);
      if (this.entries.value[0]?.kind === 'day' && this.entries.value.length === LONG_TIMELINE_LIMIT) {
        this.earlier.value = 'none'; // the oldest are dropped: no page would fit to what is left
      }
      around.onNews(before, this.entries.value);
    });
  }

  get key(): string {
    return `${this.place.kind} ${this.place.name}`;
  }

  /** A message, or the notice that somebody came, as `msgToClient` brings it. */
  hear(payload: unknown, own: boolean, at = Date.now()): void {
    const arrival = arrivalOf(payload, own, at);
    if (arrival.kind === 'message') {
      this.typing.said(arrival.name);
      if (!this.#past.hear(payload, arrival)) {
        return;
      }
    }
    this.#held ? this.#held.add(arrival) : this.#arrive(arrival);
  }

  /** Shows a message of ours whose echo was lost, though the server has relayed it. */
  settle({ name, text, at = Date.now() }: Pending): void {
    this.#arrive({ kind: 'message', name, text, raw: false, cut: 0, own: true, at });
  }

  /** The connection is lost. */
  cut(): void {
    this.#past.cut();
    this.typing.clear();
  }

  /** The connection is back: what comes now is kept back until it is known what came before. */
  hold(): void {
    this.#held ??= new Set();
  }

  /** Something is missing here, and nobody can say what. */
  gap(): void {
    this.#arrive({ kind: 'gap', at: Date.now() });
    this.#letGo();
  }

  /** There is nobody to ask what came before: if anything waits for that, something is missing. */
  release(): void {
    if (this.#held) {
      this.gap();
    }
  }

  /**
   * Fetches what the server has kept and this page has not heard, over a connection that began at
   * `connectedAt` and is there as long as `still` says so. Where the server has handed over what was
   * missed (`recovered`), only a conversation that never was filled has something to fetch.
   */
  async catchUp(connectedAt: number, recovered: boolean, still: () => boolean): Promise<void> {
    if (recovered && this.#loaded) {
      this.#letGo();
      return;
    }
    const returned = this.#loaded || this.#held !== undefined;
    this.#limit = LONG_TIMELINE_LIMIT;
    try {
      const held = this.#held;
      const { items, gap, partial } = await this.#past.catchUp(connectedAt, (live) => held?.has(live) ?? false);
      this.partial.value = partial;
      if (returned) {
        if (gap) {
          this.#arrive({ kind: 'gap', at: Date.now() });
        }
        for (const item of items) {
          this.#arrive('live' in item ? item.live : this.#recall(item.kept));
          'live' in item && held?.delete(item.live);
        }
      } else {
        this.#putInFront(items.flatMap((item) => ('kept' in item ? [item.kept] : [])));
        this.#markUnseen();
      }
      this.#loaded = true;
      this.earlier.value = this.#past.more ? 'more' : 'start';
      this.#letGo();
    } catch {
      if (returned && still()) {
        this.gap();
      }
    }
  }

  /** Fetches messages from before those that are shown. */
  async readEarlier(): Promise<void> {
    if (this.earlier.value !== 'more' && this.earlier.value !== 'failed') {
      return;
    }
    this.earlier.value = 'loading';
    try {
      this.#putInFront(await this.#past.earlier());
      this.earlier.value = this.#past.more && this.entries.value.length < LONG_TIMELINE_LIMIT ? 'more' : 'start';
    } catch {
      this.earlier.value = 'failed';
    }
  }

  /** The moment `at` by the server's clock. */
  serverTime(at: number): number {
    return this.#past.serverTime(at);
  }

  /** Counts what came while another conversation was open, and marks where it begins. */
  missed(before: readonly Entry[], now: readonly Entry[]): void {
    const first = firstNew(before, now);
    if (first && this.unread.value === 0) {
      this.mark.value = first.id;
    }
    this.unread.value += countNew(before, now);
  }

  #letGo(): void {
    const held = this.#held;
    this.#held = undefined;
    held?.forEach((arrival) => this.#arrive(arrival));
  }

  #putInFront(kept: readonly Kept[]): void {
    this.entries.value = prepend(this.entries.value, kept.map((one) => this.#recall(one)));
  }

  #recall(kept: Kept): Arrival {
    return arrivalOf(kept.payload, this.#around.isOwn(kept), kept.time || Date.now());
  }

  #markUnseen(): void {
    const until = this.#around.seenUntil;
    const first = until > 0 ? this.entries.value.find((e) => e.kind === 'message' && e.at > until) : undefined;
    if (first && first.kind === 'message' && !first.own) {
      this.mark.value = first.id;
    }
  }
}

/** What a live or a kept message adds to the timeline. */
function arrivalOf(payload: unknown, own: boolean, at: number): Arrival {
  const message = readMessage([payload], own);
  return message.kind === 'message' ? { ...message, own, at } : { ...message, at };
}
