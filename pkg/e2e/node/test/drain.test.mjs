// An instance is told to end while people of all generations are on it: each of them moves to the other instance by
// itself, with the messages that it sent meanwhile, and those of 4.6 and later get what they missed. The Node servers
// have nothing of the kind.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { clustered } from '../suite/chat.mjs';
import { Balancer } from '../world/balancer.mjs';
import { barrier, Chatter } from '../world/clients.mjs';
import { eventually } from '../world/deadline.mjs';
import { ChatServer, OURS, Redis } from '../world/processes.mjs';
import { chatSocket } from '../world/wire.mjs';

const skip = !OURS && 'Node servers do not drain';
const KINDS = ['1.4.5', '2.5.0', '4.8'].flatMap((generation) => ['polling', 'websocket', 'default'].map((transport) => ({ generation, transport })));

describe('drain', { skip }, () => {
  it('moves clients of all generations to the other instance', async (t) => {
    const redis = await Redis.start();
    t.after(() => redis.kill());
    const env = { DRAIN_SECONDS: '5', CHAT_JOIN_NOTICE: 'false', RECOVERY_SECONDS: '120' };
    const [first, second] = await Promise.all([1, 2].map(() => ChatServer.start({ redis, env })));
    const balancer = await Balancer.before([first, second]);
    const people = KINDS.map((kind) => new Chatter(balancer, { ...kind, name: `${kind.generation} ${kind.transport}` }));
    t.after(async () => {
      people.forEach((person) => person.leave());
      balancer.close();
      await Promise.all([first, second].map((server) => server.kill()));
    });
    await clustered([first, second]);
    await Promise.all(people.map((person) => person.connected()));
    const witness = new Chatter(second, { name: 'witness', transport: 'websocket' });
    people.push(witness);
    await witness.connected();
    await Promise.all(people.map((person) => barrier(person, people)));

    // Everybody talks all the time.
    const said = new Map(people.map((person) => [person, []]));
    const talk = setInterval(() => {
      for (const [person, texts] of said) {
        texts.push(`${texts.length}`);
        person.says(texts.at(-1));
      }
    }, 50);
    t.after(() => clearInterval(talk));
    const saidBefore = new Map(); // how much of it before the move
    for (const [person, texts] of said) person.socket.once('disconnect', () => saidBefore.set(person, texts.length));

    first.process.kill('SIGTERM');
    await first.readiness(503);
    const movers = people.slice(0, -1);
    await Promise.all(movers.map((person) => person.connected(2)));
    assert.deepEqual(await first.exit, { code: 0, signal: null }, first.tail());
    clearInterval(talk);

    // Nobody was told to stay away, and nobody had to try twice.
    for (const person of movers) assert.match(person.disconnects.join(), /^transport (close|error)$/, person.name);
    assert.deepEqual(witness.disconnects.length, 0);
    await Promise.all(people.map((person) => barrier(person, people)));
    // The witness has heard what everybody said before and after the move, and what was on its way, once, and each part in
    // its order: the last words to the one instance may be on their way when the first to the other are heard already.
    // What a client sends in the instant between the server's end and its noticing dies in the client: a
    // WebSocket that is closing sends nothing more, and a poller forgets what waits behind its POST.
    for (const [person, texts] of said) {
      const heard = witness.heardFrom(person);
      const moved = saidBefore.get(person) ?? 0;
      for (const part of [heard.filter((text) => text < moved), heard.filter((text) => text >= moved)]) assert.deepEqual(part, [...new Set(part)].sort((a, b) => a - b), `${person.name} comes in order and once`);
      const missing = texts.filter((text) => !heard.includes(text));
      assert.ok(missing.length === 0 || missing.at(-1) - missing[0] === missing.length - 1, `${person.name} lost more than at the move: ${missing}`);
    }
    // Those that can be recovered have missed nothing either, and have nothing twice.
    for (const person of movers.filter((person) => person.generation === '4.8')) {
      assert.ok(person.socket.recovered, `${person.name} is recovered`);
      assert.deepEqual(person.heardFrom(witness), said.get(witness), `${person.name} hears all of the witness`);
    }
    await eventually(() => second.status('/readyz').then((code) => code === 200), 'the other instance to be well');
    second.assertWell();
  });

  it('has everybody back within three seconds of a restart', async (t) => {
    const first = await ChatServer.start();
    const people = KINDS.map((kind) => new Chatter(first, { ...kind, name: `${kind.generation} ${kind.transport}` }));
    t.after(() => people.forEach((person) => person.leave()));
    await Promise.all(people.map((person) => person.connected()));
    const begin = Date.now();
    assert.deepEqual(await first.kill('SIGTERM'), { code: 0, signal: null }, first.tail());
    const second = await ChatServer.start({ port: first.port });
    t.after(() => second.kill());
    const starting = Date.now() - begin;
    await Promise.all(people.map((person) => person.connected(2)));
    // Clients try after at most 1.5 s; a busy machine may be slow to end and start the server.
    assert.ok(Date.now() - begin < 3000 + 2 * starting, `the last came after ${Date.now() - begin} ms; the server itself took ${starting}`);
    await Promise.all(people.map((person) => barrier(person, people)));
  });

  it('ends a WebSocket without a close frame, behind what is queued', async (t) => {
    const server = await ChatServer.start();
    t.after(() => server.kill());
    const ws = await chatSocket(server);
    server.process.kill('SIGTERM');
    assert.equal(await ws.closeCode(), 0);
    assert.deepEqual(await server.exit, { code: 0, signal: null }, server.tail());
  });
});
