// The text that is being written outlives a reload of its tab.

import { keep, kept } from '../chat/stored';

const KEY = 'chat.draft';

/** The kept text; empty when there is none, or when the browser keeps nothing. */
export const keptDraft = (store: () => Storage): string => kept(store, KEY);

/** Keeps text, where the browser allows it; an empty one is forgotten. */
export const keepDraft = (store: () => Storage, text: string): void => keep(store, KEY, text);
