import { describe, expect, test } from 'vitest';
import { type Pending, confirm, doubt, push, refuse, remove } from './outbox';

const two = push(push([], 1, '지우', '안녕'), 2, '지우', '반가워');
const states = (outbox: readonly Pending[]) => outbox.map((p) => `${p.id} ${p.state}`);

describe('the outbox', () => {
  test('keeps what was sent, in order', () => {
    expect(states(two)).toEqual(['1 sending', '2 sending']);
  });

  test.each<[string, unknown, number[]]>([
    ['the echo of the first', { name: '지우', text: '안녕' }, [2]],
    ['the echo of the second, out of order', { name: '지우', text: '반가워' }, [1]],
    ['the same text by somebody else', { name: '민준', text: '안녕' }, [1, 2]],
    ['another text', { name: '지우', text: '안녕!' }, [1, 2]],
    ['a string', '안녕', [1, 2]],
    ['null', null, [1, 2]],
    ['a list', ['지우', '안녕'], [1, 2]],
  ])('on %s', (_what, payload, left) => {
    expect(confirm(two, payload).map((p) => p.id)).toEqual(left);
  });

  test('one echo confirms one of two identical messages', () => {
    const twice = push(push([], 1, 'a', 'x'), 2, 'a', 'x');
    const once = confirm(twice, { name: 'a', text: 'x' });
    expect(once.map((p) => p.id)).toEqual([2]);
    expect(confirm(once, { name: 'a', text: 'x' })).toEqual([]);
  });

  test('doubts all when the connection is lost, one when its echo is overdue', () => {
    expect(states(doubt(two))).toEqual(['1 doubtful', '2 doubtful']);
    expect(states(doubt(two, 2))).toEqual(['1 sending', '2 doubtful']);
    expect(doubt(two, 3)).toBe(two);
    const doubted = doubt(two);
    expect(doubt(doubted)).toBe(doubted);
  });

  test('a late echo still confirms', () => {
    expect(states(confirm(doubt(two), { name: '지우', text: '안녕' }))).toEqual(['2 doubtful']);
  });

  test('a refused message is nobody\'s echo and in no doubt', () => {
    const refused = refuse(two, 1, 'too long');
    expect(refused[0]).toMatchObject({ state: 'refused', why: 'too long' });
    expect(confirm(refused, { name: '지우', text: '안녕' })).toBe(refused);
    expect(states(doubt(refused))).toEqual(['1 refused', '2 doubtful']);
  });

  test('knows an echo under the name that a token gives', () => {
    const unnamed = push([], 1, '-', '안녕');
    expect(confirm(unnamed, { name: '지우', text: '안녕' })).toBe(unnamed);
    expect(confirm(unnamed, { name: '지우', text: '안녕' }, ['17', '지우'])).toEqual([]);
  });

  test('forgets what its writer gives up', () => {
    expect(states(remove(two, 1))).toEqual(['2 sending']);
  });
});
