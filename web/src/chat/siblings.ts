// The same chat in other tabs of this browser. Each tells the others what it sends, so that
// one's own words look like one's own in all of them.

import type { Pending } from './outbox';

/** What another tab sent counts as one's own when it arrives this soon. */
const FRESH_MS = 15_000;
/** So many are remembered; a person does not write more in that time. */
const MOST = 50;

/** The part of a BroadcastChannel that is used here. */
export type Channel = Pick<BroadcastChannel, 'postMessage'> & { onmessage: ((event: MessageEvent) => void) | null };

export interface Siblings {
  /** Tells the other tabs what this one sends. */
  tell(name: string, text: string): void;
  /** Messages of other tabs that have not come back yet; the list is the caller's to replace. */
  waiting: readonly Pending[];
}

/** Joins the other tabs, where the browser has such a thing. */
export function joinSiblings(channel: Channel | undefined): Siblings {
  let last = 0;
  const siblings: Siblings = {
    waiting: [],
    tell: (name, text) => channel?.postMessage({ name, text }),
  };
  if (channel) {
    channel.onmessage = ({ data }) => {
      const id = ++last;
      const { name, text } = data as { name: string; text: string };
      siblings.waiting = [...siblings.waiting.slice(-MOST + 1), { id, name, text, state: 'sending' }];
      setTimeout(() => (siblings.waiting = siblings.waiting.filter((pending) => pending.id !== id)), FRESH_MS);
    };
  }
  return siblings;
}
