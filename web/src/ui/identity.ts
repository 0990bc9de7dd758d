// The reader's own name, remembered in this browser, and how names look.

import { NAME_LIMIT, shorten } from '../chat/message';
import { keep, kept } from '../chat/stored';

const KEY = 'chat.name';

/** Colours a name can have; log.css has one rule for each. */
export const HUES = 8;

/** The remembered name; empty when there is none, or when the browser keeps nothing. */
export const rememberedName = (store: () => Storage): string => shorten(kept(store, KEY), NAME_LIMIT);

/** Remembers the name, where the browser allows it; an empty name is forgotten. */
export const rememberName = (store: () => Storage, name: string): void => keep(store, KEY, name);

/** The name's colour, 0 to HUES-1: the same name has the same one everywhere. */
export function hueOf(name: string): number {
  // FNV-1a; its low bits mix poorly for short names, so the high ones choose.
  let hash = 0x811c9dc5;
  for (const letter of name) {
    hash = Math.imul(hash ^ letter.codePointAt(0)!, 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash >>> 16) % HUES;
}

const segmenter = typeof Intl.Segmenter === 'function' ? new Intl.Segmenter() : undefined;

/** What stands for the name in its circle: its first character as a reader counts them. */
export function initialOf(name: string): string {
  const first = segmenter ? segmenter.segment(name)[Symbol.iterator]().next().value?.segment : Array.from(name)[0];
  return first?.toLocaleUpperCase() ?? '?';
}
