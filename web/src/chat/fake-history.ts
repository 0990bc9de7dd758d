// For tests: a server's history, and a reader of it.

import { Past, type Query } from './past';
import type { HistoryPage, Kept } from './protocol';

/** A server that keeps messages, with a clock of its own, ahead of the reader's by an hour. */
export class Server {
  now = 0;
  kept: Kept[] = [];
  questions: Query[] = [];
  /** What is relayed now is kept later. */
  partial = false;

  constructor(readonly limit = 1000) {}

  relay(payload: unknown): Kept {
    const kept = { id: String(this.kept.length + 1).padStart(6, '0'), time: this.now + 3_600_000, payload, from: '' };
    this.kept.push(kept);
    return kept;
  }

  answer({ before, after, limit }: Query): HistoryPage {
    this.questions.push({ ...(before ? { before } : {}), ...(after ? { after } : {}), limit });
    const there = this.kept.slice(-this.limit);
    const most = Math.min(limit, 200);
    const rest = { gap: false, partial: this.partial, now: this.now + 3_600_000 };
    if (after) {
      const known = this.kept.findIndex(({ id }) => id === after) >= this.kept.length - this.limit;
      const later = there.filter(({ id }) => id > after);
      return { ...rest, messages: later.slice(0, most), more: later.length > most, gap: !known };
    }
    const earlier = before ? there.filter(({ id }) => id < before) : there;
    return { ...rest, messages: earlier.slice(-most), more: earlier.length > most };
  }
}

/** What a reader sees of it: payloads, and `gap`. `held` is what came while one asked. */
export function reader(server: Server) {
  const past = new Past<{ text: unknown }>(async (query) => server.answer(query), () => server.now);
  let seen: unknown[] = [];
  let held: Set<{ text: unknown }> | undefined;
  return {
    past,
    get seen() {
      return seen;
    },
    hear(payload: unknown) {
      const live = { text: payload };
      if (past.hear(payload, live)) {
        held ? held.add(live) : seen.push(payload);
      }
    },
    async load() {
      const { items } = await past.catchUp(server.now);
      seen = [...items.flatMap((item) => (item !== 'gap' && 'kept' in item ? [item.kept.payload] : [])), ...seen];
    },
    cut() {
      past.cut();
      held = new Set();
    },
    async back(connectedAt = server.now) {
      const { items } = await past.catchUp(connectedAt, (live) => held!.has(live));
      for (const item of items) {
        if (item === 'gap' || 'kept' in item) {
          seen.push(item === 'gap' ? item : item.kept.payload);
        } else if (held!.has(item.live)) {
          seen.push(item.live.text);
        }
      }
      held = undefined;
    },
    async up() {
      seen = [...(await past.earlier()).map(({ payload }) => payload), ...seen];
    },
  };
}
