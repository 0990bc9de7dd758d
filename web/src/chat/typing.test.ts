import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { followTyping, sayTyping } from './typing';

describe('typing', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('ends by itself, with a message, or with the connection', () => {
    const typing = followTyping();
    typing.heard('Ann', 6000);
    typing.heard('Bob', 6000);
    expect(typing.names.value).toEqual(['Ann', 'Bob']);
    vi.advanceTimersByTime(5000);
    typing.heard('Bob', 6000);
    vi.advanceTimersByTime(1000);
    expect(typing.names.value).toEqual(['Bob']);
    typing.said('Bob');
    expect(typing.names.value).toEqual([]);
    typing.heard('Cid', 6000);
    typing.clear();
    expect(typing.names.value).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('believes no odd names, endless times or crowds', () => {
    const typing = followTyping();
    typing.heard(' \n ', 6000);
    typing.heard('x'.repeat(1000), Infinity);
    expect(typing.names.value).toEqual(['x'.repeat(40)]);
    for (let i = 0; i < 200; i++) {
      typing.heard(`n${i}`, 6000);
    }
    expect(typing.names.value.length).toBe(50);
    vi.advanceTimersByTime(15_000);
    expect(typing.names.value).toEqual([]);
  });

  test('says now and then that one writes, and at once after a message', () => {
    const tell = vi.fn();
    const own = sayTyping(tell);
    const letters = (n: number) => {
      for (let i = 0; i < n; i++) {
        own.writes();
        vi.advanceTimersByTime(100);
      }
    };
    letters(29);
    expect(tell).toHaveBeenCalledTimes(1);
    letters(2);
    expect(tell).toHaveBeenCalledTimes(2);
    own.sent();
    letters(1);
    expect(tell).toHaveBeenCalledTimes(3);
  });
});
