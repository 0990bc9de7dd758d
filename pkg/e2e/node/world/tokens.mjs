// JSON Web Tokens, made by hand: what the people of a test show to be let in.
import { createHmac, sign } from 'node:crypto';

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Claims that are good for `seconds`. */
export const claims = (name, seconds = 60) => ({ name, sub: `id of ${name}`, exp: Math.floor(Date.now() / 1000) + seconds });

/** A token signed with a shared secret (HS256). */
export function bySecret(secret, payload, header = {}) {
  const text = `${part({ alg: 'HS256', typ: 'JWT', ...header })}.${part(payload)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

/** A token signed with a private key of Ed25519. */
export function byKey(key, kid, payload) {
  const text = `${part({ alg: 'EdDSA', kid })}.${part(payload)}`;
  return `${text}.${sign(null, Buffer.from(text), key).toString('base64url')}`;
}

/** A token that nobody signed. */
export const byNobody = (payload) => `${part({ alg: 'none' })}.${part(payload)}.`;
