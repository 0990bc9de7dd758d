// What the server has kept of one conversation, and how it fits what was heard live. Live
// messages carry no id, so the two are matched by what they say, each message once:
//
//   - a kept message that says what was heard live since the last answer is that one;
//   - one that was relayed while this page was connected, but was not heard yet, is on its way:
//     when it comes it is known already;
//   - all others were missed.

import { align } from './align';
import { keyOf } from './payload';
import type { HistoryPage, Kept } from './protocol';

/** What is asked of the server. */
export interface Query {
  readonly before?: string;
  readonly after?: string;
  readonly limit: number;
}

/** A live message, until it is matched. T is what it stands for. */
interface Heard<T> {
  readonly key: number;
  readonly at: number;
  /** When the session began in which it was heard: it was not relayed before. */
  readonly since: number;
  readonly live: T;
}

/** A message that was not heard, one that was, or the place where something is missing. */
export type Item<T> = { readonly kept: Kept } | { readonly live: T } | 'gap';

/** What an answer says, in its order. */
export interface Answer<T> {
  readonly items: readonly Item<T>[];
  readonly partial: boolean;
}

/** Messages an answer: few enough to be quick, many enough to scroll. */
const FIRST_PAGE = 50;
const PAGE = 200;
/** So many answers are fetched after a break; what was said before that is a gap. */
const MOST_PAGES = 15;

/** A message may be heard this long before it is kept (longer only while answers are partial), */
const SLACK_MS = 30_000;
/** or, once it is kept, this much later. */
const LATE_MS = 5000;
/** Clocks of two instances differ by this much at most, one may hope. */
const CLOCK_MS = 500;
/** So many live messages are remembered. */
const MOST_HEARD = 5000;

/** What is known when an answer comes. */
interface Rules<T> {
  /** Something is missing before its first message, unless that was heard and shown. */
  readonly gap: boolean;
  /** When this connection began, by the server's clock. */
  readonly connected: number;
  isHeld(live: T): boolean;
  /** The two can be the same. */
  may(kept: Kept, heard: Heard<T>): boolean;
}

export class Past<T> {
  readonly #ask: (query: Query) => Promise<HistoryPage>;
  readonly #now: () => number;
  /** The newest and the oldest message that an answer has brought. */
  #newest = '';
  #oldest = '';
  #more = false;
  #asked = false;
  #broken = false;
  #heard: Heard<T>[] = [];
  /** Answered already, and still to be heard: how often, and until when. */
  #expected = new Map<number, { times: number; until: number }>();
  /** The server's clock minus ours. */
  #ahead = 0;
  /** When the session began that is heard now. */
  #since: number;

  constructor(ask: (query: Query) => Promise<HistoryPage>, now: () => number = Date.now) {
    this.#ask = ask;
    this.#now = now;
    this.#since = now();
  }

  /** What is heard from now on is of a session that begins. `returned`: it is not the first. */
  begin(returned: boolean): void {
    this.#since = this.#now();
    this.#broken ||= returned;
  }

  /** There is more to read before what is known. */
  get more(): boolean {
    return this.#more;
  }

  /** The moment `at` of this machine by the server's clock, as far as it is known. */
  serverTime(at: number): number {
    return at + this.#ahead;
  }

  /** Takes down a live message. False: an answer has brought it already. */
  hear(payload: unknown, live: T): boolean {
    const key = keyOf(payload);
    const now = this.#now();
    const expected = this.#expected.get(key);
    if (expected) {
      if (--expected.times === 0) {
        this.#expected.delete(key);
      }
      if (now <= expected.until) {
        return false;
      }
    }
    this.#heard.push({ key, at: now, since: this.#since, live });
    if (this.#heard.length > 2 * MOST_HEARD) {
      this.#heard = this.#heard.slice(-MOST_HEARD);
    }
    return true;
  }

  /** Forgets what was to be heard: the connection that it was on its way on is gone. */
  cut(): void {
    this.#expected.clear();
  }

  /**
   * Fetches what was said since the last answer; the first time the newest messages there are.
   * `connectedAt` is when this connection began. `isHeld` tells which live messages the reader
   * has not been shown: all of them are among what is given back.
   */
  async catchUp(connectedAt: number, isHeld: (live: T) => boolean = () => false): Promise<Answer<T>> {
    const askedAt = this.#now();
    const first = this.#newest === '';
    const { messages, gap, partial, more, now } = await (first ? this.#ask({ limit: this.#heard.length > 0 ? PAGE : FIRST_PAGE }) : this.#after());
    if (now > 0) {
      this.#ahead = now - this.#now();
    }
    // A memory that was empty, or was not asked before the break, has to begin with what was heard, or it has lost it again.
    const lost = first && (more || ((this.#asked || this.#broken) && this.#heard.some(({ live }) => !isHeld(live))));
    const connected = now > 0 ? this.serverTime(connectedAt) - CLOCK_MS : (messages.at(-1)?.time ?? 0) - CLOCK_MS;
    const may = (kept: Kept, heard: Heard<T>) => now === 0 || kept.time >= this.serverTime(heard.since) - CLOCK_MS;
    const items = this.#match(messages, { gap: gap || lost, connected, isHeld, may });
    if (!partial) {
      this.#heard = this.#heard.filter(({ at }) => at >= askedAt - SLACK_MS);
    }
    this.#newest = messages.at(-1)?.id ?? this.#newest;
    if (first) {
      this.#oldest = messages[0]?.id ?? '';
      this.#more = more && this.#oldest !== '';
    }
    this.#asked = true;
    return { items, partial };
  }

  /** Fetches older messages. Empty: there are none. */
  async earlier(): Promise<readonly Kept[]> {
    const { messages, more } = await this.#ask({ before: this.#oldest, limit: PAGE });
    this.#oldest = messages[0]?.id ?? this.#oldest;
    this.#more = more && messages.length > 0;
    return messages;
  }

  /** All that came after the newest that is known, as if it were one answer. */
  async #after(): Promise<HistoryPage> {
    let page = await this.#ask({ after: this.#newest, limit: PAGE });
    const messages = [...page.messages];
    const { gap } = page;
    let { partial } = page;
    for (let pages = 1; page.more && page.messages.length > 0; pages++) {
      if (pages === MOST_PAGES) {
        // Too much to read it all: the newest, and a gap before them.
        const newest = await this.#ask({ limit: PAGE });
        return { ...newest, gap: true };
      }
      page = await this.#ask({ after: messages.at(-1)!.id, limit: PAGE });
      messages.push(...page.messages);
      partial ||= page.partial;
    }
    return { ...page, messages, gap, partial };
  }

  /** Sets messages against what was heard; takes out of it what is in both. */
  #match(messages: readonly Kept[], { gap, connected, isHeld, may }: Rules<T>): Item<T>[] {
    const keys = messages.map(({ payload }) => keyOf(payload));
    const places = align(keys, this.#heard.map(({ key }) => key), (i, place) => may(messages[i]!, this.#heard[place]!));
    const matched = new Set(places);
    const items: Item<T>[] = [];
    let looked = 0;
    let session = NaN;
    /** Adds what was heard before a place, has not been shown, and is not in the answer. `broken`: before each session something is missing. */
    const others = (place: number, broken = false) => {
      for (; looked < place; looked++) {
        const { live, since } = this.#heard[looked]!;
        if (!matched.has(looked) && isHeld(live)) {
          items.push(...(broken && since !== session ? (['gap'] as const) : []), { live });
          session = since;
        }
      }
    };
    const first = this.#heard[places[0] ?? -1];
    const missing = gap && !(first && !isHeld(first.live));
    const before = this.#heard.findLastIndex(({ since }) => since !== this.#since) + 1;
    others(Math.min(before, ...places.filter((place) => place >= 0)), missing);
    if (missing) {
      items.push('gap');
    }
    for (const [i, kept] of messages.entries()) {
      const heard = this.#heard[places[i]!];
      if (heard) {
        others(places[i]!);
        items.push({ live: heard.live });
      } else {
        items.push({ kept });
        this.#expect(keys[i]!, kept.time >= connected);
      }
    }
    others(this.#heard.length);
    this.#heard = this.#heard.filter((_heard, i) => !matched.has(i));
    return items;
  }

  /** A message that was not heard is on its way, if it was said while we were here. */
  #expect(key: number, onItsWay: boolean): void {
    if (onItsWay) {
      const times = (this.#expected.get(key)?.times ?? 0) + 1;
      this.#expected.set(key, { times, until: this.#now() + LATE_MS });
    }
  }
}
