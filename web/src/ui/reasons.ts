// What a server says, in the reader's language where its sentence is a known one.

import { type Texts, t } from './texts';

const KNOWN: readonly [RegExp, (texts: Texts, found: RegExpExecArray) => string][] = [
  [/^too many messages\b/, (texts) => texts.slowed],
  [/^text must be shorter than or equal to (\d+) characters$/, (texts, [, limit]) => texts.longestText(limit!)],
  [/^name must be shorter than or equal to (\d+) characters$/, (texts, [, limit]) => texts.longestName(limit!)],
];

/** Explains a server's sentence; one that is not known is quoted. */
export function explain(sentence: string, texts: Texts = t.value): string {
  for (const [pattern, words] of KNOWN) {
    const found = pattern.exec(sentence);
    if (found) {
      return words(texts, found);
    }
  }
  return texts.complained(sentence);
}
