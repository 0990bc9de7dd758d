// Single texts that the browser keeps, in its local or its session storage. Private windows and
// full disks may refuse it: then a text lasts as long as the page that holds it.

/** The text under key; empty when there is none, or when the browser keeps nothing. */
export function kept(store: () => Storage, key: string): string {
  try {
    return store().getItem(key) ?? '';
  } catch {
    return '';
  }
}

/** Keeps a text, where the browser allows it; an empty one is forgotten. */
export function keep(store: () => Storage, key: string, value: string): void {
  try {
    if (value === '') {
      store().removeItem(key);
    } else {
      store().setItem(key, value);
    }
  } catch {
    // The page has it until it is reloaded.
  }
}
