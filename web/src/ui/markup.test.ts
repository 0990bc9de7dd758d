import { describe, expect, test } from 'vitest';
import { isEmoji, partsOf } from './markup';

/** Parts in short: text as it is, [link], {code}. */
const short = (text: string) => partsOf(text).map((p) => (p.kind === 'link' ? `[${p.text}]` : p.kind === 'code' ? `{${p.text}}` : p.text)).join('');
const hrefs = (text: string) => partsOf(text).flatMap((p) => (p.kind === 'link' ? [p.href] : []));

describe('partsOf', () => {
  test.each([
    ['plain text', 'plain text'],
    ['', ''],
    ['see https://example.com/a?b=c#d now', 'see [https://example.com/a?b=c#d] now'],
    ['HTTP://EXAMPLE.COM.', '[HTTP://EXAMPLE.COM].'],
    ['www.example.com, and www.', '[www.example.com], and www.'],
    ['(https://en.wikipedia.org/wiki/Go_(game))', '([https://en.wikipedia.org/wiki/Go_(game)])'],
    ['"https://example.com/"…', '"[https://example.com/]"…'],
    ['https://example.com/길?이름=지우 로', '[https://example.com/길?이름=지우] 로'],
    ['https://example.com/.', '[https://example.com/].'],
    ['https://localhost:3000/team/', '[https://localhost:3000/team/]'],
    ['xhttps://example.com', 'xhttps://example.com'],
    ['mail@www.example.com', 'mail@www.example.com'],
    ['https:// and http://', 'https:// and http://'],
    ['javascript:alert(1) data:text/html,x file:///etc/passwd', 'javascript:alert(1) data:text/html,x file:///etc/passwd'],
    ['https://bank.example@evil.example/', 'https://bank.example@evil.example/'],
    ['https://a.example/\u202egpj.exe', '[https://a.example/]\u202egpj.exe'],
    ['<a href="https://a.example/" onclick="x">', '<a href="[https://a.example/]" onclick="x">'],
    ['run `npm ci` in `web/`', 'run {npm ci} in {web/}'],
    ['`https://a.example/`', '{https://a.example/}'],
    ['```\nlet a = 1;\nlet b;\n```', '{let a = 1;\nlet b;}'],
    ['a ` b', 'a ` b'],
    ['``', '``'],
    ['two https://a.example/ https://b.example/', 'two [https://a.example/] [https://b.example/]'],
  ])('%j', (text, want) => {
    expect(short(text)).toBe(want);
  });

  test('leads where it says', () => {
    expect(hrefs('www.example.com/x HTTPS://Example.com')).toEqual(['https://www.example.com/x', 'https://example.com/']);
  });

  test('any text: nothing is lost, links are http', () => {
    const pieces = ['https://', 'www.', 'a.example', '/', '(', ')', '[', '`', '```', '\n', ' ', '.', ',', '@', '<', '"', '한글', '😀', '\u202e', 'javascript:', '%', ':', '#', '?'];
    let seed = 7;
    const random = (n: number) => (seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff) % n;
    for (let i = 0; i < 5000; i++) {
      const text = Array.from({ length: random(14) }, () => pieces[random(pieces.length)]!).join('');
      const parts = partsOf(text);
      if (parts.every((p) => p.kind !== 'code')) {
        expect(parts.map((p) => p.text).join('')).toBe(text);
      }
      for (const part of parts) {
        expect(part.text).not.toBe('');
        if (part.kind === 'link') {
          expect(part.href).toMatch(/^https?:\/\/[^@/]+(\/|$)/);
        }
      }
    }
  });

  // Fifty times what the page shows of a text; were it quadratic, it would take longer than a test may.
  test.each(['https://a', '`', '```', '```a`', '`a', '(', 'www.', 'https://a.b/('.repeat(3), ')', '.', ').', '」]', '\n', '😀', '@', '-', '/'])('time is linear in %j', (piece) => {
    const long = piece.repeat(500_000 / piece.length);
    for (const text of [long, `https://a.example/${long}`, `https://a.example/${long}x`, `\`\`\`${long}`, `${long} www.a.example`]) {
      expect(partsOf(text).length).toBeGreaterThan(0);
    }
  });
});

test.each([['😀', true], ['👩‍👩‍👧 👍🏽', true], ['🇰🇷', true], ['❤️', true], ['😀😀😀😀', false], ['1', false], ['a😀', false], ['', false], ['©x', false]])('isEmoji %j', (text, want) => {
  expect(isEmoji(text)).toBe(want);
});
