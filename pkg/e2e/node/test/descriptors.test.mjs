// A server that may have 256 open files, and clients that connect and ask for nothing: the health checks and the
// operators' address answer at once, and people get in and stay.
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { barrier, Chatter } from '../world/clients.mjs';
import { ChatServer, OURS } from '../world/processes.mjs';
import { request } from '../world/wire.mjs';

const FLOOD = 600;
const REQUESTS = {
  'say nothing': '',
  'begin a request': 'GET / HTTP/1.1\r\nHost: x\r\nX: ',
  'stay after a request that the front refuses': 'GET /socket.io/?EIO=4&transport=nope HTTP/1.1\r\nHost: x\r\n\r\n',
  'stay after a request for a file': 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n',
};

/** The server, run by a shell that bounds its descriptors. */
async function bounded() {
  const dir = mkdtempSync(join(tmpdir(), 'chat-e2e-ulimit-'));
  const script = join(dir, 'chat-server');
  const binary = process.env.CHAT_SERVER;
  writeFileSync(script, `#!/bin/sh\nulimit -n 256\nexec "${binary}"\n`);
  chmodSync(script, 0o755);
  process.env.CHAT_SERVER = script;
  try {
    return await ChatServer.start();
  } finally {
    process.env.CHAT_SERVER = binary;
    rmSync(dir, { recursive: true, force: true });
  }
}

describe('a server with few descriptors', { skip: !OURS && 'Node servers run out of them' }, () => {
  for (const [what, text] of Object.entries(REQUESTS)) it(`clients that ${what} are in nobody's way`, async (t) => {
    const server = await bounded();
    const metrics = new URL(`http://${JSON.parse(await server.says(/"metrics"/)).metrics}`);
    const sockets = [];
    const people = [];
    t.after(async () => {
      sockets.forEach((socket) => socket.destroy());
      people.forEach((person) => person.leave());
      await server.kill();
    });
    people.push(await Chatter.join(server, { transport: 'websocket' }), await Chatter.join(server, { transport: 'polling', generation: '2.5.0' }));
    for (let i = 0; i < FLOOD; i++) {
      const socket = net.connect(server.port, server.host);
      socket.on('error', () => {});
      await Promise.race([once(socket, 'connect'), once(socket, 'close')]);
      socket.write(text);
      sockets.push(socket);
    }
    const start = Date.now();
    for (const at of [server, { host: metrics.hostname, port: metrics.port }]) {
      const { status, body } = await request(at, { path: '/healthz' });
      assert.equal(status, 200, body);
    }
    assert.ok(Date.now() - start < 5000, `the health checks took ${Date.now() - start} ms`); // 72 s before
    people.push(await Chatter.join(server, { generation: '4.8' }));
    await Promise.all(people.map((person) => barrier(person, people)));
    assert.deepEqual(people.map((person) => person.connects.length), people.map(() => 1));
    const { body } = await request({ host: metrics.hostname, port: metrics.port }, { path: '/metrics' });
    assert.match(body, /chat_limited_total\{limit="idle connections"\} [1-9]/);
    server.assertWell();
  });
});
