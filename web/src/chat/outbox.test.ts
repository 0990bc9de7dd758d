import { describe, expect, test } from 'vitest';
import { type Pending, RESEND_MS, change, confirm, due, interrupt, push, remove } from './outbox';

const two = push(push([], { id: 1, name: '지우', text: '안녕' }), { id: 2, name: '지우', text: '반가워' });
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
    const twice = push(push([], { id: 1, name: 'a', text: 'x' }), { id: 2, name: 'a', text: 'x' });
    const once = confirm(twice, { name: 'a', text: 'x' });
    expect(once.map((p) => p.id)).toEqual([2]);
    expect(confirm(once, { name: 'a', text: 'x' })).toEqual([]);
  });

  test('a lost connection: doubts what the server would not know again, lets the rest wait', () => {
    const mixed = push(two, { id: 3, name: 'a', text: 'x', mid: 'm3', at: 0 });
    expect(states(interrupt(mixed))).toEqual(['1 doubtful', '2 doubtful', '3 waiting']);
    const lost = interrupt(mixed);
    expect(interrupt(lost)).toBe(lost);
    expect(interrupt(change(mixed, 3, { state: 'accepted' })).at(-1)).toMatchObject({ state: 'accepted' });
  });

  test('changes one, if it is there', () => {
    expect(states(change(two, 2, { state: 'doubtful' }))).toEqual(['1 sending', '2 doubtful']);
    expect(change(two, 3, { state: 'doubtful' })).toBe(two);
  });

  test('what waits is due for as long as the server surely knows its id', () => {
    const waiting = interrupt(push(push(two, { id: 3, name: 'a', text: 'old', mid: 'm3', at: 0 }), { id: 4, name: 'a', text: 'new', mid: 'm4', at: RESEND_MS }));
    const soon = due(waiting, RESEND_MS + 1, true);
    expect(soon.due.map((p) => p.mid)).toEqual(['m4']);
    expect(states(soon.outbox)).toEqual(['1 doubtful', '2 doubtful', '3 doubtful', '4 waiting']);
    expect(due(waiting, RESEND_MS + 1, false)).toMatchObject({ due: [] });
    expect(states(due(waiting, 0, false).outbox).slice(2)).toEqual(['3 doubtful', '4 doubtful']);
    expect(due(two, 0, true).outbox).toBe(two);
  });

  test('a late echo still confirms', () => {
    expect(states(confirm(interrupt(two), { name: '지우', text: '안녕' }))).toEqual(['2 doubtful']);
  });

  test('a refused message is nobody\'s echo and in no doubt', () => {
    const refused = change(two, 1, { state: 'refused', why: 'too long' });
    expect(refused[0]).toMatchObject({ state: 'refused', why: 'too long' });
    expect(confirm(refused, { name: '지우', text: '안녕' })).toBe(refused);
    expect(states(interrupt(refused))).toEqual(['1 refused', '2 doubtful']);
  });

  test('knows an echo under the name that a token gives', () => {
    const unnamed = push([], { id: 1, name: '-', text: '안녕' });
    expect(confirm(unnamed, { name: '지우', text: '안녕' })).toBe(unnamed);
    expect(confirm(unnamed, { name: '지우', text: '안녕' }, ['17', '지우'])).toEqual([]);
  });

  test('forgets what its writer gives up', () => {
    expect(states(remove(two, 1))).toEqual(['2 sending']);
  });
});
