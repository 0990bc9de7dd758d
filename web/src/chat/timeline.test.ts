import { describe, expect, test } from 'vitest';
import { type Arrival, type Entry, TIMELINE_LIMIT, append, countNew, firstNew, insert, isTrimmed, prepend } from './timeline';

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

const minutes = 60_000;
const days = 24 * 60 * minutes;

/** The entries in short: a name with its text, + for a continued group, and notices. */
const short = (entries: readonly Entry[]) =>
  entries.map((e) => (e.kind === 'message' ? `${e.continues ? '+' : ''}${e.name}:${e.text}` : e.kind === 'joined' ? `joined×${e.count}` : e.kind));

describe('append', () => {
  test('keeps the order of arrival and gives rising ids', () => {
    const first = append([], [says('a', '1'), joins(), says('b', '2')]);
    const entries = append(first, [says('c', '3')]);
    expect(short(entries)).toEqual(['day', 'a:1', 'joined×1', 'b:2', 'c:3']);
    expect(entries.map((e) => e.id)).toEqual([1, 2, 3, 4, 5]);
  });

  test('leaves the given list as it was and keeps its entries', () => {
    const before = append([], [says('a', '1'), joins()]);
    const copy = structuredClone(before);
    const after = append(before, [joins(), says('b', '2')]);
    expect(before).toEqual(copy);
    expect(after[1]).toBe(before[1]);
  });

  test('counts join notices that follow each other, also across calls', () => {
    let entries = append([], [joins(1), joins(2)]);
    entries = append(entries, [joins(3), says('a', '1'), joins(4)]);
    expect(short(entries)).toEqual(['day', 'joined×3', 'a:1', 'joined×1']);
    expect(entries[1]).toMatchObject({ id: 2, at: 3 });
  });

  test('groups one speaker, until another speaks, time passes or a notice comes between', () => {
    const entries = append([], [
      says('a', '1', 0),
      says('a', '2', 3 * minutes),
      says('a', '3', 6 * minutes), // too long after the first
      says('b', '4', 7 * minutes),
      says('b', '5', 7 * minutes, true), // same name, but sent from here
      says('b', '6', 7 * minutes, true),
      joins(7 * minutes),
      says('b', '7', 7 * minutes, true),
      gap(7 * minutes),
      says('b', '8', 7 * minutes, true),
    ]);
    expect(short(entries)).toEqual(['day', 'a:1', '+a:2', 'a:3', 'b:4', 'b:5', '+b:6', 'joined×1', 'b:7', 'gap', 'b:8']);
  });

  test('a group ends after eight messages, however quick they come', () => {
    const entries = append([], Array.from({ length: 17 }, (_, i) => says('a', `${i}`)));
    expect(entries.flatMap((e, i) => (e.kind === 'message' && !e.continues ? i : []))).toEqual([1, 9, 17]);
  });

  test('begins a day where the date changes', () => {
    const noon = new Date(2026, 10, 27, 12).getTime();
    const night = new Date(2026, 10, 27, 23, 59, 59).getTime();
    let entries = append([], [says('a', '1', noon), says('a', '2', night)]);
    entries = append(entries, [says('a', '3', night + 2000), joins(night + 3 * days), joins(night + 3 * days)]);
    expect(short(entries)).toEqual(['day', 'a:1', 'a:2', 'day', 'a:3', 'day', 'joined×2']);
    expect(entries.map((e) => e.id)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  test('drops the oldest over the limit, keeps the day of what is left, and uses no id again', () => {
    let entries = append([], [says('a', '1'), says('b', '2'), says('c', '3')], 4);
    entries = append(entries, [says('d', '4'), says('d', '5')], 4);
    expect(short(entries)).toEqual(['day', 'c:3', 'd:4', '+d:5']);
    expect(entries.map((e) => e.id)).toEqual([Number.MIN_SAFE_INTEGER, 4, 5, 6]);
    entries = append(entries, [says('d', '6'), says('d', '7')], 4);
    expect(short(entries)).toEqual(['day', 'd:5', '+d:6', '+d:7']); // the name is shown again
    expect(entries.map((e) => e.id)).toEqual([Number.MIN_SAFE_INTEGER, 6, 7, 8]);
  });

  test('survives more arrivals at once than it keeps', () => {
    const burst = Array.from({ length: 5000 }, (_, i) => says(`n${i}`, `${i}`));
    const entries = append([], burst);
    expect(entries).toHaveLength(TIMELINE_LIMIT);
    expect(short(entries.slice(-1))).toEqual(['n4999:4999']);
  });
});

describe('prepend', () => {
  const rising = (entries: readonly Entry[]) => entries.every((e, i) => i === 0 || e.id > entries[i - 1]!.id);

  test('puts what is older in front, below the ids that are there, and keeps the entries', () => {
    const now = append([], [says('b', '3'), says('b', '4')]);
    const all = prepend(prepend(now, [says('a', '1'), says('b', '2')]), [says('z', '0')]);
    expect(short(all)).toEqual(['day', 'z:0', 'a:1', 'b:2', 'b:3', '+b:4']);
    expect(all.slice(-2)).toEqual(now.slice(-2));
    expect(all.at(-1)).toBe(now.at(-1));
    expect(rising(all)).toBe(true);
    expect(countNew(now, all)).toBe(0);
  });

  test('days are told apart across the seam', () => {
    const day = (n: number) => new Date(2026, 10, n, 12).getTime();
    const all = prepend(append([], [says('a', '3', day(29))]), [says('a', '1', day(27)), says('a', '2', day(28))]);
    expect(short(all)).toEqual(['day', 'a:1', 'day', 'a:2', 'day', 'a:3']);
    expect(rising(all)).toBe(true);
    expect(short(prepend(all, [says('b', '0', day(27))]))).toEqual(['day', 'b:0', 'a:1', 'day', 'a:2', 'day', 'a:3']);
  });

  test('to an empty list, to one that lost its head, and of nothing', () => {
    expect(short(prepend([], [says('a', '1')]))).toEqual(['day', 'a:1']);
    const trimmed = append([], [says('a', '1'), says('b', '2'), says('c', '3')], 2);
    const all = prepend(trimmed, [says('a', '1'), says('b', '2')]);
    expect(short(all)).toEqual(['day', 'a:1', 'b:2', 'c:3']);
    expect(rising(all)).toBe(true);
    expect(prepend(all, [])).toBe(all);
    const kept = prepend([], [says('a', '1')]);
    expect(countNew([], kept)).toBe(0);
    expect(countNew(kept, append(kept, [says('a', '2')]))).toBe(1);
    expect(firstNew([], append(kept, [says('a', '2')]))).toMatchObject({ text: '2', id: 1 });
  });
});

test('countNew counts messages, not notices; firstNew finds the first', () => {
  const before = append([], [says('a', '1'), joins(), says('b', '2')], 4);
  const now = append(before, [joins(), says('c', '3'), gap(), says('d', '4')], 6);
  expect(short(now)).toEqual(['day', 'b:2', 'joined×1', 'c:3', 'gap', 'd:4']);
  expect(countNew(before, now)).toBe(2);
  expect(countNew(now, now)).toBe(0);
  expect(countNew([], now)).toBe(3);
  expect(firstNew(before, now)).toBe(now[3]);
  expect(firstNew(now, now)).toBeUndefined();
  expect(firstNew([], now)).toBe(now[1]);
  const flood = append(now, Array.from({ length: 50 }, () => says('e', 'x')), 6);
  expect(countNew(now, flood)).toBe(5); // of the fifty, those that are still there
});

describe('insert', () => {
  const at = Date.UTC(2026, 0, 1, 12);
  const message = (text: string, moment = at): Arrival => ({ kind: 'message', name: 'a', text, raw: false, cut: 0, own: false, at: moment });
  const seen = (entries: readonly Entry[]) => entries.map((entry) => (entry.kind === 'message' ? entry.text : entry.kind));
  const shown = append([], [message('1'), { kind: 'gap', at }, message('4'), message('5')]);

  test('fills what was missing, with ids between its neighbours', () => {
    const filled = insert(shown, 3, [message('2'), message('3')], true);
    expect(seen(filled)).toEqual(['day', '1', '2', '3', '4', '5']);
    expect(filled.map(({ id }) => id)).toEqual(filled.map(({ id }) => id).toSorted((a, b) => a - b));
    expect(filled.slice(-1)).toEqual(shown.slice(-1));
    expect(filled[4]).toMatchObject({ continues: false });
  });

  test('leaves the notice where it is not known to be all, and begins days', () => {
    const yesterday = at - 86_400_000;
    expect(seen(insert(shown, 3, [message('2', yesterday)], false))).toEqual(['day', '1', 'gap', 'day', '2', 'day', '4', '5']);
    expect(seen(insert(shown, 3, [], true))).toEqual(['day', '1', '4', '5']);
  });
});

test('isTrimmed', () => {
  const joined = (day: number): Arrival => ({ kind: 'gap', at: Date.UTC(2026, 0, day, 12) });
  expect(isTrimmed(append([], [joined(1), joined(1)], 3))).toBe(false);
  expect(isTrimmed(append([], [joined(1), joined(1), joined(1)], 3))).toBe(true);
  expect(isTrimmed(append([], [joined(1), joined(2), joined(2)], 3)), 'a day comes to stand at the head').toBe(true);
});
