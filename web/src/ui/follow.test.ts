import { describe, expect, test } from 'vitest';
import { START, type Reading, arrived, atNewest, scrolled } from './follow';

const box = (scrollTop: number, scrollHeight = 1000, clientHeight = 400) => ({ scrollTop, scrollHeight, clientHeight });

describe('atNewest', () => {
  test.each([
    ['at the very end', box(600), true],
    ['half a pixel off, as under zoom', box(599.5), true],
    ['pulled past the end, as on iOS', box(640), true],
    ['within the slack', box(552), true],
    ['just outside it', box(551), false],
    ['at the top', box(0), false],
    ['a list shorter than its box', box(0, 300, 400), true],
    ['an empty list', box(0, 0, 0), true],
  ])('%s', (_what, measures, want) => {
    expect(atNewest(measures)).toBe(want);
  });
});

describe('reading', () => {
  const up: Reading = { following: false, unseen: 0 };

  test('who follows keeps following, whatever comes', () => {
    expect(arrived(START, 20)).toEqual(START);
  });

  test('scrolling up stops it and starts to count', () => {
    let reading = scrolled(START, box(200));
    expect(reading).toEqual(up);
    reading = arrived(arrived(reading, 2), 3);
    expect(reading).toEqual({ following: false, unseen: 5 });
    reading = scrolled(reading, box(100)); // further up: the count stays
    expect(reading.unseen).toBe(5);
  });

  test('back at the end it follows again with nothing unseen', () => {
    expect(scrolled({ following: false, unseen: 5 }, box(590))).toEqual(START);
  });

  test('notices alone are not counted', () => {
    expect(arrived(up, 0)).toBe(up);
  });
});
