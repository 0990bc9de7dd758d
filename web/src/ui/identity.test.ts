import { describe, expect, test } from 'vitest';
import { HUES, hueOf, initialOf, rememberName, rememberedName } from './identity';

/** A Storage of one page; the real one needs a browser. */
function memory(): Storage {
  const items = new Map<string, string>();
  return {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
    removeItem: (key: string) => void items.delete(key),
  } as unknown as Storage;
}

describe('the remembered name', () => {
  test('comes back, and can be forgotten', () => {
    const store = memory();
    expect(rememberedName(() => store)).toBe('');
    rememberName(() => store, '지우');
    expect(rememberedName(() => store)).toBe('지우');
    rememberName(() => store, '');
    expect(rememberedName(() => store)).toBe('');
  });

  test('does without a browser that refuses storage', () => {
    const refused = () => {
      throw new DOMException('denied', 'SecurityError');
    };
    rememberName(refused, 'a');
    expect(rememberedName(refused)).toBe('');
  });

  test('is never longer than a name may be', () => {
    const store = memory();
    store.setItem('chat.name', 'x'.repeat(5000));
    expect(rememberedName(() => store)).toHaveLength(40);
  });
});

test.each([
  ['지우', '지'],
  ['alice', 'A'],
  ['👩‍👩‍👧 family', '👩‍👩‍👧'], // one character to the eye, five code points
  ['', '?'],
])('initialOf(%j)', (name, want) => {
  expect(initialOf(name)).toBe(want);
});

test('a name keeps its colour, and names spread over the colours', () => {
  expect(hueOf('민준')).toBe(hueOf('민준'));
  const used = new Set(Array.from({ length: 200 }, (_, i) => hueOf(`user-${i}`)));
  expect(used.size).toBe(HUES);
  // Short names too, Hangul syllables and single letters, in about equal parts.
  for (const first of [0xac00, 0x61]) {
    const counts = new Array<number>(HUES).fill(0);
    for (let i = 0; i < 800; i++) {
      counts[hueOf(String.fromCodePoint(first + i))]!++;
    }
    expect(Math.min(...counts)).toBeGreaterThan(60);
  }
});
