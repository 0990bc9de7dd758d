import { expect, test } from 'vitest';
import { openMemory } from './memory';

function storage(): Storage {
  const kept = new Map<string, string>();
  return { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => void kept.set(key, value) } as Storage;
}

test('remembers across visits, bounded, each path for itself', () => {
  const store = storage();
  const first = openMemory(() => store, '/team/');
  first.see('lobby ', 5);
  first.keepRooms(['a b', '방']);
  for (let i = 0; i < 600; i++) {
    first.own(`id${i}`);
  }
  first.own('');
  const next = openMemory(() => store, '/team/');
  expect([next.seenUntil('lobby '), next.seenUntil('room x'), next.rooms()]).toEqual([5, 0, ['a b', '방']]);
  expect([next.isOwn('id599'), next.isOwn('id99'), next.isOwn('')]).toEqual([true, false, false]);
  expect(openMemory(() => store, '/').rooms()).toEqual([]);
});

test('bears a browser that keeps nothing, and whatever was kept', () => {
  const none = openMemory(() => {
    throw new Error('denied');
  });
  none.own('x');
  none.see('lobby ', 1);
  expect([none.isOwn('x'), none.seenUntil('lobby ')]).toEqual([true, 1]);
  for (const odd of ['{', 'null', '{"a":1}', '[1]', '[["x"]]']) {
    const memory = openMemory(() => ({ getItem: () => odd }) as unknown as Storage);
    expect([memory.rooms(), memory.seenUntil('x'), memory.isOwn('1')]).toEqual([[], 0, false]);
  }
});
