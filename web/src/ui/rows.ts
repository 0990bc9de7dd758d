// Which rows of a long list have to be there. A row's height is known once it was drawn, until
// then it is taken to be like the others.

/** What a row is known by. */
export interface Row {
  readonly id: number;
}

/** The heights of rows, in CSS pixels. */
class Heights {
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

  /** What a row takes: what was measured, or what rows usually do. */
  of(id: number, usual: number): number {
    return this.#known.get(id) ?? usual;
  }

  /** What the rows that were drawn take on average. */
  get usual(): number {
    return this.#known.size > 0 ? this.#sum / this.#known.size : 48;
  }
}

/** Where each row of a long list begins. A change costs what it touches, not the whole list. */
export class Layout {
  readonly #heights = new Heights();
  #rows: readonly Row[] = [];
  #offsets = new Float64Array(1);
  /** What was taken for a row that was never drawn. */
  #usual = 48;

  get rows(): readonly Row[] {
    return this.#rows;
  }

  /** Where each row begins, and at the end where the last one ends. */
  get offsets(): Float64Array {
    return this.#offsets.subarray(0, this.#rows.length + 1);
  }

  /** The list has other rows now. Appended ones are added, anything else is laid out anew. */
  update(rows: readonly Row[]): void {
    const before = this.#rows;
    const appended = before.length > 0 && rows.length >= before.length && rows[0]!.id === before[0]!.id && rows[before.length - 1]!.id === before.at(-1)!.id;
    this.#rows = rows;
    this.#heights.keep(rows);
    if (!appended) {
      this.#usual = this.#heights.usual;
    }
    this.#reach(rows.length + 1);
    this.#layOut(appended ? before.length : 0, rows.length);
  }

  /** Takes down the heights of a run of rows. */
  measured(run: readonly (readonly [id: number, height: number])[]): void {
    let news = false;
    for (const [id, height] of run) {
      news = this.#heights.measured(id, height) || news;
    }
    const from = news ? indexOf(this.#rows, run[0]![0]) : -1;
    if (from < 0) {
      return;
    }
    const to = Math.min(from + run.length, this.#rows.length);
    const before = this.#offsets[to]!;
    this.#layOut(from, to);
    const shift = this.#offsets[to]! - before;
    for (let i = to + 1; i <= this.#rows.length; i++) {
      this.#offsets[i]! += shift;
    }
  }

  /** Forgets all heights: the list has another width. */
  clear(): void {
    this.#heights.clear();
    this.#usual = this.#heights.usual;
    this.#layOut(0, this.#rows.length);
  }

  #layOut(from: number, to: number): void {
    for (let i = from; i < to; i++) {
      this.#offsets[i + 1] = this.#offsets[i]! + this.#heights.of(this.#rows[i]!.id, this.#usual);
    }
  }

  #reach(length: number): void {
    if (this.#offsets.length < length) {
      const longer = new Float64Array(2 * length);
      longer.set(this.#offsets);
      this.#offsets = longer;
    }
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
