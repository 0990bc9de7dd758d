// One conversation as the page sees it: the lobby that everybody is in, a room, or private talk
// with one person. It keeps what was said and fills it with what the server has kept.

import { type ShallowRef, shallowRef } from 'vue';
import { type Batches, inBatches } from '../ui/batch';
import { readMessage } from './message';
import type { Pending } from './outbox';
import { Past, type Query } from './past';
import { NOBODY, type People } from './people';
import { Placing } from './placing';
import type { HistoryPage, Kept } from './protocol';
import { type Arrival, type Entry, LONG_TIMELINE_LIMIT, TIMELINE_LIMIT, append, countNew, firstNew, isTrimmed } from './timeline';
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
  /** This conversation is the one that is open. */
  isOpen(): boolean;
  /** Messages came. */
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

  readonly #past: Past<number>;
  readonly #around: Surroundings;
  readonly #arrivals: Batches<Arrival>;
  readonly #placing: Placing;
  /** How many live messages and notices came. */
  #heard = 0;
  /** Those that wait for what was said before them, by their number; undefined: none do. */
  #held: Map<number, Arrival> | undefined;
  #catchingUp: Promise<void> | undefined;
  #limit = TIMELINE_LIMIT;
  #loaded = false;
  /** Something may have been said, since this conversation began, that nobody brought. */
  #broken = false;

  constructor(
    readonly place: Place,
    around: Surroundings,
  ) {
    this.#around = around;
    this.#past = new Past((query) => around.ask(query));
    this.#arrivals = inBatches<Arrival>(TIMELINE_LIMIT, (arrivals) => {
      const before = this.entries.value;
      this.entries.value = append(before, arrivals, this.#limit);
      if (isTrimmed(this.entries.value)) {
        this.earlier.value = 'none'; // no page would fit to what is left
      }
      this.#unseen(firstNew(before, this.entries.value), countNew(before, this.entries.value));
      around.onNews(before, this.entries.value);
    });
    this.#placing = new Placing(
      this.entries,
      this.#arrivals,
      (kept) => this.#recall(kept),
      (entries) => this.#unseen(entries[0], entries.length),
    );
  }

  get key(): string {
    return `${this.place.kind} ${this.place.name}`;
  }

  /** A message, or the notice that somebody came, as `msgToClient` brings it. */
  hear(payload: unknown, own: boolean, at = Date.now()): void {
    const heard = ++this.#heard;
    const arrival = { ...arrivalOf(payload, own, at), heard };
    if (arrival.kind === 'message') {
      this.typing.said(arrival.name);
      if (!this.#past.hear(payload, heard)) {
        return;
      }
    }
    this.#held ? this.#held.set(heard, arrival) : this.#arrivals.add(arrival);
  }

  /** Shows a message of ours whose echo was lost, though the server has relayed it. */
  settle({ name, text, at }: Pending): void {
    this.hear({ name, text }, true, at);
  }

  /** What is live waits until it is known what came before. */
  get holding(): boolean {
    return this.#held !== undefined;
  }

  /** What the server has kept was asked for, and is here. */
  get loaded(): boolean {
    return this.#loaded;
  }

  /** A session begins: nothing that it brings was said before. `returned`: it is not the first. */
  begin(returned: boolean): void {
    this.#broken ||= returned;
    this.#past.begin(returned);
  }

  /** The connection is lost. */
  cut(): void {
    this.#past.cut();
    this.typing.clear();
  }

  /** The connection is back: what comes now is kept back until it is known what came before. */
  hold(): void {
    this.#held ??= new Map();
    if (this.#held.size > 0) {
      this.#held.set(++this.#heard, { kind: 'gap', at: Date.now() }); // unless an answer fills it
    }
  }

  /** Something is missing here, and nobody can say what. */
  gap(): void {
    this.#arrivals.add({ kind: 'gap', at: Date.now() });
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
  catchUp(connectedAt: number, recovered: boolean, still: () => boolean): Promise<void> {
    this.#catchingUp ??= this.#catchUp(connectedAt, recovered, still).finally(() => (this.#catchingUp = undefined));
    return this.#catchingUp;
  }

  async #catchUp(connectedAt: number, recovered: boolean, still: () => boolean): Promise<void> {
    if (recovered && this.#loaded && !this.#held) {
      return;
    }
    this.#limit = LONG_TIMELINE_LIMIT;
    try {
      const answer = await this.#past.catchUp(connectedAt, (heard) => this.#held?.has(heard) ?? false);
      this.partial.value = answer.partial;
      this.#arrivals.flush();
      // A first answer is of what was said before this page was there, unless the line broke since.
      const first = !this.#loaded && !(this.#broken && this.entries.value.some(({ kind }) => kind === 'message'));
      this.#placing.place(answer, this.#held ?? new Map(), first);
      if (!this.#loaded) {
        this.#markUnseen();
      }
      this.#loaded = true;
      this.earlier.value = this.#reachesBack();
      this.#letGo();
    } catch {
      if (this.#broken && still()) {
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
      this.#placing.putInFront((await this.#past.earlier()).map((kept) => this.#recall(kept)));
      this.earlier.value = this.#reachesBack();
    } catch {
      this.earlier.value = 'failed';
    }
  }

  /** The moment `at` by the server's clock. */
  serverTime(at: number): number {
    return this.#past.serverTime(at);
  }

  #letGo(): void {
    const held = this.#held;
    this.#held = undefined;
    held?.forEach((arrival) => this.#arrivals.add(arrival));
  }

  /** Counts what came while another conversation was open, and marks where it begins. */
  #unseen(first: Entry | undefined, count: number): void {
    if (first && !this.#around.isOpen()) {
      this.mark.value = this.unread.value === 0 ? first.id : Math.min(this.mark.value, first.id);
      this.unread.value += count;
    }
  }

  /** Whether more can be read back, after an answer. */
  #reachesBack(): Earlier {
    const { value } = this.entries;
    return isTrimmed(value) || (this.#past.more && value.length >= LONG_TIMELINE_LIMIT) ? 'none' : this.#past.more ? 'more' : 'start';
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
