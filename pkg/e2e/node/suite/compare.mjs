// Comparison on the wire: a scenario is played on a real socket.io 4.8 server (protocol 3 allowed, any origin) and on
// the server under test, and what comes back must be the same.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ChatServer } from '../world/processes.mjs';
import { request } from '../world/wire.mjs';

/** Headers that clients and browsers act on. */
const HEADERS = ['content-type', 'cache-control', 'access-control-allow-origin', 'access-control-allow-credentials', 'access-control-allow-methods', 'access-control-allow-headers', 'allow', 'location'];

/** What matters of an answer, ids taken out. */
export function essence({ status, headers, body }) {
  const seen = { status };
  for (const name of HEADERS) if (headers[name] !== undefined) seen[name] = headers[name].toLowerCase().replace(/;\s+/g, ';');
  seen.body = withoutIds(body);
  return seen;
}

export const withoutIds = (text) => text.replace(/(\\*"sid\\*":\\*")[\w-]{20,}/g, '$1…');

/**
 * Rows are [title, scenario, change]: `scenario(server)` resolves with what was seen; `change(seen)`, where there is
 * one, turns what Node does into what is wanted of ours, with the reason beside it.
 */
export function compareAll(title, rows) {
  describe(title, () => {
    let node, server;
    before(async () => {
      [node, server] = await Promise.all([ChatServer.start({ kind: 's4', env: { CORS: '*' } }), ChatServer.start({ env: { CORS: '*' } })]);
    });
    after(async () => {
      server.assertWell();
      // Not the polite way: the sessions left open here would have their time to say goodbye.
      await Promise.all([node.kill(), server.kill()]);
    });
    const skip = ['s2', 'nest'].includes(process.env.REFERENCE) && 'compared with socket.io 4.8';
    for (const [name, scenario, change = (seen) => seen] of rows) {
      it(name, { skip }, async () => {
        const [wanted, got] = await Promise.all([scenario(node), scenario(server)]);
        assert.deepEqual(got, server.kind === 'ours' ? change(wanted) : wanted);
      });
    }
  });
}

/** A scenario of one request. */
export const ask = (options) => async (server) => essence(await request(server, options));
