// Hands the messages of one conversation to the connection and follows them until they are there.

import type { Socket } from 'socket.io-client';
import type { Complaints } from './complaints';
import { type Conversation, addressOf } from './conversation';
import { readException } from './message';
import { type Pending, change, due, interrupt, push, remove } from './outbox';
import { Refused, ask, text } from './protocol';

/** The echo of a message takes a moment; after this long it is doubted. */
const ECHO_MS = 15_000;
/** A message that was acknowledged is there, whether or not its echo was recognised by then. */
const KNOWN_MS = 5000;

/** What all deliveries of the page share. */
export interface Post {
  readonly socket: Socket;
  readonly complaints: Complaints;
  /** The server speaks the chat's own protocol. */
  speaks(): boolean;
  /** The server has given a message of ours this id. */
  remember(id: string): void;
  /** A number that no other message of this page has. */
  next(): number;
}

export class Delivery {
  readonly #post: Post;
  readonly #talk: Conversation;

  constructor(post: Post, talk: Conversation) {
    this.#post = post;
    this.#talk = talk;
  }

  /** Sends a message. The connection must be there. */
  send(name: string, text: string): void {
    const mid = this.#post.speaks() ? crypto.randomUUID?.() ?? `${Math.random()}`.slice(2) + Date.now() : undefined;
    this.#hand({ id: this.#post.next(), name, text, at: Date.now(), ...(mid ? { mid } : {}) });
  }

  /** Sends a doubtful message once more, with the id it has. */
  resend(pending: Pending): void {
    const { id, name, text, at, mid } = pending;
    this.discard(pending);
    this.#hand({ id, name, text, ...(at ? { at } : {}), ...(mid ? { mid } : {}) });
  }

  discard({ id }: Pending): void {
    this.#talk.outbox.value = remove(this.#talk.outbox.value, id);
  }

  /** The connection is lost. */
  interrupt(): void {
    this.#talk.outbox.value = interrupt(this.#talk.outbox.value);
  }

  /** Shows what was relayed, though its echo went by while nobody listened. */
  settle(): void {
    for (const pending of this.#talk.outbox.value.filter(({ state }) => state === 'accepted')) {
      this.discard(pending);
      this.#talk.settle(pending);
    }
  }

  /** The connection is back, and what was missed is known: sends again what waits for it. */
  resume(): void {
    this.settle();
    const { due: again, outbox } = due(this.#talk.outbox.value, Date.now(), this.#post.speaks());
    this.#talk.outbox.value = outbox;
    again.forEach((pending) => this.resend(pending));
  }

  #hand(pending: Omit<Pending, 'state'>): void {
    this.#talk.outbox.value = push(this.#talk.outbox.value, pending);
    pending.mid && this.#post.speaks() ? void this.#bySend(pending) : this.#bySeed(pending);
  }

  /** As every server understands it: relayed, and acknowledged only when it is refused. */
  #bySeed({ id, name, text }: Omit<Pending, 'state'>): void {
    this.#post.socket.timeout(ECHO_MS).emit('msgToServer', { name, text }, (overdue: Error | null, answer: unknown) => {
      if (overdue) {
        this.#change(id, 'sending', { state: 'doubtful' });
      } else if (isRefusal(answer)) {
        this.#refuse(id, readException(answer));
      }
    });
  }

  async #bySend(pending: Omit<Pending, 'state'>): Promise<void> {
    const { id, name, text: said, mid } = pending;
    try {
      const answer = await ask(this.#post.socket, 'send', { payload: { name, text: said }, id: mid, ...addressOf(this.#talk.place) }, ECHO_MS);
      this.#post.remember(text(answer.id));
      this.#change(id, 'sending', { state: 'accepted' });
      setTimeout(() => this.#arrived(id), KNOWN_MS);
    } catch (error) {
      const { code, message } = error as Refused;
      if (code === 'silent' || code === 'unavailable') {
        this.#change(id, 'sending', { state: 'doubtful' });
      } else {
        this.#refuse(id, message || code);
      }
    }
  }

  /** The message was acknowledged a while ago; its echo, if it was not recognised, is another's. */
  #arrived(id: number): void {
    if (this.#post.socket.connected && !this.#talk.holding) {
      this.#talk.outbox.value = this.#talk.outbox.value.filter((p) => p.id !== id || p.state !== 'accepted');
    }
  }

  #refuse(id: number, why: string): void {
    this.#post.complaints.claim(why);
    this.#talk.outbox.value = change(this.#talk.outbox.value, id, { state: 'refused', why });
  }

  #change(id: number, from: Pending['state'], to: Partial<Pending>): void {
    if (this.#talk.outbox.value.some((p) => p.id === id && p.state === from)) {
      this.#talk.outbox.value = change(this.#talk.outbox.value, id, to);
    }
  }
}

/** With a history a server acknowledges what it relayed, too. */
function isRefusal(answer: unknown): boolean {
  return !(typeof answer === 'object' && answer !== null && 'id' in answer && !('error' in answer) && !('status' in answer));
}
