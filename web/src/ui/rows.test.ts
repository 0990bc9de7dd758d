import { describe, expect, test } from 'vitest';
import { Layout, indexOf, rowAt, rowsBetween } from './rows';

const rows = (...ids: number[]) => ids.map((id) => ({ id }));

/** A list of these rows, some of which were drawn with these heights. */
const layout = (ids: number[], ...drawn: [number, number][]) => {
  const list = new Layout();
  list.update(rows(...ids));
  list.measured(drawn);
  return list;
};

describe('a layout', () => {
  test('a row that was never drawn is like the others, once the list is laid out anew', () => {
    const list = layout([1, 2]);
    expect([...list.offsets]).toEqual([0, 48, 96]);
    list.measured([[1, 20], [2, 40]]);
    expect([...list.offsets]).toEqual([0, 20, 60]);
    list.update(rows(0, 1, 2, 3));
    expect([...list.offsets]).toEqual([0, 30, 50, 90, 120]);
  });

  test('what was measured moves all that follows, and is measured again when it grows', () => {
    const list = layout([1, 2, 3, 4], [2, 10], [3, 20]);
    expect([...list.offsets]).toEqual([0, 48, 58, 78, 126]);
    list.measured([[3, 20.001], [4, 5]]);
    expect([...list.offsets].map(Math.round)).toEqual([0, 48, 58, 78, 83]);
    list.measured([[9, 100]]); // no longer in the list
    expect(list.offsets).toHaveLength(5);
  });

  test('appended rows are added; the last may be another of its id', () => {
    const list = layout([1, 2], [1, 10], [2, 20]);
    list.update(rows(1, 2, 3));
    list.measured([[2, 30], [3, 5]]);
    expect([...list.offsets]).toEqual([0, 10, 40, 45]);
    list.update(rows(1));
    expect([...list.offsets]).toEqual([0, 10]);
    list.update([]);
    expect([...list.offsets]).toEqual([0]);
  });

  test('forgets what is gone, and all of it at another width', () => {
    const ids = Array.from({ length: 1000 }, (_, id) => id);
    const list = layout(ids, ...ids.map((id): [number, number] => [id, id < 900 ? 1000 : 10]));
    list.update(rows(...ids.slice(900), 5000));
    expect(list.offsets[101]).toBeCloseTo(1010);
    list.clear();
    expect(list.offsets[101]).toBe(101 * 48);
  });

  test('after any order of changes each drawn row takes what it measures', () => {
    let state = 7;
    const random = (below: number) => ((state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff) >> 8) % below;
    const list = new Layout();
    let ids = [0];
    const heights = new Map<number, number>();
    for (let step = 0; step < 500; step++) {
      const first = ids[0]!;
      const last = ids.at(-1)!;
      ids = [() => [...ids, last + 1], () => [first - 2, first - 1, ...ids], () => ids.slice(random(2)), () => ids][random(4)]!();
      ids = ids.length ? ids : [last + 1];
      list.update(rows(...ids));
      const from = random(ids.length);
      const run = ids.slice(from, from + 1 + random(4)).map((id): [number, number] => [id, 1 + random(99)]);
      run.forEach(([id, height]) => heights.set(id, height));
      list.measured(run);
      const taken = ids.map((_, i) => Math.round(list.offsets[i + 1]! - list.offsets[i]!));
      const known = ids.flatMap((id, i) => (heights.has(id) ? [[heights.get(id), taken[i]]] : []));
      expect(known.every(([measured, now]) => measured === now)).toBe(true);
    }
  });
});

describe('rows at a place', () => {
  const offsets = Float64Array.of(0, 10, 30, 60);
  test.each([[-5, 0], [0, 0], [9.9, 0], [10, 1], [29, 1], [30, 2], [60, 2], [1e9, 2]])('%f', (place, row) => {
    expect(rowAt(offsets, place)).toBe(row);
  });
  test.each([
    [0, 60, 0, 3],
    [-100, 5, 0, 1],
    [12, 13, 1, 2],
    [35, 1000, 2, 3],
    [100, 200, 2, 3],
  ])('%f to %f', (top, bottom, from, to) => {
    expect(rowsBetween(offsets, top, bottom)).toEqual({ from, to });
  });
  test('of an empty list', () => {
    expect(rowsBetween(Float64Array.of(0), 0, 100)).toEqual({ from: 0, to: 0 });
  });
});

test('finds a row, or the one after it', () => {
  const list = rows(0, 5, 6, 9);
  expect([0, 1, 5, 7, 9, 10].map((id) => indexOf(list, id))).toEqual([0, 1, 1, 3, 3, -1]);
});
