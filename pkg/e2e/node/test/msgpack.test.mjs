// Clients built with socket.io-msgpack-parser: 4.8 with version 3 of it, 2.5 with version 2, beside clients that speak JSON, on two
// of our instances and a Node server with the same parser.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, describe, it } from 'node:test';
import { barrier, Chatter } from '../world/clients.mjs';
import { next } from '../world/deadline.mjs';
import { BINARIES, PAYLOADS, TEXTS } from '../world/messages.mjs';
import { ChatServer, OURS, Redis } from '../world/processes.mjs';
import { frame, OP, RawWebSocket } from '../world/wire.mjs';

const require = createRequire(import.meta.url);
const PARSERS = { 4.8: require('socket.io-msgpack-parser'), '2.5.0': require('msgpack-parser-2') };
const packed = (generation) => ({ generation, parser: PARSERS[generation] });

describe('MessagePack', { skip: !OURS && 'a Node server has one parser for all' }, () => {
  const servers = [];
  const people = [];
  let redis;

  before(async () => {
    redis = await Redis.start();
    const env = { PARSER: 'msgpack', CHAT_JOIN_NOTICE: 'true' };
    servers.push(...(await Promise.all([ChatServer.start({ redis, env }), ChatServer.start({ redis, env }), ChatServer.start({ kind: 's4', redis, env })])));
    await Promise.all(servers.filter(({ kind }) => kind === 'ours').map((server) => server.readiness(200)));
    for (const [index, server] of servers.entries()) {
      for (const [name, options] of [
        ['4.8 packed', packed('4.8')],
        ['4.8 packed on polling', { ...packed('4.8'), transport: 'polling' }],
        // Node 4 speaks version 3 of the parser, which 2.x clients do not have; JSON on it is for nobody.
        ...(server.kind === 'ours' ? [['2.5 packed', packed('2.5.0')], ['2.5 packed on polling', { ...packed('2.5.0'), transport: 'polling' }], ['4.8 JSON', { generation: '4.8' }]] : []),
      ]) {
        const person = await Chatter.join(server, { ...options, name: `${name} on ${index}` });
        person.server = server;
        await barrier(person, [...people, person]);
        people.push(person);
      }
    }
  });
  after(async () => {
    people.forEach((person) => person.leave());
    servers.forEach((server) => server.assertWell());
    await Promise.all(servers.map((server) => server.stop()));
    await redis?.kill();
  });

  // Notepack spoils some values wherever it encodes: in the clients' own parser, too.
  const rows = [...TEXTS.map(([label, text, flaw]) => [label, { text }, flaw]), ...PAYLOADS, ...BINARIES.slice(0, -1)].filter(([label, , flaw]) => !flaw?.spoilt && label !== '2^63');

  it('everybody gets what anybody says, whatever both speak', async () => {
    for (const speaker of people) {
      const starts = people.map((person) => person.inbox.length);
      rows.forEach(([, payload]) => speaker.emit(payload));
      await barrier(speaker, people);
      people.forEach((person, index) => {
        const got = person.payloadsSince(starts[index]).slice(0, -1);
        rows.forEach(([label, payload], row) => assert.deepEqual(got[row], [payload], `${label}: ${person.name} hears ${speaker.name}`));
        assert.equal(got.length, rows.length);
      });
    }
  });

  it('what JSON cannot carry passes between those who speak MessagePack', async () => {
    const [speaker, other] = [people[0], people[1]];
    const json = people.find(({ name }) => name.startsWith('4.8 JSON on 0'));
    const [start, startJSON] = [other.inbox.length, json.inbox.length];
    const payload = { when: new Date(1e12), nan: NaN, inf: -Infinity };
    speaker.emit(payload);
    await barrier(speaker, [other, json]);
    assert.deepEqual(other.payloadsSince(start)[0], [payload]);
    assert.deepEqual(json.payloadsSince(startJSON)[0], [JSON.parse(JSON.stringify(payload))]);
  });

  it('a namespace that is not there is refused in either version', async () => {
    for (const [generation, event, complaint] of [['4.8', 'connect_error', 'Invalid namespace'], ['2.5.0', 'error', 'Invalid namespace']]) {
      const chatter = new Chatter(servers[0], { ...packed(generation), namespace: '/nope' });
      const answer = await next(chatter.socket, event);
      assert.equal(answer.message ?? answer, complaint);
      chatter.leave();
    }
  });

  it('sessions are recovered', async (t) => {
    const server = await ChatServer.start({ env: { RECOVERY_SECONDS: '60' } });
    t.after(() => server.kill());
    const [person, witness] = [await Chatter.join(server, { ...packed('4.8'), transport: 'websocket' }), await Chatter.join(server, { name: 'witness' })];
    await barrier(witness, [person]);
    person.engine.close();
    const texts = Array.from({ length: 20 }, (_, i) => `missed ${i}`);
    texts.forEach((text) => witness.says(text));
    await person.connected(2);
    await person.wantExactly(witness, texts);
    assert.ok(person.socket.recovered);
    person.leave();
    witness.leave();
  });

  it('PARSER=json refuses it', async (t) => {
    const server = await ChatServer.start({ env: { PARSER: 'json' } });
    t.after(() => server.kill());
    const ws = await RawWebSocket.open(server);
    await ws.want(/^0\{/);
    ws.send(frame(new PARSERS['4.8'].Encoder().encode({ type: 0, nsp: '/chat' })[0], { opcode: OP.binary }));
    await ws.closeCode();
    assert.equal(ws.frames.length, 1 + ws.frames.filter(({ opcode }) => opcode === OP.close).length);
  });
});
