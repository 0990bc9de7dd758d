import { describe, expect, test } from 'vitest';
import { type KeyPress, sends } from './keys';

const press = (over: Partial<KeyPress> = {}): KeyPress => ({
  key: 'Enter',
  keyCode: 13,
  shiftKey: false,
  altKey: false,
  ctrlKey: false,
  metaKey: false,
  isComposing: false,
  ...over,
});

describe('sends', () => {
  test.each<[string, Partial<KeyPress>, boolean]>([
    ['Enter', {}, true],
    ['Shift+Enter', { shiftKey: true }, false],
    ['Alt+Enter', { altKey: true }, false],
    ['a letter', { key: 'a', keyCode: 65 }, false],
    ['Enter that ends a composition in Chromium and Firefox', { isComposing: true, keyCode: 229 }, false],
    ['the same where only isComposing tells', { isComposing: true }, false],
    ['the same in Safari, where only the key code tells', { keyCode: 229 }, false],
    ['a key that the input method took', { key: 'Process', keyCode: 229 }, false],
  ])('%s: %o', (_what, over, want) => {
    expect(sends(press(over))).toBe(want);
  });

  test.each<[string, Partial<KeyPress>, boolean]>([
    ['Enter', {}, false],
    ['Shift+Enter', { shiftKey: true }, false],
    ['Ctrl+Enter', { ctrlKey: true }, true],
    ['⌘+Enter', { metaKey: true }, true],
    ['Ctrl+Enter within a composition', { ctrlKey: true, isComposing: true }, false],
  ])('on glass, %s: %o', (_what, over, want) => {
    expect(sends(press(over), true)).toBe(want);
  });

  test('sends once for the two presses of one Enter that ends Hangul', () => {
    const presses = [press({ isComposing: true, keyCode: 229 }), press()];
    expect(presses.filter((p) => sends(p))).toHaveLength(1);
  });
});
