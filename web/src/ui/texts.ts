// Every word the page says, in the languages it speaks.

import { type ShallowRef, shallowRef } from 'vue';
import type { LinkState } from '../chat/link';
import type { RefusalKind } from '../chat/refusal';
import { english } from './english';
import { korean } from './korean';

export interface Texts {
  lang: Language;
  title: string;
  conversation: string;
  empty: string;
  anyName: string;
  name: string;
  namePlaceholder: string;
  message: string;
  messagePlaceholder: string;
  send: string;
  keys: string;
  keysTouch: string;
  you: string;
  nobody: string;
  link: Record<LinkState, string>;
  connectAgain: string;
  joined(count: number): string;
  gap: string;
  cut(units: number): string;
  newMessages(count: number): string;
  unread: string;
  opensElsewhere: string;
  toNewest: string;
  outbox: string;
  sending: string;
  doubtful: string;
  sendAgain: string;
  discard: string;
  edit: string;
  refused(why: string): string;
  slowed: string;
  complained(why: string): string;
  longestText(limit: string): string;
  longestName(limit: string): string;
  /** Why there is no connection. */
  why: Record<RefusalKind, string>;
  serverSays(sentence: string): string;
  tokenRefused: string;
  token: string;
  tokenHint: string;
  signIn: string;
  signOut: string;
  signedIn: string;
  close: string;
  nameMissing: string;
  nameTooLong(length: number, limit: number): string;
  notConnected: string;
  tooLong(length: number, limit: number): string;
  /** Where one is: everybody's talk, a room, a person. */
  menu: string;
  lobby: string;
  rooms: string;
  roomName: string;
  join: string;
  leave(room: string): string;
  privateTalks: string;
  writeTo(person: string): string;
  endTalk(person: string): string;
  notJoined(why: string): string;
  unreadCount(count: number): string;
  messageTo(place: string): string;
  /** About the people who are here, and those who write. */
  people: string;
  here(count: number): string;
  guests(count: number): string;
  unlisted(count: number): string;
  connections(count: number): string;
  typing(names: readonly string[]): string;
  /** What the server keeps. */
  older: string;
  loadingOlder: string;
  olderFailed: string;
  beginning: string;
  partial: string;
  waiting: string;
  /** How the page looks and calls. */
  settings: string;
  colours: string;
  colour: Record<'system' | 'light' | 'dark', string>;
  notify: string;
  notifyDenied: string;
  language: string;
  browserLanguage: string;
  /** A token that ends. */
  tokenEnds(minutes: number): string;
  freshToken: string;
  renew: string;
}

/** The languages that the page speaks, each by its own name. */
export const LANGUAGES = { en: 'English', ko: '한국어' } as const;
export type Language = keyof typeof LANGUAGES;

/** The texts in the first of the reader's languages that the page speaks, else in English. */
export function textsFor(languages: readonly string[]): Texts {
  for (const language of languages) {
    const primary = language.toLowerCase().split('-', 1)[0];
    const texts = [english, korean].find(({ lang }) => lang === primary);
    if (texts) {
      return texts;
    }
  }
  return english;
}

/** The texts for this reader. A view that reads them changes with the language; language.ts sets them. */
export const t: ShallowRef<Texts> = shallowRef(textsFor(globalThis.navigator?.languages ?? []));
