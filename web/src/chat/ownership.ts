// Which messages are the reader's own, and under which name the server knows the reader.

import { type ShallowRef, shallowRef } from 'vue';
import type { Conversation } from './conversation';
import type { Memory } from './memory';
import { confirm } from './outbox';
import type { Kept } from './protocol';
import type { Siblings } from './siblings';
import { namesIn } from './token';

export class Ownership {
  /** The token that the server is shown; empty: none. */
  readonly token: ShallowRef<string>;
  /** The name under which the server lets the token's bearer speak, once it is known. */
  readonly tokenName = shallowRef('');
  readonly #siblings: Siblings;
  readonly #memory: Memory;

  constructor(token: string, siblings: Siblings, memory: Memory) {
    this.token = shallowRef(token);
    this.#siblings = siblings;
    this.#memory = memory;
  }

  /** Another token is shown from now on. */
  change(token: string): void {
    this.token.value = token;
    this.tokenName.value = '';
  }

  /** The server says that `name` goes with the token; empty: it has said nothing. */
  named(name: string): void {
    if (this.token.value && name) {
      this.tokenName.value = name;
    }
  }

  /** The reader's own name by the token. */
  is(name: string): boolean {
    return name !== '' && name === this.tokenName.value;
  }

  /** Tells whether payload is what this page, or another tab of it, has sent, and takes it out of what is waited for. */
  isOwn(talk: Conversation, payload: unknown): boolean {
    const names = this.token.value ? [...namesIn(this.token.value), this.tokenName.value] : [];
    const left = confirm(talk.outbox.value, payload, names);
    const leftOfSiblings = left === talk.outbox.value ? confirm(this.#siblings.waiting, payload, names) : this.#siblings.waiting;
    const own = left !== talk.outbox.value || leftOfSiblings !== this.#siblings.waiting;
    talk.outbox.value = left;
    this.#siblings.waiting = leftOfSiblings;
    if (own) {
      this.named((payload as { name: string }).name);
    }
    return own;
  }

  /** The same for a message that the server has kept, also from an earlier visit. */
  isOwnKept(talk: Conversation, { id, payload, from }: Kept): boolean {
    return this.isOwn(talk, payload) || this.#memory.isOwn(id) || this.is(from);
  }
}
