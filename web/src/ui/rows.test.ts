import { describe, expect, test } from 'vitest';
import { Heights, indexOf, rowAt, rowsBetween } from './rows';

const rows = (...ids: number[]) => ids.map((id) => ({ id }));

describe('heights', () => {
  test('a row that was never drawn is like the others', () => {
    const heights = new Heights();
    expect([...heights.offsets(rows(1, 2))]).toEqual([0, 48, 96]);
    heights.measured(1, 20);
    heights.measured(2, 40);
    expect([...heights.offsets(rows(1, 2, 3))]).toEqual([0, 20, 60, 90]);
  });

  test('tells news from what it knows', () => {
    const heights = new Heights();
    expect([heights.measured(1, 20), heights.measured(1, 20.001), heights.measured(1, 21)]).toEqual([true, false, true]);
    expect([...heights.offsets(rows(1, 2))]).toEqual([0, 21, 42]);
  });

  test('forgets what is gone, and all of it', () => {
    const heights = new Heights();
    for (let id = 0; id < 1000; id++) {
      heights.measured(id, id < 900 ? 1000 : 10);
    }
    const kept = rows(...Array.from({ length: 100 }, (_, i) => 900 + i));
    heights.keep(kept);
    expect(heights.offsets([...kept, { id: 5000 }])[101]).toBeCloseTo(1010);
    heights.clear();
    expect([...heights.offsets(rows(900))]).toEqual([0, 48]);
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
