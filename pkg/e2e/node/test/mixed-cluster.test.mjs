// One Redis, six servers: two of ours, a gateway on NestJS 12, the seed's pair (socket.io 2.4.1 with socket.io-redis 5.4.0) and a
// socket.io 4.8 node with @socket.io/redis-adapter 8. This is how one instance after the other is replaced.
// And two of ours with a socket.io 4.8 node on the sharded adapter, and on @socket.io/redis-streams-adapter.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { after, afterEach, before, describe, it } from 'node:test';
import { clustered } from '../suite/chat.mjs';
import { barrier, Chatter, garbles, modern } from '../world/clients.mjs';
import { BINARIES, isBinary, PAYLOADS, TEXTS } from '../world/messages.mjs';
import { ChatServer, OURS, Redis } from '../world/processes.mjs';

// REFERENCE=s4 and the like put further Node servers in the place of ours.
const CLUSTERS = {
  pubsub: [{}, {}, { kind: 'nest' }, { kind: 'nest12' }, { kind: 's2' }, { kind: 's4' }],
  sharded: [{}, {}, { kind: 's4' }],
  streams: [{}, {}, { kind: 's4' }],
};
for (const [adapter, kinds] of Object.entries(CLUSTERS)) describe(`a mixed cluster, ${adapter}`, () => {
  const servers = [];
  const people = [];
  let redis;

  before(async () => {
    redis = await Redis.start();
    servers.push(...(await Promise.all(kinds.map((options) => ChatServer.start({ redis, env: { REDIS_ADAPTER: adapter }, ...options })))));
    await clustered(servers);
    for (const server of servers) {
      for (const [generation, transport] of [['1.4.5', 'websocket'], ['2.5.0', 'default'], ['4.8', 'default'], ['4.8', 'polling']]) {
        if (modern(generation) && ['s2', 'nest'].includes(server.kind)) continue;
        const person = await Chatter.join(server, { name: `${generation} on ${transport} on ${server.name}`, generation, transport });
        person.server = server;
        await barrier(person, [...people, person]);
        people.push(person);
      }
    }
  });
  afterEach(() => servers.forEach((server) => server.assertWell()));
  after(async () => {
    people.forEach((person) => person.leave());
    await Promise.all(servers.map((server) => server.stop()));
    await redis?.kill();
  });

  /** The major version of the Node server a person is on; 0 for ours. */
  const node = ({ server: { kind } }) => ({ ours: 0, s4: 4, nest12: 4 })[kind] ?? 2;
  /** Whether a payload comes through whole: what passes a Node adapter, at either end, may be spoilt by it. */
  const passes = (from, to, payload, { spoilt } = {}) => {
    // From socket.io 4 to 2 binary payloads arrive as JSON of a Buffer: each expects its own packet type for them.
    if (isBinary(payload) && node(from) === 4 && node(to) === 2) return false;
    return !spoilt || (node(from) === 0 && node(to) === 0);
  };

  it('everybody hears everybody, once and in order, all speaking at once', async () => {
    const texts = Array.from({ length: 200 }, (_, i) => `line ${i}`);
    for (const text of texts) people.forEach((speaker) => speaker.says(text));
    await Promise.all(people.flatMap((person) => people.map((speaker) => person.wantExactly(speaker, texts))));
    await Promise.all(people.map((person) => barrier(person, people)));
    for (const person of people) {
      for (const speaker of people) assert.equal(person.heardFrom(speaker).length, texts.length, `${person.name} hears ${speaker.name}`);
    }
  });

  it('everybody hears of newcomers on any server once', async () => {
    await Promise.all(people.map((person) => barrier(person, people)));
    for (const server of servers) {
      const counts = people.map((person) => person.notices());
      const newcomer = await Chatter.join(server, { generation: '2.5.0' });
      await barrier(newcomer, people);
      assert.deepEqual(people.map((person) => person.notices()), counts.map((count) => count + 1), `newcomer on ${server.name}`);
      newcomer.leave();
    }
  });

  it('everybody hears what is announced from outside, once', { skip: !OURS }, async () => {
    await Promise.all(people.map((person) => barrier(person, people)));
    const starts = people.map((person) => person.inbox.length);
    const env = { ...process.env, REDIS_HOST: redis.host, REDIS_PORT: String(redis.port), REDIS_ADAPTER: adapter };
    const args = ['announce', '--name', 'cron', '--text', 'Backup at "four", 서울 🚀'];
    const said = await new Promise((resolve) => execFile(process.env.CHAT_SERVER, args, { env, cwd: tmpdir() }, (error, out, err) => resolve(err + out)));
    assert.equal(said, `announced to ${servers.length} instances\n`);
    for (const [index, person] of people.entries()) {
      await person.inbox.until((all) => all.length > starts[index], `${person.name} to hear the announcement`);
      await barrier(person, [person]);
      const [first, ...others] = person.payloadsSince(starts[index]);
      assert.equal(JSON.stringify(first), JSON.stringify([{ name: 'cron', text: 'Backup at "four", 서울 🚀' }]), person.name);
      assert.ok(!others.some(([message]) => message.name === 'cron'), `${person.name} hears it again`);
    }
    await Promise.all(people.map((person) => barrier(person, people)));
  });

  it('everybody gets every payload whole', async () => {
    const written = [...TEXTS.map(([label, text, flaw]) => [label, { text }, flaw]), ...PAYLOADS];
    for (const speaker of people) {
      // A binary event of socket.io 2 throws the clients of a 4.8 node out ("Illegal attachments"): not here.
      const rows = node(speaker) === 2 ? written : [...written, ...BINARIES.slice(0, -1)];
      if (garbles(speaker.generation, speaker.name.split(' on ')[1])) continue;
      const starts = people.map((person) => person.inbox.length);
      rows.forEach(([, payload]) => speaker.emit(payload));
      await barrier(speaker, people);
      people.forEach((person, index) => {
        const got = person.payloadsSince(starts[index]).slice(0, -1);
        assert.equal(got.length, rows.length, `${person.name} hears ${speaker.name}`);
        rows.forEach(([label, payload, flaw], row) => {
          if (!passes(speaker, person, payload, flaw)) return;
          assert.deepEqual(got[row], [payload], `${label}: ${person.name} hears ${speaker.name}`);
          assert.equal(JSON.stringify(got[row]), JSON.stringify([payload]), `${label}: ${person.name} hears ${speaker.name}`);
        });
      });
    }
  });
});
