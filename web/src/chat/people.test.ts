import { describe, expect, test } from 'vitest';
import { type People, NOBODY, changed, everybody } from './people';
import { readPresence } from './protocol';

const names = (people: People) => people.named.map(({ name, connections }) => (connections === 1 ? name : `${name}×${connections}`)).join(' ');
const ann = { name: 'Ann', connections: 1 };
const all = everybody(readPresence({ people: [{ name: 'bob', connections: 2 }, ann, { name: '지우', connections: 1 }], count: 3, connections: 6 }));

describe('people', () => {
  test('are sorted as a reader sorts them, guests counted', () => {
    expect([names(all), all.count, all.guests]).toEqual(['Ann bob×2 지우', 3, 2]);
    expect(NOBODY.count).toBe(0);
  });

  test('come, go and open another tab', () => {
    const now = changed(all, readPresence({ joined: [{ name: 'Zoe', connections: 1 }, { name: 'Ann', connections: 3 }], left: ['bob', 'nobody'], count: 3, connections: 5 }));
    expect([names(now), now.count, now.guests, now.stale]).toEqual(['Ann×3 Zoe 지우', 3, 0, false]);
  });

  test('too great a change: the numbers count, the list is to be asked for', () => {
    const now = changed(all, readPresence({ joined: [], left: [], count: 900, connections: 1000, reset: true }));
    expect([now.count, now.stale, names(now)]).toEqual([900, true, 'Ann bob×2 지우']);
    expect(changed(now, readPresence({ joined: [ann], count: 901, connections: 1001 })).stale).toBe(true);
    expect(everybody(readPresence({ people: [ann], count: 1, connections: 1 })).stale).toBe(false);
  });

  test('of a crowd only some are named', () => {
    const crowd = everybody(readPresence({ people: [ann], count: 5000, connections: 6000, more: true }));
    expect([crowd.count, crowd.guests]).toEqual([5000, 1000]);
  });

  test.each([[undefined], [null], ['x'], [{ people: 'x', count: -1 }], [{ people: [null, 1, { name: 1 }, { name: '' }], left: [1], count: NaN }]])('bear %j', (answer) => {
    expect(everybody(readPresence(answer))).toEqual(NOBODY);
    expect(changed(NOBODY, readPresence(answer))).toEqual(NOBODY);
  });
});
