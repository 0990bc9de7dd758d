import { describe, expect, test } from 'vitest';
import { type Arrival, type Entry, append, countNew } from './history';

const says = (name: string, text: string, at = 0, own = false): Arrival => ({
  kind: 'message',
  name,
  text,
  at,
  own,
  raw: false,
  cut: 0,
});
const joins = (at = 0): Arrival => ({ kind: 'joined', at });
const gap = (at = 0): Arrival => ({ kind: 'gap', at });

/** The entries in short: a name with its text, + for a continued group, and notices. */
const short = (entries: readonly Entry[]) =>
  entries.map((e) => (e.kind === 'message' ? `${e.continues ? '+' : ''}${e.name}:${e.text}` : e.kind === 'joined' ? `joined×${e.count}` : 'gap'));

describe('append', () => {
  test('keeps the order of arrival and gives rising ids', () => {
    const first = append([], [says('a', '1'), joins(), says('b', '2')]);
    const entries = append(first, [says('c', '3')]);
    expect(short(entries)).toEqual(['a:1', 'joined×1', 'b:2', 'c:3']);
    expect(entries.map((e) => e.id)).toEqual([1, 2, 3, 4]);
  });

  test('leaves the given list as it was and keeps its entries', () => {
    const before = append([], [says('a', '1'), joins()]);
    const copy = structuredClone(before);
    const after = append(before, [joins(), says('b', '2')]);
    expect(before).toEqual(copy);
    expect(after[0]).toBe(before[0]);
  });

  test('counts join notices that follow each other, also across calls', () => {
    let entries = append([], [joins(1), joins(2)]);
    entries = append(entries, [joins(3), says('a', '1'), joins(4)]);
    expect(short(entries)).toEqual(['joined×3', 'a:1', 'joined×1']);
    expect(entries[0]).toMatchObject({ id: 1, at: 3 });
  });

  test('groups one speaker, until another speaks, time passes or a notice comes between', () => {
    const minutes = 60_000;
    const entries = append([], [
      says('a', '1', 0),
      says('a', '2', 3 * minutes),
      says('a', '3', 7 * minutes),
      says('b', '4', 7 * minutes),
      says('b', '5', 7 * minutes, true), // same name, but sent from here
      says('b', '6', 7 * minutes, true),
      joins(),
      says('b', '7', 7 * minutes, true),
      gap(),
      says('b', '8', 7 * minutes, true),
    ]);
    expect(short(entries)).toEqual(['a:1', '+a:2', 'a:3', 'b:4', 'b:5', '+b:6', 'joined×1', 'b:7', 'gap', 'b:8']);
  });

  test('drops the oldest over the limit and does not use their ids again', () => {
    let entries = append([], [says('a', '1'), says('b', '2'), says('c', '3')], 3);
    entries = append(entries, [says('d', '4'), says('e', '5')], 3);
    expect(short(entries)).toEqual(['c:3', 'd:4', 'e:5']);
    expect(entries.map((e) => e.id)).toEqual([3, 4, 5]);
  });

  test('survives more arrivals at once than it keeps', () => {
    const burst = Array.from({ length: 5000 }, (_, i) => says(`n${i}`, `${i}`));
    const entries = append([], burst);
    expect(entries).toHaveLength(1000);
    expect(short(entries.slice(-1))).toEqual(['n4999:4999']);
  });
});

test('countNew counts messages, not notices', () => {
  const before = append([], [says('a', '1'), joins(), says('b', '2')], 3);
  const now = append(before, [joins(), says('c', '3'), gap(), says('d', '4')], 5);
  expect(short(now)).toEqual(['b:2', 'joined×1', 'c:3', 'gap', 'd:4']);
  expect(countNew(before, now)).toBe(2);
  expect(countNew(now, now)).toBe(0);
  expect(countNew([], now)).toBe(3);
  const flood = append(now, Array.from({ length: 50 }, () => says('e', 'x')), 5);
  expect(countNew(now, flood)).toBe(5); // of the fifty, those that are still there
});
