// What the server has kept of one conversation, and how it fits what was heard live. Live
// messages carry no id, so the two are matched by what they say, each message once:
//
//   - a kept message that says what was heard live since the last answer is that one;
//   - one that was relayed while this page was connected, but was not heard yet, is on its way:
//     when it comes it is known already;
//   - all others were missed.

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
  readonly live: T;
}

/** What a reader did not see, in its order: kept messages, and live ones that came while one asked. */
export interface Missed<T> {
  readonly items: readonly ({ readonly kept: Kept } | { readonly live: T })[];
  /** Something is missing before the first of items. */
  readonly gap: boolean;
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

export class Past<T> {
  readonly #ask: (query: Query) => Promise<HistoryPage>;
  readonly #now: () => number;
  /** The newest and the oldest message that an answer has brought. */
  #newest = '';
  #oldest = '';
  #more = false;
  #asked = false;
  #heard: Heard<T>[] = [];
  /** Answered already, and still to be heard: how often, and until when. */
  #expected = new Map<number, { times: number; until: number }>();
  /** The server's clock minus ours. */
  #ahead = 0;

  constructor(ask: (query: Query) => Promise<HistoryPage>, now: () => number = Date.now) {
    this.#ask = ask;
    this.#now = now;
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
    this.#heard.push({ key, at: now, live });
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
   * has not been shown: they are handed back in their place.
   */
  async catchUp(connectedAt: number, isHeld: (live: T) => boolean = () => false): Promise<Missed<T>> {
    const askedAt = this.#now();
    const first = this.#newest === '';
    const { messages, gap, partial, more, now } = await (first ? this.#ask({ limit: this.#heard.length > 0 ? PAGE : FIRST_PAGE }) : this.#after());
    if (now > 0) {
      this.#ahead = now - this.#now();
    }
    const since = now > 0 ? this.serverTime(connectedAt) - CLOCK_MS : (messages.at(-1)?.time ?? 0) - CLOCK_MS;
    const heardBefore = this.#heard.some(({ live }) => !isHeld(live));
    const { items, seamless } = this.#match(messages, since, isHeld);
    const taken = new Set(items.flatMap((item) => ('live' in item ? [item.live] : [])));
    for (const { live } of this.#heard) {
      if (isHeld(live) && !taken.has(live)) {
        items.push({ live }); // later than the answer
      }
    }
    if (!partial) {
      this.#heard = this.#heard.filter(({ at }) => at >= askedAt - SLACK_MS);
    }
    this.#newest = messages.at(-1)?.id ?? this.#newest;
    if (first) {
      this.#oldest = messages[0]?.id ?? '';
      this.#more = more && this.#oldest !== '';
    }
    // A memory that was empty has to begin with what was heard since, or it has lost it again.
    const lost = first && (more || (this.#asked && heardBefore));
    this.#asked = true;
    return { items, gap: (gap || lost) && !seamless, partial };
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

  /** Sets messages against what was heard. seamless: the first of them was. */
  #match(messages: readonly Kept[], since: number, isHeld: (live: T) => boolean) {
    const byKey = new Map<number, Heard<T>[]>();
    for (const heard of this.#heard) {
      const same = byKey.get(heard.key);
      same ? same.push(heard) : byKey.set(heard.key, [heard]);
    }
    const matched = new Set<Heard<T>>();
    const items: ({ kept: Kept } | { live: T })[] = [];
    let seamless = false;
    for (const [i, kept] of messages.entries()) {
      const key = keyOf(kept.payload);
      const heard = byKey.get(key)?.shift();
      if (heard) {
        matched.add(heard);
        seamless ||= i === 0 && !isHeld(heard.live);
        if (isHeld(heard.live)) {
          items.push({ live: heard.live });
        }
        continue;
      }
      items.push({ kept });
      if (kept.time >= since) {
        const expected = this.#expected.get(key);
        this.#expected.set(key, { times: (expected?.times ?? 0) + 1, until: this.#now() + LATE_MS });
      }
    }
    this.#heard = this.#heard.filter((heard) => !matched.has(heard));
    return { items, seamless };
  }
}
