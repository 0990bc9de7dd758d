// Payloads to the letter: what a client writes as JSON arrives as that JSON, on both protocols and transports and
// across instances. DIFFERENT from Node, which parses and writes it again and so loses what JavaScript cannot hold:
// with REFERENCE the expectation is that.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { clustered } from '../suite/chat.mjs';
import { ChatServer, OURS, Redis } from '../world/processes.mjs';
import { chatSocket, PollingSession } from '../world/wire.mjs';

const PAYLOADS = [
  '9007199254740993',
  '18446744073709551616',
  '123456789012345678901234567890',
  '-0',
  '1.0',
  '1e21',
  '1E+2',
  '0.1000000000000000055511151231257827',
  '{"b":1,"a":2,"10":3,"2":4}',
  '{"a":1,"a":2}',
  '{"__proto__":{"x":1},"constructor":null}',
  '"\\u0041\\/\\ud83d\\ude00"',
  '"\\ud800"',
  '"\\u0000\\u001f\\u007f\\u2028"',
  '"안녕 😀"',
  '"<>&\'"',
  `${'['.repeat(500)}${']'.repeat(500)}`,
  `{"k":${'{"k":'.repeat(200)}null${'}'.repeat(200)}}`,
];
const expected = (json) => (OURS ? json : JSON.stringify(JSON.parse(json)));

describe('payloads to the letter', () => {
  let servers = [];
  let redis;
  before(async () => {
    redis = OURS ? await Redis.start() : undefined;
    servers = await Promise.all([1, OURS ? 2 : []].flat().map(() => ChatServer.start({ redis })));
    if (OURS) await clustered(servers);
  });
  after(async () => {
    servers.forEach((server) => server.assertWell());
    await Promise.all(servers.map((server) => server.stop()));
    await redis?.kill();
  });
  const skip = process.env.REFERENCE && process.env.REFERENCE !== 's4' && 'socket.io 2 does not speak protocol 4';

  for (const json of PAYLOADS) {
    it(json.length < 80 ? json : `${json.slice(0, 40)}… (${json.length})`, { skip }, async (t) => {
      const [here, there, old] = await Promise.all([chatSocket(servers[0]), chatSocket(servers.at(-1)), chatSocket(servers.at(-1), { EIO: 3 })]);
      const poller = await PollingSession.open(servers[0]);
      t.after(() => [here, there, old].forEach((ws) => ws.destroy()));
      await poller.post('40/chat,');
      await poller.until('join chat.');
      here.say(`42/chat,["msgToServer",${json}]`);
      const want = `42/chat,["msgToClient",${expected(json)}]`;
      const isIt = { test: (text) => text.startsWith('42/chat,') && !text.includes('"admin"') };
      assert.equal(await here.want(isIt), want);
      // Between instances a string is a string of MessagePack: its value arrives, its escapes may be spelt another way.
      const same = (got, where) => (json.startsWith('"') && got !== want ? assert.deepEqual(JSON.parse(got.slice(8)), JSON.parse(want.slice(8)), where) : assert.equal(got, want, where));
      same(await there.want(isIt), 'on the other instance');
      same(await old.want(isIt), 'on protocol 3');
      const polled = await poller.until(want);
      assert.ok(polled.split('\x1e').includes(want), 'on polling');
      await poller.post('1');
    });
  }
});
