// A token ends. The server says so in time (auth:expiring), and takes a fresh one (auth:refresh)
// without a break. Where a fresh one comes from, the site that signs its users in may say with the
// first: #token=…&renew=/path names an address of its own origin that answers the next one.

import type { Socket } from 'socket.io-client';
import { type ShallowRef, shallowRef } from 'vue';
import { ask, fieldsOf, text } from './protocol';

/** Longer is no address believed to need, in milliseconds. */
const FETCH_MS = 10_000;

export interface Renewal {
  /** When the token ends, in milliseconds since the epoch; 0: that is not to be told. */
  readonly ends: ShallowRef<number>;
  /** Why the last fresh token was not taken; empty: it was, or none was shown. */
  readonly problem: ShallowRef<string>;
  /** Shows the server a fresh token; true: it counts from now on. */
  renew(token: string): Promise<boolean>;
  /** There is another connection, or none: what was told of the last one's token is over. */
  reset(): void;
}

/** `fetchToken` gets a fresh token by itself, where that is possible; `took` is told of one that counts. */
export function followRenewal(socket: Socket, took: (token: string) => void, fetchToken?: () => Promise<string>): Renewal {
  const ends = shallowRef(0);
  const problem = shallowRef('');
  const reset = () => {
    ends.value = 0;
    problem.value = '';
  };
  const renew = async (token: string) => {
    try {
      const answer = await ask(socket, 'auth:refresh', { token });
      if (answer.ok !== true) {
        problem.value = text(answer.message) || text(answer.code);
        return false;
      }
      took(token);
      reset();
      return true;
    } catch (error) {
      problem.value = (error as Error).message;
      return false;
    }
  };
  socket.on('auth:expiring', async (warning: unknown) => {
    const { seconds } = fieldsOf(warning);
    const end = Date.now() + (typeof seconds === 'number' ? seconds : 60) * 1000;
    const fresh = fetchToken ? await fetchToken().catch(() => '') : '';
    if (fresh === '' || !(await renew(fresh))) {
      ends.value = end; // the reader can give one
    }
  });
  return { ends, problem, renew, reset };
}

/** Gets a token from an address of this page's origin: as text, or as {"token": …}. */
export async function fetchToken(address: string): Promise<string> {
  const answer = await fetch(address, { cache: 'no-store', credentials: 'same-origin', signal: AbortSignal.timeout(FETCH_MS) });
  if (!answer.ok) {
    throw new Error(`${address} answered ${answer.status}`);
  }
  const body = (await answer.text()).trim();
  return body.startsWith('{') ? text(fieldsOf(JSON.parse(body)).token) : body;
}
