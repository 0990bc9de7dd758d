// Keeping the newest message in view, unless the reader has scrolled up to read.

/** The measures of a scrolling element, in CSS pixels. */
export interface ScrollBox {
  readonly scrollTop: number;
  readonly scrollHeight: number;
  readonly clientHeight: number;
}

/** This close to the end counts as the end: zoomed browsers round, and fingers tremble. */
const SLACK_PX = 48;

/** Tells whether the newest message is in view. */
export function atNewest(box: ScrollBox): boolean {
  return box.scrollHeight - box.clientHeight - box.scrollTop <= SLACK_PX;
}

/** Where the reader is: at the newest message, or further up with messages unseen below. */
export interface Reading {
  readonly following: boolean;
  /** Messages that came since the reader scrolled up. */
  readonly unseen: number;
}

export const START: Reading = { following: true, unseen: 0 };

/** The list was scrolled, by the reader or by the page. */
export function scrolled(reading: Reading, box: ScrollBox): Reading {
  if (atNewest(box)) {
    return START;
  }
  return reading.following ? { following: false, unseen: 0 } : reading;
}

/** Messages came. A reader who follows sees them; for others they are counted. */
export function arrived(reading: Reading, messages: number): Reading {
  return reading.following || messages === 0 ? reading : { following: false, unseen: reading.unseen + messages };
}
