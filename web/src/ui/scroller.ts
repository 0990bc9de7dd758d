// A long list of which only what is seen is drawn, in a box that scrolls. It follows the newest
// row, or else holds the row that is being read where it is, whatever comes, goes or grows.

import { type Range, type Row, Layout, indexOf, rowAt, rowsBetween } from './rows';

/** So much is drawn beyond the box on either side, in CSS pixels: a flick does not outrun it. */
const MARGIN_PX = 900;
/** New rows are drawn when less than this is left of it. */
const LEAST_PX = 350;

/** The elements of the list. The drawn rows carry their id in data-id and lie between two spacers. */
export interface Parts {
  readonly box: HTMLElement;
  readonly above: HTMLElement;
  readonly below: HTMLElement;
  /** The parent of the drawn rows. */
  readonly list: HTMLElement;
}

/** The row that is held, and how far its upper edge is below that of the box. */
interface Anchor {
  readonly id: number;
  readonly top: number;
}

/**
 * Scrolls rows in parts. The caller draws the rows of `range` and then calls settle; `draw` asks
 * it to. All of it runs on what the caller gives it: it listens to nothing itself.
 */
export class Scroller {
  readonly #layout = new Layout();
  readonly #parts: Parts;
  readonly #draw: (range: Range) => void;
  #range: Range = { from: 0, to: 0 };
  #anchor: Anchor | undefined;
  /** Where settle has put the box: a scroll event from there is its own. */
  #settledAt = -1;
  #width = 0;

  constructor(parts: Parts, draw: (range: Range) => void) {
    this.#parts = parts;
    this.#draw = draw;
  }

  /** The rows changed. Draws those that are to be seen. */
  update(rows: readonly Row[]): void {
    this.#layout.update(rows);
    if (this.#anchor) {
      const row = rows[indexOf(rows, this.#anchor.id)];
      if (row?.id !== this.#anchor.id) {
        this.#anchor = row && { id: row.id, top: 0 }; // it was dropped
      }
    }
    this.#show();
  }

  /** The newest row is followed from now on, or the row at the box's upper edge is held. */
  follow(following: boolean): void {
    if (following) {
      this.#anchor = undefined;
      this.#show();
    } else if (!this.#anchor) {
      this.#anchor = this.#atTop();
    }
  }

  /** The box was scrolled, by its reader or by settle. */
  scrolled(following: boolean): void {
    const own = Math.abs(this.#parts.box.scrollTop - this.#settledAt) < 1;
    if (own) {
      return;
    }
    this.#anchor = following ? undefined : this.#atTop();
    const { from, to } = this.#wanted(LEAST_PX);
    if (from < this.#range.from || to > this.#range.to) {
      this.#show();
    }
  }

  /** The box may have another width, at which rows have other heights. */
  resized(): void {
    const width = this.#parts.list.clientWidth;
    if (width !== this.#width) {
      this.#width = width;
      this.#layout.clear();
    }
    this.settle();
  }

  /** Measures what was drawn and puts everything in its place; after every drawing. */
  settle(): void {
    const { box, above, below, list } = this.#parts;
    const { from, to } = this.#range;
    this.#layout.measured(Array.from(list.children, (row) => [Number((row as HTMLElement).dataset.id), row.getBoundingClientRect().height] as const));
    const { offsets } = this.#layout;
    setHeight(above, offsets[from] ?? 0);
    setHeight(below, offsets.at(-1)! - (offsets[to] ?? 0));
    if (this.#anchor) {
      this.#hold(this.#anchor);
    } else {
      box.scrollTop = box.scrollHeight;
    }
    this.#settledAt = box.scrollTop;
    // Rows that turned out smaller than expected leave room for more.
    const need = this.#wanted(0);
    if (need.from < from || need.to > to) {
      this.#show();
    }
  }

  #hold({ id, top }: Anchor): void {
    const { box, list } = this.#parts;
    const row = list.querySelector(`[data-id="${id}"]`);
    if (row) {
      box.scrollTop += row.getBoundingClientRect().top - box.getBoundingClientRect().top - top;
    }
  }

  #show(): void {
    this.#range = this.#wanted(MARGIN_PX);
    this.#draw(this.#range);
  }

  /** The rows that are in the box, and so much around it. */
  #wanted(margin: number): Range {
    const height = this.#parts.box.clientHeight;
    const end = this.#layout.offsets.at(-1)!;
    const top = this.#anchor ? this.#placeOf(this.#anchor) : end - height;
    return rowsBetween(this.#layout.offsets, top - margin, top + height + margin);
  }

  /** Where the box's upper edge has to be for a row to be held. */
  #placeOf({ id, top }: Anchor): number {
    const index = indexOf(this.#layout.rows, id);
    return (index < 0 ? this.#layout.offsets.at(-1)! : this.#layout.offsets[index]!) - top;
  }

  /** The row at the upper edge of the box. */
  #atTop(): Anchor | undefined {
    const { box, above } = this.#parts;
    const start = above.getBoundingClientRect().top - box.getBoundingClientRect().top;
    let index = rowAt(this.#layout.offsets, -start);
    if (index === 0 && this.#layout.rows.length > 1) {
      index = 1; // the head stays when what is below it goes
    }
    const row = this.#layout.rows[index];
    return row && { id: row.id, top: start + this.#layout.offsets[index]! };
  }
}

function setHeight(element: HTMLElement, height: number): void {
  element.style.height = `${height}px`;
}
