// Random schedules of what people and networks do, each from a seed. However it goes, when all is
// quiet the page shows each message once, in its order, and says where something is missing.
// A schedule that fails is shortened and printed: RANDOM='[…]' plays it again, SEEDS=20000 tries more.

import type { Socket } from 'socket.io-client';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { watch } from 'vue';
import { Chat } from './chat';
import type { Conversation } from './conversation';
import { type Means, World } from './fake-world';
import { openMemory } from './memory';
import { joinSiblings } from './siblings';
import { LONG_TIMELINE_LIMIT } from './timeline';

/** A step and two numbers from 0 to 1 that it takes its choices from. */
type Step = readonly [name: keyof typeof STEPS, a: number, b: number];

interface Schedule {
  readonly means: Means;
  readonly steps: readonly Step[];
}

const ROOMS = ['', 'blue', 'red'];
const NAMES = ['Bob', 'Cem', 'Dot'];
const pick = <T>(list: readonly T[], a: number): T => list[Math.floor(a * list.length)]!;

class Play {
  readonly world: World;
  readonly chat: Chat;
  /** Rooms that the reader joined and has not left. */
  readonly joined = new Set<string>();
  /** Of conversations in the background: the entries that were there when they went there. */
  readonly #left = new Map<Conversation, ReadonlySet<number>>();
  #number = 0;

  constructor(means: Means) {
    this.world = new World(means);
    const kept = new Map<string, string>();
    const store = { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => void kept.set(key, value) } as Storage;
    this.chat = new Chat(this.world.line as unknown as Socket, { siblings: joinSiblings(undefined), memory: openMemory(() => store), token: 'Ann' });
    const { active } = this.chat.talks;
    watch(active, (_now, before) => this.#left.set(before, new Set(before.entries.value.map(({ id }) => id))), { flush: 'sync' });
  }

  /** A text of its own, or one of those that are said again and again. */
  text(a: number): string {
    return a < 0.2 ? 'ok' : `m${++this.#number}`;
  }

  join(room: string): void {
    this.chat.join(room).then(
      () => this.joined.add(room),
      () => {},
    );
  }

  leave(room: string): void {
    const talk = this.chat.talks.known('room', room);
    if (talk) {
      this.joined.delete(room);
      this.chat.leave(talk);
    }
  }

  open(talk: Conversation): void {
    this.chat.open(talk);
  }

  /** Lets everything happen that is on its way. */
  async calm(): Promise<void> {
    const { world } = this;
    world.silent = '';
    world.away(false);
    for (let round = 0; round < 25; round++) {
      world.connect(false);
      for (let i = 0; i < 400 && !world.quiet; i++) {
        world.serve(0);
        world.deliver(Infinity);
        await vi.advanceTimersByTimeAsync(20);
      }
      await vi.advanceTimersByTimeAsync(1000);
    }
    if (this.chat.talks.list.value.some(({ partial }) => partial.value)) {
      world.cut(false); // so much the page has said; the next connection brings it
      await this.calm();
    }
  }

  shown(talk: Conversation): string[] {
    return talk.entries.value.flatMap((entry) => (entry.kind === 'message' ? [entry.text] : entry.kind === 'gap' ? ['gap'] : []));
  }

  /** Everything that has to hold when all is quiet. */
  check(): void {
    const { chat, world } = this;
    const { list, active } = chat.talks;
    expect(list.value.filter(({ place }) => place.kind === 'room').map(({ place }) => place.name).sort(), 'the rooms').toEqual([...this.joined].sort());
    for (const talk of list.value) {
      const { kind, name } = talk.place;
      const all = world.said.get(kind === 'person' ? `@${name}` : name) ?? [];
      const inside = kind !== 'room' || world.rooms.has(name);
      const shown = this.shown(talk);
      expect(fits(shown, all, inside), `${talk.key} shows ${shown.join(' ')}; said was ${all.join(' ')}`).toBe(true);
      if (inside && !world.harmed && world.means.speaks && world.means.kept > 0 && kind !== 'person' && all.length <= world.means.page) {
        expect(shown, `${talk.key} needs no gap`).not.toContain('gap');
      }
      expect(talk.outbox.value.filter(({ state }) => state !== 'doubtful' && state !== 'refused'), `${talk.key} has nothing on its way`).toEqual([]);
      expect(talk.typing.names.value, 'nobody types for ever').toEqual([]);
      expect(talk.entries.value.length).toBeLessThanOrEqual(LONG_TIMELINE_LIMIT);
      expect(talk.entries.value.map(({ id }) => id), 'ids rise').toEqual([...new Set(talk.entries.value.map(({ id }) => id))].sort((a, b) => a - b));
      const before = this.#left.get(talk) ?? new Set();
      if (talk !== active.value) {
        const from = Math.min(...before, Infinity);
        const news = talk.entries.value.filter((entry) => entry.kind === 'message' && !entry.own && !before.has(entry.id) && (before.size > 0 ? entry.id > from : entry.id > 0));
        expect(talk.unread.value, `${talk.key}: unread`).toBe(news.length);
        if (news.length > 0) {
          expect(talk.mark.value, `${talk.key}: the line`).toBe(news[0]!.id);
        }
      }
    }
    if (active.value === chat.talks.lobby && world.means.speaks && !world.harmed) {
      expect(active.value.people.value.named.map(({ name }) => name)).toEqual([...world.people].sort());
    }
    expect(vi.getTimerCount(), 'nothing is left to happen').toBe(0);
  }
}

/** Tells whether shown is a run of all that reaches its end, but for what gaps leave out. */
function fits(shown: readonly string[], all: readonly string[], toEnd: boolean): boolean {
  let from = new Set<number>();
  let free = 0; // beginning here, anything may have been left out; NaN: nothing
  for (const text of shown) {
    if (text === 'gap') {
      free = Math.min(...from, Number.isNaN(free) ? Infinity : free);
      from = new Set();
      continue;
    }
    const next = new Set<number>();
    all.forEach((said, i) => said === text && (i >= free || from.has(i)) && next.add(i + 1));
    if (next.size === 0) {
      return false;
    }
    [from, free] = [next, NaN];
  }
  return !toEnd || from.has(all.length) || free <= all.length;
}

const STEPS = {
  say: (play: Play, a: number, b: number) => play.world.say(pick(ROOMS, a * a), play.text(b), pick(NAMES, b)),
  burst(play: Play, a: number, b: number) {
    for (let i = 0; i < 60 * a; i++) {
      play.world.say(pick(ROOMS, b * b), play.text(1));
    }
  },
  whisper: (play: Play, a: number, b: number) => play.world.means.speaks && play.world.whisper(pick(NAMES, a), play.text(b)),
  types: (play: Play, a: number, b: number) => play.world.means.speaks && play.world.types(pick(NAMES, a), pick(ROOMS, b)),
  comesOrGoes: (play: Play, a: number) => play.world.comesOrGoes(pick(NAMES, a)),
  deliver: (play: Play, a: number) => play.world.deliver(1 + Math.floor(a * 8)),
  serve: (play: Play, a: number) => play.world.serve(Math.floor(a * 3)),
  both(play: Play, a: number) {
    play.world.serve(0);
    play.world.deliver(1 + Math.floor(a * 20));
  },
  wait: (_play: Play, a: number) => vi.advanceTimersByTimeAsync(a * a * 20_000),
  cut: (play: Play, a: number) => play.world.cut(a < 0.5),
  connect: (play: Play, a: number) => vi.advanceTimersByTimeAsync(1000).then(() => play.world.connect(a < 0.5)),
  silence: (play: Play, a: number) => (play.world.silent = pick(['', '', 'history', 'features', 'send', 'presence:watch'], a)),
  away: (play: Play, a: number) => play.world.away(a < 0.5),
  send: (play: Play, a: number, b: number) => play.chat.send('Ann', b < 0.1 ? `bad ${play.text(1)}` : play.text(a)),
  join: (play: Play, a: number) => play.join(pick(ROOMS.slice(1), a)),
  leave: (play: Play, a: number) => play.leave(pick(ROOMS.slice(1), a)),
  close: (play: Play, a: number, b: number) => (b < 0.3 ? play.world.closed.add(pick(ROOMS.slice(1), a)) : play.world.closed.clear()),
  open: (play: Play, a: number) => play.open(pick(play.chat.talks.list.value, a)),
  earlier: (play: Play) => void play.chat.talks.active.value.readEarlier(),
};

const OFTEN: readonly (keyof typeof STEPS)[] = ['say', 'say', 'say', 'deliver', 'deliver', 'serve', 'both', 'both', 'both', 'cut', 'connect', 'connect', 'wait', 'send', 'open'];
const ALL: readonly (keyof typeof STEPS)[] = [...OFTEN, ...OFTEN, ...(Object.keys(STEPS) as (keyof typeof STEPS)[])];

/** The schedule of a seed. */
function schedule(seed: number): Schedule {
  let state = (seed + 1) * 0x9e3779b1;
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const means = { speaks: random() < 0.9, kept: pick([0, 20, 1000, 1000, 1000], random()), page: pick([7, 50, 200], random()), recovers: random() < 0.4 };
  const steps = Array.from({ length: 10 + Math.floor(random() * 50) }, (): Step => [pick(ALL, random()), random(), random()]);
  return { means, steps };
}

/** Plays a schedule; the error it comes to, if any. */
async function fault({ means, steps }: Schedule): Promise<Error | undefined> {
  vi.useFakeTimers({ now: 1_700_000_000_000 });
  try {
    const play = new Play(means);
    for (const [name, a, b] of steps) {
      await STEPS[name](play, a, b);
      await vi.advanceTimersByTimeAsync(20);
    }
    await play.calm();
    play.check();
    return undefined;
  } catch (error) {
    return error as Error;
  } finally {
    vi.clearAllTimers();
  }
}

/** Leaves out steps as long as the schedule still fails. */
async function shortest(failing: Schedule): Promise<Schedule> {
  let { steps } = failing;
  for (let run = steps.length >> 1; run > 0; run >>= 1) {
    for (let at = 0; at < steps.length; ) {
      const fewer = steps.toSpliced(at, run);
      if (await fault({ ...failing, steps: fewer })) {
        steps = fewer;
      } else {
        at += run;
      }
    }
  }
  return { ...failing, steps };
}

beforeEach(() => {
  vi.stubGlobal('requestAnimationFrame', () => 0);
  vi.stubGlobal('cancelAnimationFrame', () => {});
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const SEEDS = Number(process.env.SEEDS ?? 100);
const FIRST = Number(process.env.FIRST ?? 0);

test(
  'whatever happens, each message is shown once and in its order',
  async () => {
    const given = process.env.RANDOM ? [JSON.parse(process.env.RANDOM) as Schedule] : [];
    const schedules = given.length > 0 ? given : Array.from({ length: SEEDS }, (_, i) => schedule(FIRST + i));
    for (const [i, one] of schedules.entries()) {
      if (await fault(one)) {
        const short = await shortest(one);
        throw new Error(`seed ${FIRST + i}: ${(await fault(short))?.message}\nRANDOM='${JSON.stringify(short)}'`);
      }
    }
  },
  3_600_000,
);
