// The people in the chat: what the server answered to presence:watch, and the changes since. Each
// step gives a new value.

import type { Person, Presence } from './protocol';

export interface People {
  /** Those who have a name, sorted by it. */
  readonly named: readonly Person[];
  /** So many have one, all of them listed or not. */
  readonly count: number;
  /** Connections without a name. */
  readonly guests: number;
  /** The list has to be asked for again. */
  readonly stale: boolean;
}

export const NOBODY: People = { named: [], count: 0, guests: 0, stale: false };

const collator = new Intl.Collator(undefined, { sensitivity: 'base', numeric: true });
const byName = (a: Person, b: Person) => collator.compare(a.name, b.name) || (a.name < b.name ? -1 : 1);

/** The people of a whole answer. */
export function everybody(answer: Presence): People {
  return summed([...answer.people].sort(byName), answer);
}

/** The people after a change. */
export function changed(people: People, change: Presence): People {
  if (change.reset) {
    return { ...summed(people.named, change), stale: true };
  }
  const named = new Map(people.named.map((person) => [person.name, person]));
  change.left.forEach((name) => named.delete(name));
  change.people.forEach((person) => named.set(person.name, person));
  return { ...summed([...named.values()].sort(byName), change), stale: people.stale };
}

function summed(named: readonly Person[], { count, connections }: Presence): People {
  const known = named.reduce((sum, person) => sum + person.connections, 0);
  const total = Math.max(count, named.length);
  // Of those who are not listed nobody can say how many connections they have: one each, or more.
  return { named, count: total, guests: Math.max(0, connections - known - (total - named.length)), stale: false };
}
