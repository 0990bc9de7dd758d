// The token of a chat that asks for one. It lives as long as its tab: in memory, and in the
// session storage so that a reload does not ask again.

const KEY = 'chat.token';

/** The longest token that is taken, in UTF-16 units; servers refuse far shorter ones. */
const LIMIT = 16_384;

/**
 * Takes the token out of an address such as https://chat.example/#token=…, which a site that
 * has signed its users in can link to. The part behind # never leaves the browser. Returns the
 * token, empty when there is none, and the address without it.
 */
export function tokenOf(address: string): { token: string; rest: string } {
  const url = new URL(address);
  const parts = new URLSearchParams(url.hash.slice(1));
  const token = parts.get('token') ?? '';
  if (!parts.has('token')) {
    return { token: '', rest: address };
  }
  parts.delete('token');
  url.hash = parts.toString();
  return { token: token.length > LIMIT ? '' : token.trim(), rest: url.href };
}

/** The token of this tab; empty when there is none, or when the browser keeps nothing. */
export function keptToken(store: () => Storage): string {
  try {
    return store().getItem(KEY) ?? '';
  } catch {
    return '';
  }
}

/** Keeps the token for this tab, where the browser allows it; an empty one is forgotten. */
export function keepToken(store: () => Storage, token: string): void {
  try {
    if (token === '') {
      store().removeItem(KEY);
    } else {
      store().setItem(KEY, token);
    }
  } catch {
    // Private windows and full disks: the token lasts as long as the page.
  }
}

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
