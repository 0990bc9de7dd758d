import { describe, expect, test } from 'vitest';
import { keepToken, keptToken, namesIn, tokenOf } from './token';

describe('tokenOf', () => {
  test.each([
    ['http://h/', '', '', 'http://h/'],
    ['http://h/team/#token=a.b-c_d', 'a.b-c_d', '', 'http://h/team/'],
    ['http://h/?x=1#token=a%2Bb&room=2', 'a+b', '', 'http://h/?x=1#room=2'],
    ['http://h/#other', '', '', 'http://h/#other'],
    ['http://h/#token=', '', '', 'http://h/'],
    [`http://h/#token=${'x'.repeat(20_000)}`, '', '', 'http://h/'],
    ['http://h/team/#token=a&renew=/auth/token', 'a', 'http://h/auth/token', 'http://h/team/'],
    ['http://h/team/#token=a&renew=token', 'a', 'http://h/team/token', 'http://h/team/'],
    ['http://h/#token=a&renew=https://other.example/', 'a', '', 'http://h/'],
    ['http://h/#token=a&renew=//other.example/', 'a', '', 'http://h/'],
    ['http://h/#token=a&renew=javascript:alert(1)', 'a', '', 'http://h/'],
    ['http://h/#renew=/x', '', '', 'http://h/#renew=/x'],
  ])('%s', (address, token, renew, rest) => {
    expect(tokenOf(address)).toEqual({ token, renew, rest });
  });
});

describe('namesIn', () => {
  const jwt = (claims: unknown) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.sig`;
  test.each<[string, string[]]>([
    [jwt({ sub: '17', name: '지우', exp: 5 }), ['17', '지우']],
    [jwt({ preferred_username: 'a?>~', nested: { name: 'no' } }), ['a?>~']],
    [jwt(null), []],
    ['opaque', []],
    ['', []],
    ['a.%%%.c', []],
  ])('%s', (token, names) => {
    expect(namesIn(token)).toEqual(names);
  });
});

test('a token is kept and forgotten, and a browser that keeps nothing is no error', () => {
  const items = new Map<string, string>();
  const store = () => ({ getItem: (k: string) => items.get(k) ?? null, setItem: (k: string, v: string) => void items.set(k, v), removeItem: (k: string) => void items.delete(k) }) as unknown as Storage;
  keepToken(store, 'a.b.c');
  expect(keptToken(store)).toBe('a.b.c');
  keepToken(store, '');
  expect(keptToken(store)).toBe('');
  const broken = () => {
    throw new Error('SecurityError');
  };
  keepToken(broken, 'x');
  expect(keptToken(broken)).toBe('');
});
