import { describe, expect, test } from 'vitest';
import { readRefusal } from './refusal';

const transport = (status: unknown, responseText: unknown = '') =>
  Object.assign(new Error('xhr poll error'), { type: 'TransportError', description: status, context: { responseText } });
const answer = (code: number, message: string) => JSON.stringify({ code, message });
const namespace = (message: string, data?: object) => Object.assign(new Error(message), { data });

describe('readRefusal', () => {
  test.each<[string, unknown, string, string]>([
    ['no answer', transport(0), 'unreachable', ''],
    ['no answer on a WebSocket', transport({ isTrusted: true }), 'unreachable', ''],
    ['a proxy without its server', transport(502, '<h1>Bad Gateway</h1>'), 'unreachable', ''],
    ['no server there', transport(404, 'not found'), 'absent', ''],
    ['a page in place of a server', transport(405, '<html>'), 'absent', ''],
    ['a full server', transport(503, answer(4, 'the server is full; try again later')), 'full', 'the server is full; try again later'],
    ['a busy server', transport(503, answer(4, 'too many clients connect at this moment')), 'busy', 'too many clients connect at this moment'],
    ['too many from here', transport(429, answer(4, 'too many connections from your address')), 'address', 'too many connections from your address'],
    ['an origin that is not allowed', transport(403, answer(4, 'Forbidden')), 'origin', 'Forbidden'],
    ['polling that is not offered', transport(400, answer(0, 'Transport unknown')), 'transport', 'Transport unknown'],
    ['a request it does not like', transport(400, answer(3, 'Bad request')), 'refused', 'Bad request'],
    ['JSON of something else', transport(400, '[]'), 'absent', ''],
    ['no token', namespace('authentication is required', { code: 'token_missing' }), 'signIn', 'authentication is required'],
    ['an old token', namespace('the token has expired', { code: 'token_expired' }), 'signIn', 'the token has expired'],
    ['no keys to check it with', namespace('try again later', { code: 'keys_unavailable' }), 'refused', 'try again later'],
    ['a middleware', namespace('not today'), 'refused', 'not today'],
    ['a code that is no text', namespace('no', { code: 7 }), 'refused', 'no'],
    ['a long sentence', namespace('x'.repeat(1000)), 'refused', 'x'.repeat(300)],
    ['no message', {}, 'refused', ''],
    ['nothing', undefined, 'refused', ''],
  ])('%s', (_what, error, kind, detail) => {
    expect(readRefusal(error)).toEqual({ kind, detail });
  });
});
