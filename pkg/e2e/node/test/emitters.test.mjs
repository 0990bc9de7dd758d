// Programs without sockets that speak into the chat by way of Redis, with the npm packages made for that: socket.io-emitter of the 2.x line and
// @socket.io/redis-emitter of today. Ours and a socket.io 4.8 node hear the same.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, describe, it } from 'node:test';
import { createClient } from 'redis';
import { clustered } from '../suite/chat.mjs';
import { Chatter } from '../world/clients.mjs';
import { PAYLOADS } from '../world/messages.mjs';
import { ChatServer, Redis } from '../world/processes.mjs';

const require = createRequire(import.meta.url);

/** The emitters, each made for a Redis, with what ends them. */
const EMITTERS = {
  'socket.io-emitter 3.2': async ({ host, port }) => {
    const emitter = require('socket.io-emitter')({ host, port });
    return { emitter, close: () => emitter.redis.quit() };
  },
  '@socket.io/redis-emitter 5.1': async ({ host, port }) => {
    const { Emitter } = require('@socket.io/redis-emitter');
    const client = createClient({ url: `redis://${host}:${port}` });
    await client.connect();
    return { emitter: new Emitter(client), close: () => client.quit() };
  },
};

for (const [name, make] of Object.entries(EMITTERS)) describe(name, () => {
  const servers = [];
  const people = [];
  let redis, emitter, close;

  before(async () => {
    redis = await Redis.start();
    servers.push(...(await Promise.all([{}, {}, { kind: 's4' }].map((options) => ChatServer.start({ redis, ...options })))));
    await clustered(servers);
    for (const server of servers) {
      for (const generation of ['2.5.0', '4.8']) {
        people.push(await Chatter.join(server, { name: `${generation} on ${server.name}`, generation, transport: 'websocket' }));
      }
    }
    ({ emitter, close } = await make(redis));
  });
  after(async () => {
    people.forEach((person) => person.leave());
    await close?.();
    await Promise.all(servers.map((server) => server.stop()));
    await redis?.kill();
  });

  /** Emits what `emit` says, then an end mark, and returns what each person got before it. */
  const heard = async (mark, emit) => {
    const from = people.map((person) => person.inbox.length);
    emit(emitter.of('/chat'));
    emitter.of('/chat').emit('msgToClient', { name: 'cron', text: mark });
    await Promise.all(people.map((person) => person.wantMessage({ name: 'cron' }, mark)));
    return people.map((person, i) => person.payloadsSince(from[i]).map(([payload]) => payload).filter((payload) => payload?.text !== mark));
  };

  it('says to everybody whatever JSON has, once and in order', async () => {
    const payloads = PAYLOADS.filter(([, , { spoilt } = {}]) => !spoilt).map(([, payload]) => payload);
    const all = await heard('end of payloads', (chat) => payloads.forEach((payload) => chat.emit('msgToClient', payload)));
    // What the emitter's own encoder makes of a payload, the socket.io 4.8 node shows: ours hear the same.
    const reference = all.at(-1);
    assert.equal(reference.length, payloads.length);
    for (const [i, got] of all.entries()) assert.deepEqual(got, reference, people[i].name);
  });

  it('speaks to a room, and leaves out another', async () => {
    const [first, , third] = people;
    const all = await heard('end of rooms', (chat) => chat.to(third.id).emit('msgToClient', { name: 'cron', text: 'for one' }));
    assert.deepEqual(all.map((got) => got.length), people.map((person) => (person === third ? 1 : 0)));
    if (!emitter.except) return; // came with 4.x
    const others = await heard('end of exceptions', (chat) => chat.except(first.id).emit('msgToClient', { name: 'cron', text: 'for the others' }));
    assert.deepEqual(others.map((got) => got.length), people.map((person) => (person === first ? 0 : 1)));
  });

  it('sends binary data', async () => {
    const bytes = Buffer.from([0, 1, 254, 255]);
    const all = await heard('end of bytes', (chat) => chat.emit('msgToClient', { name: 'cron', bytes }));
    // From 4.x to a 2.x client on whichever server it is JSON of a Buffer or the bytes; on ours it is always the bytes.
    for (const [i, [got]] of all.entries()) {
      if (people[i].name.includes('s4')) continue;
      assert.deepEqual(Buffer.from(got.bytes), bytes, people[i].name);
    }
  });

  it('disturbs nobody', () => servers.forEach((server) => server.assertWell()));
});
