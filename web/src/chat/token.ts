// The token of a chat that asks for one. It lives as long as its tab: in memory, and in the
// session storage so that a reload does not ask again.

import { keep, kept } from './stored';

const KEY = 'chat.token';
const RENEW_KEY = 'chat.renew';

/** The longest token that is taken, in UTF-16 units; servers refuse far shorter ones. */
const LIMIT = 16_384;

/**
 * Takes the token out of an address such as https://chat.example/#token=…&renew=/token, which a
 * site that has signed its users in can link to. The part behind # never leaves the browser.
 * `renew` is where a fresh token is to be had, on the chat's own origin; anything else is left out.
 * Both are empty when they are not there. `rest` is the address without them.
 */
export function tokenOf(address: string): { token: string; renew: string; rest: string } {
  const url = new URL(address);
  const parts = new URLSearchParams(url.hash.slice(1));
  const token = parts.get('token') ?? '';
  if (!parts.has('token')) {
    return { token: '', renew: '', rest: address };
  }
  const renew = ofSameOrigin(parts.get('renew') ?? '', url);
  parts.delete('token');
  parts.delete('renew');
  url.hash = parts.toString();
  return { token: token.length > LIMIT ? '' : token.trim(), renew, rest: url.href };
}

function ofSameOrigin(path: string, base: URL): string {
  try {
    const url = new URL(path, base);
    return path !== '' && url.origin === base.origin ? url.href : '';
  } catch {
    return '';
  }
}

/** The token of this tab; empty when there is none, or when the browser keeps nothing. */
export const keptToken = (store: () => Storage): string => kept(store, KEY);

/** Keeps the token for this tab, where the browser allows it; an empty one is forgotten. */
export const keepToken = (store: () => Storage, token: string): void => keep(store, KEY, token);

/** The same for the address that gives a fresh one. */
export const keptRenewal = (store: () => Storage): string => kept(store, RENEW_KEY);
export const keepRenewal = (store: () => Storage, address: string): void => keep(store, RENEW_KEY, address);

/**
 * The texts in the claims of a JSON Web Token: one of them is the name under which the server
 * lets its bearer speak; which, its operator decides. Nothing is checked here, and a token of
 * another kind has none.
 */
export function namesIn(token: string): string[] {
  try {
    const bytes = Uint8Array.from(atob(token.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return Object.values(claims ?? {}).filter((value) => typeof value === 'string');
  } catch {
    return [];
  }
}
