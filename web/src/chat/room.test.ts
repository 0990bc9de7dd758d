import { EventEmitter } from 'node:events';
import type { Socket } from 'socket.io-client';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { openRoom } from './room';

/** The library's socket as far as a room uses it. Sent events are kept, not emitted. */
class FakeSocket extends EventEmitter {
  connected = false;
  recovered = false;
  active = true;
  sent: unknown[][] = [];

  connect() {
    return this;
  }

  override emit(event: string, ...args: unknown[]) {
    this.sent.push([event, ...args]);
    return true;
  }

  /** What the network does: an event reaches the page. */
  hear(event: string, ...args: unknown[]) {
    if (event === 'connect' || event === 'disconnect') {
      this.connected = event === 'connect';
    }
    super.emit(event, ...args);
    vi.advanceTimersByTime(500); // the batch is handed on
  }
}

function open() {
  const socket = new FakeSocket();
  const room = openRoom(socket as unknown as Socket);
  const said = () => room.entries.value.map((e) => (e.kind === 'message' ? `${e.own ? 'own ' : ''}${e.name}: ${e.text}` : e.kind));
  const pending = () => room.outbox.value.map((p) => `${p.text} ${p.state}`);
  return { socket, room, said, pending };
}

describe('a room', () => {
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
    const { socket, room, pending } = open();
    socket.hear('connect');
    room.send('a', 'first');
    room.send('a', 'second');
    socket.hear('disconnect', 'ping timeout');
    expect(pending()).toEqual(['first doubtful', 'second doubtful']);
    expect(room.resend(room.outbox.value[0]!)).toBe(false);

    socket.hear('connect');
    expect(room.resend(room.outbox.value[0]!)).toBe(true);
    room.discard(room.outbox.value[0]!);
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

  test('marks the gap that a lost connection leaves', () => {
    const { socket, said } = open();
    socket.hear('connect');
    socket.hear('msgToClient', { name: 'admin', text: 'join chat.' });
    socket.hear('msgToClient', { name: 'a', text: 'before' });
    socket.hear('disconnect', 'transport error');
    socket.hear('connect');
    socket.hear('msgToClient', { name: 'admin', text: 'join chat.' });
    expect(said()).toEqual(['joined', 'a: before', 'gap', 'joined']);
  });

  test('marks no gap when the server hands over what was said meanwhile', () => {
    const { socket, room, said, pending } = open();
    socket.hear('connect');
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
