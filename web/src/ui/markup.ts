// What in a text is more than text: addresses and code. It is cut into parts that the view
// shows as elements; nothing is ever read as HTML.

export type Part = { readonly kind: 'text' | 'code'; readonly text: string } | { readonly kind: 'link'; readonly text: string; readonly href: string };

/** A run of `code`, or what may be an address; the longest text of one is bounded by the message. */
const SPECIAL = /```\n?([^`]+?)\n?```|`([^`\n]+)`|(?<![\p{L}\p{N}_/.@-])(?:https?:\/\/|www\.)[^\s<>"`\u0000-\u001f\u200b-\u200f\u2028-\u202f\u2066-\u2069]+/giu;

/** What ends a sentence, not an address. */
const TAIL = new Set('.,;:!?\'*_~…、。，」』】〉》”’');

const PAIRS: Record<string, string> = { ')': '(', ']': '[', '}': '{' };

/** Cuts text into parts; together they say the same, save the marks around code. */
export function partsOf(text: string): readonly Part[] {
  const parts: Part[] = [];
  let end = 0;
  const upTo = (to: number) => {
    if (to > end) {
      parts.push({ kind: 'text', text: text.slice(end, to) });
    }
  };
  for (const found of text.matchAll(SPECIAL)) {
    const code = found[1] ?? found[2];
    const part = code !== undefined ? ({ kind: 'code', text: code } as const) : linkOf(found[0]);
    if (part) {
      upTo(found.index);
      parts.push(part);
      end = found.index + (code !== undefined ? found[0].length : part.text.length);
    }
  }
  upTo(text.length);
  return parts;
}

/** The link that an address stands for, without what follows it in its sentence. */
function linkOf(found: string): Part | undefined {
  const text = withoutTail(found);
  try {
    const url = new URL(/^www\./i.test(text) ? `https://${text}` : text);
    // With a name in front of its host an address looks like another one.
    const fine = /^https?:$/.test(url.protocol) && url.username === '' && url.password === '' && url.hostname.length > 1;
    return fine ? { kind: 'link', text, href: url.href } : undefined;
  } catch {
    return undefined;
  }
}

/** Cuts what ends a sentence, and brackets that the address does not open. Takes linear time: anybody may send any text. */
function withoutTail(address: string): string {
  const unpaired = new Map(Object.entries(PAIRS).map(([closing, opening]) => [closing, count(address, closing) - count(address, opening)]));
  let end = address.length;
  for (; end > 1; end--) {
    const last = address[end - 1]!;
    const more = unpaired.get(last) ?? 0;
    if (more > 0) {
      unpaired.set(last, more - 1);
    } else if (!TAIL.has(last)) {
      break;
    }
  }
  return address.slice(0, end);
}

function count(text: string, char: string): number {
  let n = 0;
  for (let at = text.indexOf(char); at >= 0; at = text.indexOf(char, at + 1)) {
    n++;
  }
  return n;
}

/** Tells whether text is one to three emoji and nothing else. */
export function isEmoji(text: string): boolean {
  const trimmed = text.trim();
  return trimmed.length <= 40 && /^(?:\p{Extended_Pictographic}[\p{Emoji_Modifier}\ufe0f\u20e3]*(?:\u200d\p{Extended_Pictographic}[\p{Emoji_Modifier}\ufe0f]*)*\s*|\p{Regional_Indicator}{2}\s*){1,3}$/u.test(trimmed);
}
