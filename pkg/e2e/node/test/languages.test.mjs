// Clients in other languages than JavaScript: Python's (sync and asyncio) and Go's, in one chat with npm's.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { Chatter, GENERATIONS, JOIN_NOTICE, TRANSPORTS } from '../world/clients.mjs';
import { Foreigner, languages } from '../world/languages.mjs';
import { TEXTS } from '../world/messages.mjs';
import { clustered } from '../suite/chat.mjs';
import { Balancer } from '../world/balancer.mjs';
import { ChatServer, OURS, Redis } from '../world/processes.mjs';

// What every language can carry: texts that are Unicode, the values of JSON, bytes.
const PAYLOADS = [
  ...TEXTS.filter(([label]) => !/surrogate/.test(label)).map(([, text]) => ({ name: 'a', text })),
  { a: [1, -1.5, null, true, '', []], 이름: { '👍': {} } },
  'just text',
  0,
  { picture: Buffer.from([0, 1, 254, 255]), more: [Buffer.alloc(300, 7)] },
];

describe('clients in other languages', () => {
  let server;
  let npm;
  let found;
  const foreigners = [];

  before(async () => {
    found = await languages();
    server = await ChatServer.start();
    npm = await Chatter.join(server, { name: 'npm' });
    for (const kind of found.kinds) foreigners.push(await new Foreigner(server, kind).connected());
  });
  after(async () => {
    npm?.leave();
    await Promise.all(foreigners.map((person) => person.leave()));
    server?.assertWell();
    await server?.stop();
    found?.end();
  });

  it('are there', (t) => {
    found.missing.forEach((what) => t.diagnostic(`not here: ${what}`));
    found.kinds.forEach(({ name }) => t.diagnostic(name));
    assert.ok(found.kinds.length > 0 || !process.env.CI);
  });

  it('hear of newcomers', async () => {
    await Promise.all(foreigners.map((person) => person.hears(JOIN_NOTICE)));
    await npm.wantNotices(1 + foreigners.length);
    assert.equal(npm.notices(), 1 + foreigners.length);
  });

  it('hear everything that npm clients say, in order', async () => {
    await speaks(npm);
  });

  it('are heard by everybody, in order', async () => {
    for (const speaker of foreigners) await speaks(speaker);
  });

  /**
   * Somebody says all payloads, and everybody hears them. A few at a time: python-engineio closes its connection over an answer to
   * a poll with more than 16 packets, whatever server gives it.
   */
  async function speaks(speaker) {
    for (let from = 0; from < PAYLOADS.length; from += 8) {
      const all = [...PAYLOADS.slice(from, from + 8), { name: speaker.name, text: `that was all from ${from} on` }];
      const [start, starts] = [npm.inbox.length, foreigners.map((person) => person.inbox.length)];
      all.forEach((payload) => speaker.emit(payload));
      await npm.wantMessage(speaker, all.at(-1).text);
      assert.deepEqual(npm.payloadsSince(start).flat(), all, `npm hears ${speaker.name}`);
      for (const [index, person] of foreigners.entries()) {
        const news = () => person.inbox.slice(starts[index]).flat().filter((payload) => !isDeepStrictEqual(payload, JOIN_NOTICE));
        await person.inbox.until(() => news().length >= all.length, () => `${person.name} to hear ${all.length} payloads; heard ${news().length}`);
        const order = (list) => (person.unordered ? all.filter((payload) => list.some((heard) => isDeepStrictEqual(heard, payload))) : list);
        assert.equal(news().length, all.length);
        assert.deepEqual(order(news()), all, `${person.name} hears ${speaker.name}`);
      }
    }
  }
});

/**
 * How long a client may need from the end of its session to the next, in ms. What is wanted is 3 s, of which the clients' own pauses
 * take up to 1.5; a machine that runs other tests at the same time gets more.
 */
const BACK_WITHIN = Number(process.env.E2E_BACK_WITHIN_MS ?? 10_000);

describe('an orderly end of the server', { skip: !OURS && 'the references have no drain' }, () => {
  let found;
  let people = [];
  const npmKinds = GENERATIONS.flatMap((generation) => Object.keys(TRANSPORTS).map((transport) => ({ generation, transport, name: `npm ${generation} on ${transport}`, reconnectionDelay: 300, reconnectionDelayMax: 1000 })));

  before(async () => {
    found = await languages();
  });
  after(() => found?.end());

  /** One of every kind, connected. */
  async function everybody(server) {
    people = [...npmKinds.map((kind) => new Chatter(server, kind)), ...found.kinds.map((kind) => new Foreigner(server, kind))];
    await Promise.all(people.map((person) => person.connected()));
  }

  /** Waits until all have connected for the second time, and says how long that took from `since` on. */
  async function allBack(t, since, within = BACK_WITHIN) {
    const times = await Promise.all(people.map((person) => person.connected(2).then(() => [Date.now() - since, person.name])));
    times.sort(([a], [b]) => b - a);
    t.diagnostic(`back after ${times.slice(0, 3).map(([ms, name]) => `${ms} ms (${name})`).join(', ')} … ${times.at(-1)[0]} ms`);
    assert.deepEqual(times.filter(([ms]) => ms > within), []);
  }

  /**
   * All speak and hear again. A client that came back to the server that was ending is told once more, and may be on its way when it
   * shall speak; other libraries than npm's drop what is said then. So everybody says it until it is heard.
   */
  async function allWell(server) {
    const witness = await new Chatter(server, { name: 'witness', transport: 'websocket' }).connected();
    const speak = () => people.filter((person) => !heard.has(person)).forEach((person) => person.emit({ name: person.name, text: 'I am back' }));
    const heard = new Set();
    speak();
    const again = setInterval(speak, 3000);
    try {
      await Promise.all(people.map((person) => witness.wantMessage(person, 'I am back').then(() => heard.add(person))));
    } finally {
      clearInterval(again);
      witness.leave();
    }
  }

  const end = (servers, more) => async () => {
    await Promise.all(people.map((person) => person.leave()));
    more?.close();
    await Promise.all(servers.map((server) => server.kill()));
  };

  it('and its start at the same place: everybody is back soon', async (t) => {
    let server = await ChatServer.start({ env: { CHAT_JOIN_NOTICE: 'false' } });
    t.after(() => end([server])());
    await everybody(server);

    const ended = Date.now();
    assert.deepEqual(await server.stop(), { code: 0, signal: null }, server.tail());
    t.diagnostic(`the process ended after ${Date.now() - ended} ms`);
    assert.ok(Date.now() - ended < BACK_WITHIN, 'the process waits for nobody');
    server = await ChatServer.start({ port: server.port, env: { CHAT_JOIN_NOTICE: 'false' } });
    await allBack(t, ended);
    await allWell(server);
    server.assertWell();
  });

  it('with another instance there: everybody moves over', async (t) => {
    const redis = await Redis.start();
    const env = { DRAIN_SECONDS: '4', CHAT_JOIN_NOTICE: 'false' };
    const servers = await Promise.all([1, 2].map(() => ChatServer.start({ redis, env })));
    const balancer = await Balancer.before(servers);
    t.after(end([...servers, redis], balancer));
    await clustered(servers);
    await everybody(balancer);

    servers[0].process.kill('SIGTERM');
    // The clients are told one after the other, within DRAIN_SECONDS.
    await allBack(t, Date.now(), 4000 + BACK_WITHIN);
    assert.deepEqual(await servers[0].exit, { code: 0, signal: null }, servers[0].tail());
    await allWell(balancer);
    servers[1].assertWell();
  });
});
