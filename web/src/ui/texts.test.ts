import { expect, test } from 'vitest';
import { textsFor } from './texts';

test.each<[string[], string]>([
  [['ko-KR', 'en'], 'ko'],
  [['KO'], 'ko'],
  [['de-DE', 'ko', 'en'], 'ko'],
  [['en-GB', 'ko'], 'en'],
  [['kok-IN'], 'en'], // Konkani, not Korean
  [['de'], 'en'],
  [[], 'en'],
])('%j reads %s', (languages, want) => {
  expect(textsFor(languages).lang).toBe(want);
});

test('counts read well', () => {
  const en = textsFor(['en']);
  expect([1, 2, 1200].map((n) => en.joined(n))).toEqual([
    'Someone joined the chat',
    '2 people joined the chat',
    '1,200 people joined the chat',
  ]);
  expect([1, 3].map((n) => en.newMessages(n))).toEqual(['1 new message', '3 new messages']);
});
