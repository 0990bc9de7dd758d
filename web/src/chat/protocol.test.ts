import { describe, expect, test } from 'vitest';
import { keyOf } from './payload';
import { type Askable, NOTHING, ask, readFeatures, readHistory, readPlace } from './protocol';

const answering = (overdue: Error | null, answer?: unknown): Askable => ({ timeout: () => ({ emit: (_event, _argument, ack) => ack(overdue, answer) }) });

describe('an answer', () => {
  test.each<[string, unknown, string]>([
    ['an error of the protocol', { error: { code: 'not_joined', message: 'join the room first' } }, 'not_joined: join the room first'],
    ['a refusal as NestJS says it', { status: 'error', message: 'too long' }, 'refused: too long'],
    ['an error without words', { error: { code: 5 } }, ': '],
  ])('%s is thrown', async (_what, answer, said) => {
    await expect(ask(answering(null, answer), 'send', {}).catch(({ code, message }) => `${code}: ${message}`)).resolves.toBe(said);
  });

  test('silence is thrown, anything else is fields', async () => {
    await expect(ask(answering(new Error('operation has timed out')), 'x', {})).rejects.toMatchObject({ code: 'silent' });
    await expect(ask(answering(null, { ok: true }), 'x', {})).resolves.toEqual({ ok: true });
    for (const odd of [undefined, null, 1, 'x', [1]]) {
      await expect(ask(answering(null, odd), 'x', {})).resolves.toEqual({});
    }
  });
});

test('features are what is offered for certain', () => {
  expect(readFeatures({ history: { limit: 200, hours: 24 }, presence: true, typing: true, rooms: true, private: false, name: 'Ann', version: 1 })).toEqual({
    any: true,
    history: { limit: 200, hours: 24 },
    presence: true,
    typing: true,
    rooms: true,
    private: false,
    name: 'Ann',
  });
  expect(readFeatures({ history: false, name: null, rooms: 'yes' })).toEqual({ ...NOTHING, any: true });
});

test('history leaves out what is no message', () => {
  const page = readHistory({ messages: [{ id: '1-0', time: 5, payload: [null] }, { id: 2 }, null, { id: '' }, { id: '3-0', payload: 'x', from: 'Ann' }], more: true, now: 9 });
  expect(page).toEqual({ messages: [{ id: '1-0', time: 5, payload: [null], from: '' }, { id: '3-0', time: 0, payload: 'x', from: 'Ann' }], more: true, gap: false, partial: false, now: 9 });
  expect(readHistory({}).messages).toEqual([]);
});

test('a message belongs to the lobby unless its second argument says otherwise', () => {
  expect(readPlace({ room: 'a', id: '1-0', time: 5 })).toEqual({ room: 'a', time: 5 });
  expect(readPlace({ private: true, from: 'a', to: 'b', time: 5 })).toEqual({ from: 'a', to: 'b', time: 5 });
  for (const lobby of [undefined, null, 'offset', 5, [], { private: true }, { room: 5 }]) {
    expect(readPlace(lobby)).toEqual({});
  }
});

test('keys tell payloads apart as JSON and bytes do', () => {
  const payloads = [null, undefined, 0, '', 'a', [], {}, { a: 1, b: 2 }, { b: 2, a: 1 }, new Uint8Array([1]), new Uint8Array([1, 0]), [new Uint8Array([1])], 'x'.repeat(10_000)];
  const keys = payloads.map(keyOf);
  expect(new Set(keys).size).toBe(payloads.length);
  expect(keyOf(new Uint8Array([7, 1]).subarray(1))).toBe(keyOf(new Uint8Array([1]).buffer));
  expect(new Set(Array.from({ length: 20_000 }, (_, i) => keyOf({ name: 'a', text: `${i}` }))).size).toBe(20_000);
});
