import type { Socket } from 'socket.io-client';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Chat } from './chat';
import { FakeSocket } from './fake-socket';
import { openMemory } from './memory';
import { joinSiblings } from './siblings';

function open(token = '', siblings = joinSiblings(undefined)) {
  const socket = new FakeSocket();
  const memory = openMemory(() => {
    throw new Error('no storage');
  });
  const room = new Chat(socket as unknown as Socket, { siblings, memory, token });
  const { entries, outbox } = room.talks.active.value;
  const said = () => entries.value.filter((e) => e.kind !== 'day').map((e) => (e.kind === 'message' ? `${e.own ? 'own ' : ''}${e.name}: ${e.text}` : e.kind));
  const pending = () => outbox.value.map((p) => `${p.text} ${p.state}`);
  return { socket, room, outbox, said, pending };
}

describe('a chat on a server without a protocol of its own', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal('requestAnimationFrame', () => 0); // a hidden page: timers only
    vi.stubGlobal('cancelAnimationFrame', () => {});
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  test('sends a message and knows its echo as its own', () => {
    const { socket, room, said, pending } = open();
    socket.hear('connect');
    expect(room.send('지우', '안녕')).toBe(true);
    expect(socket.sent).toEqual([['msgToServer', { name: '지우', text: '안녕' }]]);
    expect(pending()).toEqual(['안녕 sending']);

    socket.hear('msgToClient', { name: '민준', text: '안녕' });
    expect(pending()).toEqual(['안녕 sending']);
    socket.hear('msgToClient', { name: '지우', text: '안녕' });
    expect(pending()).toEqual([]);
    expect(said()).toEqual(['민준: 안녕', 'own 지우: 안녕']);
  });

  test('sends nothing without a connection', () => {
    const { socket, room, pending } = open();
    expect(room.send('a', 'b')).toBe(false);
    socket.hear('connect');
    socket.hear('disconnect', 'transport close');
    expect(room.send('a', 'b')).toBe(false);
    expect(socket.sent).toEqual([]);
    expect(pending()).toEqual([]);
  });

  test('keeps what a lost connection may have swallowed, to send it again or not', () => {
    const { socket, room, outbox, pending } = open();
    socket.hear('connect');
    room.send('a', 'first');
    room.send('a', 'second');
    socket.hear('disconnect', 'ping timeout');
    expect(pending()).toEqual(['first doubtful', 'second doubtful']);
    expect(room.resend(outbox.value[0]!)).toBe(false);

    socket.hear('connect');
    expect(room.resend(outbox.value[0]!)).toBe(true);
    room.discard(outbox.value[0]!);
    expect(pending()).toEqual(['first sending']);
    expect(socket.sent.at(-1)).toEqual(['msgToServer', { name: 'a', text: 'first' }]);
  });

  test('doubts a message whose echo does not come', () => {
    const { socket, room, pending } = open();
    socket.hear('connect');
    room.send('a', 'lost');
    vi.advanceTimersByTime(15_000);
    expect(pending()).toEqual(['lost doubtful']);
    socket.hear('msgToClient', { name: 'a', text: 'lost' }); // late, but there
    expect(pending()).toEqual([]);
  });

  test('marks the gap that a lost connection leaves', async () => {
    const { socket, said } = open();
    socket.hear('connect');
    await vi.advanceTimersByTimeAsync(5000); // by then it knows what the server is
    socket.hear('msgToClient', { name: 'a', text: 'before' });
    socket.hear('disconnect', 'transport error');
    socket.hear('connect');
    expect(said()).toEqual(['a: before', 'gap']);
  });

  test('does not announce its own arrival, but everybody else\'s', async () => {
    const { socket, said } = open();
    const joins = () => socket.hear('msgToClient', { name: 'admin', text: 'join chat.' });
    socket.hear('connect');
    joins();
    expect(said()).toEqual([]);
    joins();
    await vi.advanceTimersByTimeAsync(5000);
    socket.hear('disconnect', 'transport close');
    socket.hear('connect');
    joins();
    expect(said()).toEqual(['joined', 'gap']);
    joins();
    expect(said()).toEqual(['joined', 'gap', 'joined']);
  });

  test('where arrivals are not announced it does not take a later one for its own', () => {
    const { socket, said } = open();
    socket.hear('connect');
    vi.advanceTimersByTime(60_000);
    socket.hear('msgToClient', { name: 'admin', text: 'join chat.' });
    expect(said()).toEqual(['joined']);
  });

  test('shows one\'s own words even if they read like an arrival', () => {
    const { socket, room, said, pending } = open();
    socket.hear('connect');
    room.send('admin', 'join chat.');
    socket.hear('msgToClient', { name: 'admin', text: 'join chat.' });
    expect(said()).toEqual(['own admin: join chat.']);
    expect(pending()).toEqual([]);
  });

  test('says which message the server refused and why, once', () => {
    const { socket, room, outbox, pending } = open();
    const why = { status: 'error', message: 'text must be shorter than or equal to 20 characters' };
    socket.hear('connect');
    room.send('a', 'short');
    room.send('a', 'far too long');
    socket.emit('exception', why);
    socket.acks[1]!(null, why);
    vi.advanceTimersByTime(5000);
    expect(pending()).toEqual(['short sending', 'far too long refused']);
    expect(outbox.value[1]!.why).toBe(why.message);
    expect(room.complaint.value).toBe('');
    socket.hear('msgToClient', { name: 'a', text: 'far too long' }); // by somebody else
    expect(pending()).toEqual(['short sending', 'far too long refused']);
  });

  test('hands on what the server complains of', () => {
    const { socket, room } = open();
    socket.hear('connect');
    socket.hear('exception', { status: 'error', message: 'too many messages: more than 5 a second' });
    expect(room.complaint.value).toBe('too many messages: more than 5 a second');
    socket.hear('exception', 'anything');
    expect(room.complaint.value).toBe('anything');
  });

  test('leaves nothing to the library that it would send by itself', () => {
    const { socket } = open();
    socket.hear('connect');
    socket.sendBuffer = ['a packet'];
    socket.hear('disconnect', 'ping timeout');
    expect(socket.sendBuffer).toEqual([]);
  });

  test('shows its token, and knows its messages under the name that the server gives them', () => {
    const token = `e30.${btoa(JSON.stringify({ sub: '1', name: 'Jiwoo' }))}.x`;
    const { socket, room, said } = open(token);
    expect(socket.shown()).toEqual({ token });
    socket.hear('connect');
    room.send('-', 'hi');
    socket.hear('msgToClient', { name: 'Mallory', text: 'hi' });
    socket.hear('msgToClient', { name: 'Jiwoo', text: 'hi' });
    expect(said()).toEqual(['Mallory: hi', 'own Jiwoo: hi']);
    expect(room.ownership.tokenName.value).toBe('Jiwoo');
    room.signIn('');
    expect(socket.shown()).toBeUndefined();
    expect(room.state.value).toBe('reconnecting');
  });

  test('asks for a token at once when the server does', () => {
    const { socket, room } = open();
    socket.active = false;
    socket.hear('connect_error', Object.assign(new Error('authentication is required'), { data: { code: 'token_missing' } }));
    expect(room.state.value).toBe('disconnected');
    expect(room.refusal.value).toEqual({ kind: 'signIn', detail: 'authentication is required' });
    room.signIn('a.b.c');
    expect(room.state.value).toBe('connecting');
    expect(room.refusal.value).toBeNull();
  });

  test('knows what another tab of the same reader says', () => {
    const channel = { postMessage: vi.fn(), onmessage: null as ((event: MessageEvent) => void) | null };
    const { socket, room, said } = open('', joinSiblings(channel));
    socket.hear('connect');
    room.send('a', 'from here');
    expect(channel.postMessage).toHaveBeenCalledWith({ name: 'a', text: 'from here' });
    channel.onmessage!({ data: { name: 'a', text: 'from there' } } as MessageEvent);
    socket.hear('msgToClient', { name: 'a', text: 'from there' });
    socket.hear('msgToClient', { name: 'a', text: 'from there' });
    expect(said()).toEqual(['own a: from there', 'a: from there']);
    channel.onmessage!({ data: { name: 'a', text: 'lost' } } as MessageEvent);
    vi.advanceTimersByTime(20_000);
    socket.hear('msgToClient', { name: 'a', text: 'lost' });
    expect(said().at(-1)).toBe('a: lost');
  });

  test('marks no gap when the server hands over what was said meanwhile', async () => {
    const { socket, room, said, pending } = open();
    socket.hear('connect');
    await vi.advanceTimersByTimeAsync(5000);
    room.send('a', 'on its way');
    socket.hear('disconnect', 'transport close');
    expect(pending()).toEqual(['on its way doubtful']);
    socket.recovered = true;
    socket.hear('connect');
    socket.hear('msgToClient', { name: 'b', text: 'meanwhile' }, 'offset1');
    socket.hear('msgToClient', { name: 'a', text: 'on its way' }, 'offset2');
    expect(said()).toEqual(['b: meanwhile', 'own a: on its way']);
    expect(pending()).toEqual([]);

    // The next time the server has forgotten this client.
    socket.hear('disconnect', 'transport close');
    socket.recovered = false;
    socket.hear('connect');
    expect(said().at(-1)).toBe('gap');
  });

  test('bears whatever comes', () => {
    const { socket, said } = open();
    socket.hear('connect');
    for (const args of [[null], [], [[1, 2]], ['text'], [{ name: {}, text: [] }], [new ArrayBuffer(2)], [['a', 'b']]]) {
      socket.hear('msgToClient', ...args);
    }
    expect(said()).toEqual([': null', ': null', ': [1,2]', ': text', '{}: []', ': "[2 bytes]"', ': ["a","b"]']);
  });
});
