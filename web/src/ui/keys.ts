// Which key press sends the text.

/** The part of a KeyboardEvent that decides. */
export type KeyPress = Pick<KeyboardEvent, 'key' | 'shiftKey' | 'altKey' | 'isComposing' | 'keyCode'>;

/**
 * Enter sends; Shift+Enter and Alt+Enter do not.
 *
 * Enter pressed while an input method composes (Hangul, kana, pinyin …) belongs to that
 * input method: it ends the composition. Browsers report it as a key press of its own,
 * before the one that is meant for the page, so without this guard a Korean message is
 * sent twice, the second time with its last syllable alone. Chromium and Firefox mark it
 * with isComposing; Safari ends the composition first and marks the press with the key
 * code 229 only.
 */
export function sends(press: KeyPress): boolean {
  return press.key === 'Enter' && !press.shiftKey && !press.altKey && !press.isComposing && press.keyCode !== 229;
}
