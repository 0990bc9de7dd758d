// For tests: the network, played by hand.

import { EventEmitter } from 'node:events';
import { vi } from 'vitest';

/**
 * The library's socket as far as the chat uses it. Sent events are kept, not emitted; `answer` says
 * what the server acknowledges an event with, by default nothing.
 */
export class FakeSocket extends EventEmitter {
  connected = false;
  recovered = false;
  active = true;
  sent: unknown[][] = [];
  acks: ((overdue: Error | null, answer?: unknown) => void)[] = [];
  sendBuffer: unknown[] = [];
  auth: unknown;
  answer: ((event: string, payload: unknown) => unknown) | undefined;
  volatile = { emit: (event: string, payload: unknown) => void this.sent.push([event, payload]) };
  /** What is called of those that wait for an answer; the end of the connection ends that. */
  lost: ((overdue: Error) => void)[] = [];

  connect() {
    return this;
  }

  disconnect() {
    if (this.connected) {
      this.active = false;
      this.hear('disconnect', 'io client disconnect');
    }
  }

  timeout(ms: number) {
    const emit = (event: string, payload: unknown, ack: (overdue: Error | null, answer?: unknown) => void) => {
      const answer = this.answer?.(event, payload);
      if (answer !== undefined) {
        queueMicrotask(() => ack(null, answer));
      } else {
        this.lost.push(ack);
      }
      setTimeout(() => ack(new Error('operation has timed out')), ms);
      if (event === 'features') {
        return; // each connection asks it
      }
      this.sent.push([event, payload]);
      this.acks.push(ack);
    };
    return { emit };
  }

  /** What the server is shown on connecting. */
  shown() {
    let shown: unknown;
    (this.auth as (give: (data: unknown) => void) => void)((data) => (shown = data));
    return shown;
  }

  /** What the network does: an event reaches the page. */
  hear(event: string, ...args: unknown[]) {
    if (event === 'connect' || event === 'disconnect') {
      this.connected = event === 'connect';
    }
    super.emit(event, ...args);
    if (event === 'disconnect') {
      this.lost.splice(0).forEach((ack) => ack(new Error('socket has been disconnected')));
    }
    vi.advanceTimersByTime(500); // the batch is handed on
  }
}
