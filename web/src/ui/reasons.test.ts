import { expect, test } from 'vitest';
import { explain } from './reasons';
import { textsFor } from './texts';

test.each([
  ['too many messages: more than 5 a second are handled with delay', 'You are writing faster than this chat allows. Your messages are delivered with a delay.'],
  ['text must be shorter than or equal to 20 characters', 'A message may have at most 20 characters here.'],
  ['name must be shorter than or equal to 5 characters', 'A name may have at most 5 characters here.'],
  ['name must be a string, text must be a string', 'The server says: name must be a string, text must be a string'],
  ['', 'The server says: '],
])('%j', (sentence, want) => {
  expect(explain(sentence, textsFor(['en']))).toBe(want);
});

test('in Korean', () => {
  expect(explain('text must be shorter than or equal to 20 characters', textsFor(['ko']))).toBe('이 채팅에서 메시지는 최대 20자입니다.');
});
