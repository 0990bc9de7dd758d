// The text that is being written outlives a reload of its tab.

const KEY = 'chat.draft';

/** The kept text; empty when there is none, or when the browser keeps nothing. */
export function keptDraft(store: () => Storage): string {
  try {
    return store().getItem(KEY) ?? '';
  } catch {
    return '';
  }
}

/** Keeps text, where the browser allows it; an empty one is forgotten. */
export function keepDraft(store: () => Storage, text: string): void {
  try {
    if (text === '') {
      store().removeItem(KEY);
    } else {
      store().setItem(KEY, text);
    }
  } catch {
    // Private windows and full disks: the draft lasts as long as the page.
  }
}
