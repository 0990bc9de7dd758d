// Everybody in one room: each generation of clients on each transport, on two instances, understands all others.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { clustered } from '../suite/chat.mjs';
import { barrier, Chatter, garbles, GENERATIONS, modern, TRANSPORTS } from '../world/clients.mjs';
import { BINARIES, isAscii, PAYLOADS, TEXTS } from '../world/messages.mjs';
import { ChatServer, OURS, Redis, UNDER_TEST } from '../world/processes.mjs';

describe('all generations of clients in one chat', () => {
  const servers = [];
  const everybody = [];
  let redis;

  before(async () => {
    redis = await Redis.start();
    servers.push(...(await Promise.all([1, 2].map(() => ChatServer.start({ redis })))));
    await clustered(servers);
    for (const generation of GENERATIONS) {
      if (modern(generation) && ['s2', 'nest'].includes(UNDER_TEST)) continue;
      for (const transport of Object.keys(TRANSPORTS)) {
        const name = `${generation} on ${transport}`;
        everybody.push(await Chatter.join(servers[everybody.length % 2], { name, generation, transport }));
      }
    }
    await Promise.all(everybody.map((person) => barrier(person, everybody)));
  });
  after(async () => {
    everybody.forEach((person) => person.leave());
    for (const server of servers) server.assertWell();
    await Promise.all(servers.map((server) => server.stop()));
    await redis.kill();
  });

  // On Node 1.x clients and all others garble each other's text outside ASCII (see `garbles`), and two nodes spoil some.
  const legible = (speaker, [, value, { spoilt } = {}]) => OURS || (!spoilt && (isAscii(value) || !speaks1x(speaker)));
  const speaks1x = (speaker) => garbles(speaker.generation, speaker.name.split(' on ')[1]) || everybody.some((other) => other.generation.startsWith('1.'));

  it('understand every text of each other', async () => {
    for (const speaker of everybody) {
      const texts = TEXTS.filter((row) => legible(speaker, row)).map(([, text]) => text);
      texts.forEach((text) => speaker.says(text));
      await Promise.all(everybody.map((person) => person.wantExactly(speaker, texts)));
    }
  });

  it('understand every payload of each other', async () => {
    for (const speaker of everybody) {
      const payloads = [...PAYLOADS.filter((row) => legible(speaker, row)), ...BINARIES.slice(0, -1)].map(([, payload]) => payload);
      const starts = everybody.map((person) => person.inbox.length);
      payloads.forEach((payload) => speaker.emit(payload));
      await barrier(speaker, everybody);
      everybody.forEach((person, index) => {
        const got = person.payloadsSince(starts[index]).slice(0, -1).flat();
        assert.deepEqual(got, payloads, `${person.name} hears ${speaker.name}`);
        assert.equal(JSON.stringify(got), JSON.stringify(payloads), `${person.name} hears ${speaker.name}`);
      });
    }
  });

  it('all speak at once, and everybody hears each of them in order', async () => {
    const texts = Array.from({ length: 50 }, (_, i) => `line ${i}`);
    const before = everybody.map((person) => new Map(everybody.map((speaker) => [speaker, person.heardFrom(speaker).length])));
    for (const text of texts) everybody.forEach((speaker) => speaker.says(text));
    await Promise.all(everybody.map((person) => barrier(person, everybody)));
    everybody.forEach((person, index) => {
      for (const speaker of everybody) assert.deepEqual(person.heardFrom(speaker).slice(before[index].get(speaker)), texts, `${person.name} hears ${speaker.name}`);
    });
  });
});
