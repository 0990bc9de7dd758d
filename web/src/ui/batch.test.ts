import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { inBatches } from './batch';

describe('inBatches', () => {
  let frames: Map<number, () => void>;
  const drawFrame = () => {
    const due = [...frames.values()];
    frames.clear();
    for (const callback of due) {
      callback();
    }
  };

  beforeEach(() => {
    frames = new Map();
    let last = 0;
    vi.useFakeTimers();
    vi.stubGlobal('requestAnimationFrame', (callback: () => void) => {
      frames.set(++last, callback);
      return last;
    });
    vi.stubGlobal('cancelAnimationFrame', (id: number) => frames.delete(id));
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  test('hands on once a frame, in order', () => {
    const taken: number[][] = [];
    const { add } = inBatches<number>(100, (items) => taken.push(items));
    [1, 2, 3].forEach(add);
    expect(taken).toEqual([]);
    drawFrame();
    add(4);
    drawFrame();
    drawFrame();
    vi.advanceTimersByTime(10_000);
    expect(taken).toEqual([[1, 2, 3], [4]]);
  });

  test('hands on by time where no frame is drawn', () => {
    const taken: number[][] = [];
    const { add } = inBatches<number>(100, (items) => taken.push(items));
    add(1);
    add(2);
    vi.advanceTimersByTime(500);
    add(3);
    vi.advanceTimersByTime(500);
    drawFrame();
    expect(taken).toEqual([[1, 2], [3]]);
  });

  test('does not collect without bound', () => {
    const taken: number[][] = [];
    const { add } = inBatches<number>(2, (items) => taken.push(items));
    [1, 2, 3, 4, 5].forEach(add);
    expect(taken).toEqual([[1, 2], [3, 4]]);
    drawFrame();
    expect(taken).toEqual([[1, 2], [3, 4], [5]]);
  });
});
