import { describe, expect, test } from 'vitest';
import { NAME_LIMIT, TEXT_LIMIT, readMessage, shorten } from './message';

const said = (name: string, text: string) => ({ kind: 'message', name, text, raw: false, cut: 0 });
const raw = (name: string, text: string) => ({ kind: 'message', name, text, raw: true, cut: 0 });

describe('readMessage', () => {
  test.each<[string, unknown[], object]>([
    ['a message', [{ name: '지우', text: '안녕하세요' }], said('지우', '안녕하세요')],
    ['more keys than expected', [{ name: 'a', text: 'b', id: 7, html: '<b>' }], said('a', 'b')],
    ['markup stays text', [{ name: '<i>x</i>', text: '<img src=x onerror=alert(1)>' }], said('<i>x</i>', '<img src=x onerror=alert(1)>')],
    ['lines and spaces stay', [{ name: 'a', text: ' 1\n\n  2 ' }], said('a', ' 1\n\n  2 ')],
    ['an empty text', [{ name: 'a', text: '' }], said('a', '')],
    ['a name over several lines', [{ name: ' a\n\tb ', text: 'c' }], said('a b', 'c')],
    ['no name', [{ text: 'c' }], said('', 'c')],
    ['null name', [{ name: null, text: 'c' }], said('', 'c')],
    ['number for a name', [{ name: 7, text: 'c' }], said('7', 'c')],
    ['object for a name', [{ name: { a: 1 }, text: 'c' }], said('{"a":1}', 'c')],
    ['no text', [{ name: 'a' }], raw('a', 'null')],
    ['number for a text', [{ name: 'a', text: 0 }], raw('a', '0')],
    ['list for a text', [{ name: 'a', text: ['x', null] }], raw('a', '["x",null]')],
    ['a string', ['hello'], said('', 'hello')],
    ['an empty string', [''], said('', '')],
    ['null', [null], raw('', 'null')],
    ['nothing at all', [], raw('', 'null')],
    ['undefined', [undefined], raw('', 'null')],
    ['a number', [1.5], raw('', '1.5')],
    ['false', [false], raw('', 'false')],
    ['an array', [[{ name: 'a', text: 'b' }, 2]], raw('', '[{"name":"a","text":"b"},2]')],
    ['several arguments that were sent', [['a', { b: 1 }]], raw('', '["a",{"b":1}]')],
    ['a message with its offset', [{ name: 'a', text: 'b' }, 'PnQ7jPiw3'], said('a', 'b')],
    ['nothing but an offset', [undefined, 'PnQ7jPiw3'], raw('', 'null')],
    ['an object of another kind', [{ hello: 1 }], raw('', '{"hello":1}')],
    ['binary', [new Uint8Array(3).buffer], raw('', '"[3 bytes]"')],
    ['binary inside', [{ name: 'a', text: new Uint8Array([1, 2]) }], raw('a', '"[2 bytes]"')],
    ['properties only of the prototype', [JSON.parse('{"__proto__":{"name":"a","text":"b"}}')], raw('', '{"__proto__":{"name":"a","text":"b"}}')],
    ['an inherited text', [Object.create({ name: 'a', text: 'b' })], raw('', 'null')],
  ])('%s', (_what, args, want) => {
    expect(readMessage(args)).toEqual(want);
  });

  test('tells the join notice from a message of the same name', () => {
    expect(readMessage([{ name: 'admin', text: 'join chat.' }])).toEqual({ kind: 'joined' });
    expect(readMessage([{ name: 'admin', text: 'join chat.' }, 'PnQ7jPiw3'])).toEqual({ kind: 'joined' });
    expect(readMessage([{ name: 'admin', text: 'join chat' }])).toEqual(said('admin', 'join chat'));
    expect(readMessage([{ name: 'Admin', text: 'join chat.' }])).toEqual(said('Admin', 'join chat.'));
  });

  test('says that a nesting is too deep for JSON instead of throwing', () => {
    let deep: unknown = [];
    for (let i = 0; i < 200_000; i++) {
      deep = [deep];
    }
    expect(readMessage([deep])).toEqual(raw('', '[unreadable]'));
  });

  test('cuts long texts and names, and counts what it cut', () => {
    const long = readMessage([{ name: 'n'.repeat(500), text: 'x'.repeat(TEXT_LIMIT + 3) }]);
    expect(long).toEqual({ kind: 'message', name: `${'n'.repeat(NAME_LIMIT)}…`, text: 'x'.repeat(TEXT_LIMIT), raw: false, cut: 3 });
  });
});

describe('shorten', () => {
  test.each([
    ['abc', 3, 'abc'],
    ['abcd', 3, 'abc'],
    ['가나다라', 2, '가나'],
    ['a😀b', 2, 'a'], // the limit falls between the halves of the pair
    ['a😀b', 3, 'a😀'],
    ['\ud83dabc', 1, ''],
  ])('%j to %i', (text, limit, want) => {
    expect(shorten(text, limit)).toBe(want);
  });
});
