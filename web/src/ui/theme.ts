// Light or dark: as the system has it, or as the reader has chosen on this browser.

import { shallowRef } from 'vue';
import { keep, kept } from '../chat/stored';

export type Theme = 'system' | 'light' | 'dark';
export const THEMES: readonly Theme[] = ['system', 'light', 'dark'];

const KEY = 'chat.theme';

export const theme = shallowRef<Theme>('system');

/** Shows the page in the remembered colours. */
export function followTheme(store: () => Storage): void {
  const chosen = kept(store, KEY);
  show(THEMES.find((one) => one === chosen) ?? 'system');
}

/** Chooses colours, and remembers them where the browser allows it. */
export function chooseTheme(store: () => Storage, next: Theme): void {
  show(next);
  keep(store, KEY, next === 'system' ? '' : next);
}

/** The browser's own bars, by the media of the page's <meta name=theme-color>. */
function show(next: Theme): void {
  theme.value = next;
  if (next === 'system') {
    delete document.documentElement.dataset.theme;
  } else {
    document.documentElement.dataset.theme = next;
  }
  const bars = [...document.querySelectorAll<HTMLMetaElement>('meta[name=theme-color]')];
  for (const bar of bars) {
    bar.dataset.own ??= bar.content;
    const chosen = bars.find(({ media }) => media.includes(next));
    bar.content = (chosen ?? bar).dataset.own ?? (chosen ?? bar).content;
  }
}
