// The page's language: the browser's, or the one that the reader has chosen on this browser.

import { shallowRef } from 'vue';
import { keep, kept } from '../chat/stored';
import { LANGUAGES, type Language, t, textsFor } from './texts';

/** browser: the first of the browser's languages that the page speaks. */
export type Choice = 'browser' | Language;
export const CHOICES: readonly Choice[] = ['browser', ...(Object.keys(LANGUAGES) as Language[])];

const KEY = 'chat.language';

export const language = shallowRef<Choice>('browser');

/** Shows the page in the remembered language, or in the browser's, also when that changes. */
export function followLanguage(store: () => Storage): void {
  const chosen = kept(store, KEY);
  show(CHOICES.find((one) => one === chosen) ?? 'browser');
  addEventListener('languagechange', () => show(language.value));
}

/** Chooses a language, and remembers it where the browser allows it. */
export function chooseLanguage(store: () => Storage, next: Choice): void {
  show(next);
  keep(store, KEY, next === 'browser' ? '' : next);
}

function show(next: Choice): void {
  language.value = next;
  t.value = textsFor(next === 'browser' ? navigator.languages : [next]);
  document.documentElement.lang = t.value.lang;
}
