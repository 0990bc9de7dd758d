import { expect, test } from 'vitest';
import { align } from './align';

const keys = (text: string) => Array.from(text, (c) => c.codePointAt(0)!);

test.each([
  ['all', 'abc', 'abc', [0, 1, 2]],
  ['none', 'abc', 'xyz', [-1, -1, -1]],
  ['one that is said again later is the later one', 'oabo', 'abo', [-1, 0, 1, 2]],
  ['one that was said before is the earlier one', 'oabo', 'oab', [0, 1, 2, -1]],
  ['each once', 'oooo', 'oo', [0, 1, -1, -1]],
  ['out of order, but found', 'abc', 'cab', [1, 2, 0]],
  ['more was heard than is kept', 'bd', 'abcde', [1, 3]],
  ['nothing', '', '', []],
])('%s', (_name, kept, heard, want) => {
  expect(align(keys(kept), keys(heard))).toEqual(want);
});

test('thousands that say the same are each matched once', () => {
  const found = align(keys('o'.repeat(3000)), keys('o'.repeat(5000)));
  expect(new Set(found)).toHaveProperty('size', 3000);
});
