// Which key press sends the text.

/** The part of a KeyboardEvent that decides. */
export type KeyPress = Pick<KeyboardEvent, 'key' | 'shiftKey' | 'altKey' | 'ctrlKey' | 'metaKey' | 'isComposing' | 'keyCode'>;

/**
 * Enter sends; Shift+Enter and Alt+Enter do not. On a keyboard of glass there is no Shift+Enter:
 * there Enter starts a new line and the button sends, as does Ctrl+Enter (or ⌘) of a keyboard
 * that somebody has put beside it.
 *
 * Enter pressed while an input method composes (Hangul, kana, pinyin …) belongs to that
 * input method: it ends the composition. Browsers report it as a key press of its own,
 * before the one that is meant for the page, so without this guard a Korean message is
 * sent twice, the second time with its last syllable alone. Chromium and Firefox mark it
 * with isComposing; Safari ends the composition first and marks the press with the key
 * code 229 only.
 */
export function sends(press: KeyPress, onGlass = false): boolean {
  if (press.key !== 'Enter' || press.isComposing || press.keyCode === 229) {
    return false;
  }
  return press.ctrlKey || press.metaKey || !(press.shiftKey || press.altKey || onGlass);
}

/** Tells whether this device types on glass: focus would open its keyboard over the page. */
export function opensKeyboard(): boolean {
  return matchMedia('(hover: none) and (pointer: coarse)').matches;
}
