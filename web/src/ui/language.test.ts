import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { clock, dayOf } from './clock';
import { chooseLanguage, followLanguage, language } from './language';
import { explain } from './reasons';
import { t } from './texts';

const kept = new Map<string, string>();
const store = () =>
  ({
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  }) as Storage;
const root = { lang: '' };
let browser: EventTarget;
let languages: string[];

beforeEach(() => {
  kept.clear();
  browser = new EventTarget();
  languages = ['ko-KR', 'en'];
  vi.stubGlobal('document', { documentElement: root });
  vi.stubGlobal('navigator', {
    get languages() {
      return languages;
    },
  });
  vi.stubGlobal('addEventListener', browser.addEventListener.bind(browser));
  followLanguage(store);
});
afterEach(() => vi.unstubAllGlobals());

const seen = () => [language.value, root.lang, t.value.send];

test('the browser’s language is followed, also when it changes', () => {
  expect(seen()).toEqual(['browser', 'ko', '보내기']);
  languages = ['en-GB'];
  browser.dispatchEvent(new Event('languagechange'));
  expect(seen()).toEqual(['browser', 'en', 'Send']);
});

test('a chosen language is remembered until the browser’s is chosen again', () => {
  chooseLanguage(store, 'en');
  expect(seen()).toEqual(['en', 'en', 'Send']);
  browser.dispatchEvent(new Event('languagechange'));
  expect(seen()).toEqual(['en', 'en', 'Send']);
  followLanguage(store);
  expect(seen()).toEqual(['en', 'en', 'Send']);
  chooseLanguage(store, 'browser');
  expect(kept.size).toBe(0);
  followLanguage(store);
  expect(seen()).toEqual(['browser', 'ko', '보내기']);
});

test.each(['', 'fr', 'constructor'])('what is remembered may be anything: %j', (text) => {
  kept.set('chat.language', text);
  followLanguage(store);
  expect(language.value).toBe('browser');
});

test('times, days and the server’s sentences change with it', () => {
  const afternoon = new Date(2026, 10, 23, 15, 4).getTime();
  const words = () => [clock(afternoon), dayOf(afternoon, afternoon), explain('too many messages')];
  chooseLanguage(store, 'en');
  const english = words();
  chooseLanguage(store, 'ko');
  expect(words()).toEqual([new Intl.DateTimeFormat('ko', { timeStyle: 'short' }).format(afternoon), '오늘', t.value.slowed]);
  chooseLanguage(store, 'en');
  expect(words()).toEqual(english);
  expect(english[1]).toBe('Today');
});
