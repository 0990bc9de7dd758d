import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Connectable, type LinkState, followLink } from './link';

/** The library's socket as far as followLink sees it; the test plays the network. */
class FakeSocket extends EventEmitter {
  active = true;
  connects = 0;

  connect() {
    this.active = true;
    this.connects++;
  }

  accepted() {
    this.emit('connect');
  }

  lost(reason = 'transport close') {
    this.emit('disconnect', reason);
  }

  endedByServer() {
    this.active = false;
    this.emit('disconnect', 'io server disconnect');
  }

  refused() {
    this.active = false;
    this.emit('connect_error', new Error('Invalid namespace'));
  }

  unreachable() {
    this.emit('connect_error', Object.assign(new Error('xhr poll error'), { type: 'TransportError', description: 0 }));
  }
}

function follow() {
  const socket = new FakeSocket();
  const states: LinkState[] = [];
  const reasons: (string | null)[] = [];
  const link = followLink(socket as unknown as Connectable, (state, why) => {
    if (state !== (states.at(-1) ?? 'connecting')) {
      states.push(state);
    }
    if ((why?.kind ?? null) !== (reasons.at(-1) ?? null)) {
      reasons.push(why?.kind ?? null);
    }
  });
  return { socket, states, reasons, link };
}

describe('followLink', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('connects, loses the connection and has it back', () => {
    const { socket, states } = follow();
    socket.accepted();
    socket.lost();
    socket.unreachable();
    socket.unreachable();
    socket.accepted();
    expect(states).toEqual(['connected', 'reconnecting', 'connected']);
    expect(socket.connects).toBe(0); // the library does that
  });

  test('a server that cannot be reached at first is still being connected to', () => {
    const { socket, states } = follow();
    socket.unreachable();
    socket.unreachable();
    expect(states).toEqual([]);
    socket.accepted();
    expect(states).toEqual(['connected']);
  });

  test('comes back by itself when the server ended the connection', () => {
    const { socket, states } = follow();
    socket.accepted();
    socket.endedByServer();
    expect(states).toEqual(['connected', 'reconnecting']);
    vi.advanceTimersByTime(999);
    expect(socket.connects).toBe(0);
    vi.advanceTimersByTime(501);
    expect(socket.connects).toBe(1);
    socket.accepted();
    expect(states.at(-1)).toBe('connected');
  });

  test.each(['endedByServer', 'refused'] as const)('gives up when it is %s again and again, until asked', (again) => {
    const { socket, states, link } = follow();
    socket.accepted();
    socket.endedByServer();
    for (let i = 0; i < 3; i++) {
      vi.advanceTimersByTime(1500 * 2 ** i);
      expect(socket.connects).toBe(i + 1);
      if (again === 'endedByServer') {
        socket.accepted();
      }
      socket[again]();
    }
    expect(states.at(-1)).toBe('disconnected');
    vi.advanceTimersByTime(3_600_000);
    expect(socket.connects).toBe(3);

    link.again();
    expect(socket.connects).toBe(4);
    expect(states.at(-1)).toBe('reconnecting');
    link.again(); // pressed twice
    expect(socket.connects).toBe(4);
  });

  test('a connection that held makes up for earlier returns', () => {
    const { socket, states } = follow();
    for (let i = 0; i < 10; i++) {
      socket.accepted();
      vi.advanceTimersByTime(10_000);
      socket.endedByServer();
      vi.advanceTimersByTime(1500);
      expect(socket.connects).toBe(i + 1);
    }
    expect(states).not.toContain('disconnected');
  });

  test('says so when the page itself disconnected', () => {
    const { socket, states } = follow();
    socket.accepted();
    socket.active = false;
    socket.lost('io client disconnect');
    vi.advanceTimersByTime(60_000);
    expect(states).toEqual(['connected', 'disconnected']);
    expect(socket.connects).toBe(0);
  });

  test('says why: silence when it lasts, a reason of the server at once', () => {
    const { socket, reasons } = follow();
    socket.unreachable();
    expect(reasons).toEqual([]);
    socket.unreachable();
    expect(reasons).toEqual(['unreachable']);
    socket.accepted();
    expect(reasons).toEqual(['unreachable', null]);
    socket.lost();
    const full = { type: 'TransportError', description: 503, context: { responseText: '{"code":4,"message":"the server is full"}' } };
    socket.emit('connect_error', Object.assign(new Error('xhr poll error'), full));
    expect(reasons).toEqual(['unreachable', null, 'full']);
  });

  test('a request that is refused after the first one passed says why', () => {
    const { socket, reasons } = follow();
    const forbidden = { type: 'TransportError', description: 403, context: { responseText: '{"code":4,"message":"Forbidden"}' } };
    socket.emit('disconnect', 'transport error', Object.assign(new Error('xhr post error'), forbidden));
    expect(reasons).toEqual(['origin']);
  });

  test('stops at once where a token is missing, and tries again with one', () => {
    const { socket, states, reasons, link } = follow();
    socket.active = false;
    socket.emit('connect_error', Object.assign(new Error('authentication is required'), { data: { code: 'token_missing' } }));
    expect(states).toEqual(['disconnected']);
    expect(reasons).toEqual(['signIn']);
    vi.advanceTimersByTime(60_000);
    expect(socket.connects).toBe(0);
    link.again();
    expect(socket.connects).toBe(1);
    expect(states).toEqual(['disconnected', 'connecting']);
  });

  test('says that the server ended it when there was no other reason', () => {
    const { socket, reasons } = follow();
    for (let i = 0; i < 4; i++) {
      socket.accepted();
      socket.endedByServer();
      vi.advanceTimersByTime(6000);
    }
    expect(reasons).toEqual(['ended']);
  });
});
