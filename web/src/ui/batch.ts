// Many events, one update of the page: what arrives is handed on once a frame.

/** A hidden page draws no frames; then what arrived is handed on after this long at most. */
const HIDDEN_MS = 500;

export interface Batches<T> {
  add(item: T): void;
  /** Passes on what waits. */
  flush(): void;
}

/**
 * Collects items and passes them on together, in order: before the next frame is drawn, or half
 * a second later where no frame is drawn, or at once when `most` items wait.
 */
export function inBatches<T>(most: number, take: (items: T[]) => void): Batches<T> {
  let waiting: T[] = [];
  let frame = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const flush = () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    timer = undefined;
    const items = waiting;
    waiting = [];
    if (items.length > 0) {
      take(items);
    }
  };

  return {
    flush,
    add(item) {
      waiting.push(item);
      if (waiting.length >= most) {
        flush();
      } else if (timer === undefined) {
        frame = requestAnimationFrame(flush);
        timer = setTimeout(flush, HIDDEN_MS);
      }
    },
  };
}
