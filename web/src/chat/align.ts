// Which of two lists of what was said are the same messages, where all that one has of a message
// is a number for what it says: people say "ok" more than once.

/** So many messages that say the same are weighed against each other. */
const MOST_EQUAL = 100;

/** A place in both lists, and the pair that comes before it in the longest common run. */
interface Pair {
  readonly kept: number;
  readonly heard: number;
  readonly before: Pair | undefined;
}

/**
 * Finds for each of kept its place in heard; -1: it is not there. As many as can be are matched in
 * their order, the rest out of it: instances may tell of messages in another order than they keep them.
 * `may` tells of two places whether they can be the same message, for another reason.
 */
export function align(kept: readonly number[], heard: readonly number[], may: (kept: number, heard: number) => boolean = () => true): number[] {
  const places = placesOf(heard);
  const found = kept.map(() => -1);
  const taken = new Set<number>();
  for (let pair = longest(kept, places, may); pair; pair = pair.before) {
    found[pair.kept] = pair.heard;
    taken.add(pair.heard);
  }
  const left = placesOf(heard, taken);
  for (const [i, key] of kept.entries()) {
    if (found[i] === -1) {
      const same = left.get(key) ?? [];
      const at = same.findIndex((place) => may(i, place));
      found[i] = at < 0 ? -1 : same.splice(at, 1)[0]!;
    }
  }
  return found;
}

/** Where each key stands, but for the places that are taken. */
function placesOf(keys: readonly number[], taken?: ReadonlySet<number>): Map<number, number[]> {
  const places = new Map<number, number[]>();
  for (const [i, key] of keys.entries()) {
    if (!taken?.has(i)) {
      const same = places.get(key);
      same ? same.push(i) : places.set(key, [i]);
    }
  }
  return places;
}

/** The last pair of a longest run that is in both lists in the same order (Hunt and Szymanski). */
function longest(kept: readonly number[], places: ReadonlyMap<number, readonly number[]>, may: (kept: number, heard: number) => boolean): Pair | undefined {
  const ends: Pair[] = []; // of the runs of each length the one that ends first in heard
  for (const [i, key] of kept.entries()) {
    const same = places.get(key) ?? [];
    for (let n = same.length - 1; n >= Math.max(same.length - MOST_EQUAL, 0); n--) {
      const at = firstFrom(ends, same[n]!);
      if (ends[at]?.heard !== same[n] && may(i, same[n]!)) {
        ends[at] = { kept: i, heard: same[n]!, before: ends[at - 1] }; // otherwise an earlier one is as good
      }
    }
  }
  return ends.at(-1);
}

/** The first of ends that is at place or after it. */
function firstFrom(ends: readonly Pair[], place: number): number {
  let low = 0;
  let high = ends.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ends[middle]!.heard < place) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}
