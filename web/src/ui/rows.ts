// Which rows of a long list have to be there. A row's height is known once it was drawn, until
// then it is taken to be like the others.

/** What a row is known by. */
export interface Row {
  readonly id: number;
}

/** The heights of rows, in CSS pixels. */
export class Heights {
  readonly #known = new Map<number, number>();
  #sum = 0;

  /** Takes down what was measured; tells whether that is news. */
  measured(id: number, height: number): boolean {
    const before = this.#known.get(id);
    if (before !== undefined && Math.abs(before - height) < 0.01) {
      return false;
    }
    this.#sum += height - (before ?? 0);
    this.#known.set(id, height);
    return true;
  }

  /** Forgets rows that are no longer in the list. */
  keep(rows: readonly Row[]): void {
    if (this.#known.size <= 2 * rows.length + 100) {
      return;
    }
    const ids = new Set(rows.map(({ id }) => id));
    for (const [id, height] of this.#known) {
      if (!ids.has(id)) {
        this.#known.delete(id);
        this.#sum -= height;
      }
    }
  }

  /** Forgets everything: the list has another width. */
  clear(): void {
    this.#known.clear();
    this.#sum = 0;
  }

  /** Where each row begins, and at the end where the last one ends. */
  offsets(rows: readonly Row[]): Float64Array {
    const usual = this.#known.size > 0 ? this.#sum / this.#known.size : 48;
    const offsets = new Float64Array(rows.length + 1);
    for (let i = 0; i < rows.length; i++) {
      offsets[i + 1] = offsets[i]! + (this.#known.get(rows[i]!.id) ?? usual);
    }
    return offsets;
  }
}

/** A run of rows: from the first to before the last. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** The rows between two places, in CSS pixels from the first row's beginning. */
export function rowsBetween(offsets: Float64Array, top: number, bottom: number): Range {
  const rows = offsets.length - 1;
  return { from: Math.min(rowAt(offsets, top), Math.max(rows - 1, 0)), to: Math.min(rowAt(offsets, bottom) + 1, rows) };
}

/** The row at a place; beyond the ends the first and the last one. */
export function rowAt(offsets: Float64Array, place: number): number {
  let low = 0;
  let high = offsets.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (offsets[middle]! <= place) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return Math.max(low, 0);
}

/** The index of the row with id, or of the first one after it, in rows of rising ids; -1: none. */
export function indexOf(rows: readonly Row[], id: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle]!.id < id) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low < rows.length ? low : -1;
}
