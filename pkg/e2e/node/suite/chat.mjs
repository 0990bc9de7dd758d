// The chat as one generation of clients sees it: every transport, on one instance and on two over Redis.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { barrier, Chatter, garbles, gather, JOIN_NOTICE, modern, TRANSPORTS, usher } from '../world/clients.mjs';
import { ARGUMENTS, BINARIES, isAck, isAscii, PAYLOADS, TEXTS } from '../world/messages.mjs';
import { ChatServer, OURS, Redis, UNDER_TEST } from '../world/processes.mjs';
import { Proxy } from '../world/proxy.mjs';
import { cuts } from './cuts.mjs';
import { namespaces } from './namespaces.mjs';

export function chatSuite(generation) {
  const skip = modern(generation) && ['s2', 'nest'].includes(UNDER_TEST) && 'socket.io 2 does not speak protocol 4';
  describe(`client ${generation}`, { skip }, () => {
    topology(generation, 'one instance', 1);
    topology(generation, 'two instances over Redis', 2);
  });
}

function topology(generation, title, instances) {
  describe(title, () => {
    const servers = [];
    const ushers = [];
    let redis;

    before(async () => {
      if (instances > 1) redis = await Redis.start();
      servers.push(...(await Promise.all(Array.from({ length: instances }, () => ChatServer.start({ redis, env: { LOG_LEVEL: 'debug' } })))));
      if (instances > 1) await clustered(servers);
      for (const server of servers) {
        ushers.push(await usher(server));
        await barrier(ushers.at(-1), ushers);
      }
    });
    after(async () => {
      ushers.forEach((person) => person.leave());
      try {
        for (const server of servers) server.assertWell();
      } finally {
        await Promise.all(servers.map((server) => server.stop()));
        await redis?.kill();
      }
    });

    for (const transport of Object.keys(TRANSPORTS)) {
      describe(transport, () => {
        const options = { generation, transport };
        const legible = legibility(options, instances);
        /** `count` people, spread over the instances, who leave when the test ends. */
        const people = async (t, count) => {
          const everybody = [];
          t.after(() => everybody.forEach((person) => person.leave()));
          return gather(servers, count, options, everybody, ushers);
        };
        conversation(people, legible);
        bursts(people, servers, options, legible);
        if (instances === 1) {
          cuts(people, servers, options);
          namespaces(people, servers, options);
        }
      });
    }
  });
}

/** Waits until messages cross from every server to every other one. */
export async function clustered(servers) {
  // Ours promises it with /readyz. The Node servers promise nothing, so there people call until they are heard.
  await Promise.all(servers.filter((server) => server.kind === 'ours').map((server) => server.readiness(200)));
  if (servers.every((server) => server.kind === 'ours')) return;
  const probes = await Promise.all(servers.map((server) => Chatter.join(server, { generation: server.kind === 's4' ? '4.8' : '2.5.0' })));
  const calling = setInterval(() => probes.forEach((probe) => probe.says('anybody there?')), 20);
  try {
    await Promise.all(probes.flatMap((probe) => probes.map((other) => probe.wantMessage(other, 'anybody there?'))));
  } finally {
    clearInterval(calling);
    await Promise.all(probes.map((probe) => barrier(probe, probes)));
    probes.forEach((probe) => probe.leave());
  }
}

/** What people say to each other. */
export function conversation(people, legible) {
  it('tells everybody, the newcomer too, that somebody joined', async (t) => {
    const everybody = await people(t, 4);
    everybody.forEach((person, index) => assert.equal(person.notices(), everybody.length - index, `notices of person ${index}`));
    assert.deepEqual(everybody[0].inbox[0], [JOIN_NOTICE]);
    // The order of keys is part of what the page's users see in their tools.
    assert.equal(JSON.stringify(everybody[0].inbox[0]), '[{"name":"admin","text":"join chat."}]');
  });

  it('repeats a message to everybody, the sender too', async (t) => {
    const everybody = await people(t, 3);
    for (const speaker of everybody) {
      speaker.says(`I am ${speaker.name}`);
      await Promise.all(everybody.map((person) => person.wantExactly(speaker, [`I am ${speaker.name}`])));
    }
  });

  it('carries any text', async (t) => {
    const [alice, bob] = await people(t, 2);
    const texts = TEXTS.filter(legible).map(([, text]) => text);
    texts.forEach((text) => alice.says(text));
    await Promise.all([alice, bob].map((person) => person.wantExactly(alice, texts)));
  });

  it('carries any payload', async (t) => {
    const rows = PAYLOADS.filter(legible);
    await sendAll(await people(t, 2), rows.map(([label, payload]) => [label, [payload], payload]));
  });

  it('makes one payload of any arguments, as Nest does, and never acknowledges', async (t) => {
    const [alice, bob] = await people(t, 2);
    const rows = ARGUMENTS.map(([label, args, payload]) => [label, args.map((argument) => (isAck(argument) ? () => assert.fail(`${label}: acknowledged`) : argument)), payload]);
    await sendAll([alice, bob], rows);
  });

  it('carries binary payloads among texts', async (t) => {
    const [alice, bob] = await people(t, 2);
    const rows = BINARIES.flatMap(([label, payload]) => [
      [`a text before ${label}`, [label], label],
      [label, [payload], payload],
    ]);
    rows.push(['two buffers as two arguments', [Buffer.from('a'), Buffer.from('b')], [Buffer.from('a'), Buffer.from('b')]]);
    await sendAll([alice, bob], rows);
    await sendAll([bob, alice], rows);
  });

  it('passes over events that nobody listens for', async (t) => {
    const [alice, bob] = await people(t, 2);
    const start = bob.inbox.length;
    for (const event of ['message', 'msgToClient', 'msgtoserver', '', '한글', 'toString']) {
      alice.socket.emit(event, 'x', () => assert.fail(`${event} acknowledged`));
    }
    await barrier(alice, [alice, bob]);
    assert.equal(bob.inbox.length, start + 1);
  });

  it('carries a text of 300 KB', async (t) => {
    const [alice, bob] = await people(t, 2);
    const text = (legible(['', '안녕']) ? '0123456789 안녕하세요 👍' : '0123456789 hello').repeat(300_000 / 30);
    alice.says(text);
    alice.says('small');
    await Promise.all([alice, bob].map((person) => person.wantExactly(alice, [text, 'small'])));
  });
}

/**
 * Which rows to expect whole. Ours: all. Node's Redis adapters spoil some values, and its engines garble what 1.x
 * clients on polling say outside ASCII.
 */
function legibility({ generation, transport }, instances) {
  if (OURS) return () => true;
  return ([, value, { spoilt } = {}]) => !(spoilt && instances > 1) && (isAscii(value) || !garbles(generation, transport));
}

/** Alice emits each row's arguments; everybody gets each row's payload, once and in order. */
async function sendAll([alice, ...others], rows) {
  const everybody = [alice, ...others];
  const starts = everybody.map((person) => person.inbox.length);
  for (const [, args] of rows) alice.emit(...args);
  await barrier(alice, everybody);
  everybody.forEach((person, index) => {
    const got = person.payloadsSince(starts[index]).slice(0, -1);
    rows.forEach(([label, , payload], row) => {
      assert.deepEqual(got[row], [payload], `${person.name} gets "${label}"`);
      assert.equal(JSON.stringify(got[row]), JSON.stringify([payload]), `${person.name} gets "${label}" in its order`);
    });
    assert.equal(got.length, rows.length, `${person.name} gets nothing else`);
  });
}

export function bursts(people, servers, options, legible) {
  it('keeps bursts of 500 in order and whole, begun before the upgrade ends', async (t) => {
    const witnesses = await people(t, servers.length);
    const texts = Array.from({ length: 500 }, (_, i) => `${i} ${legible(['', '번째']) ? '번째' : 'th'}`);
    const senders = await Promise.all([allAtOnce, inSlices, aroundTheUpgrade].map(async (pace, index) => {
      const proxy = await Proxy.before(servers[index % servers.length]);
      const upgrade = options.transport === 'default' ? proxy.holdWebSockets() : null;
      const sender = new Chatter(proxy, options);
      t.after(() => {
        sender.leave();
        proxy.close();
      });
      sender.socket.once('connect', () => pace(sender, texts, upgrade));
      return sender;
    }));

    await Promise.all(senders.flatMap((sender) => [sender, ...witnesses].map((person) => person.wantExactly(sender, texts))));
    if (options.transport === 'default') {
      senders.forEach((sender) => assert.equal(sender.connects[0], 'polling', 'the burst begins before the upgrade'));
      await Promise.all(senders.map((sender) => sender.upgraded()));
    }
    // After a last call of everybody nothing may be doubled, and those who came late have missed a beginning at most.
    const everybody = [...witnesses, ...senders];
    await Promise.all(senders.map((sender) => barrier(sender, everybody)));
    for (const sender of senders) {
      for (const person of everybody) {
        const heard = person.heardFrom(sender);
        assert.deepEqual(heard, texts.slice(texts.length - heard.length), `${person.name} hears ${sender.name}`);
        if (witnesses.includes(person) || person === sender) assert.equal(heard.length, texts.length);
      }
    }
  });
}

// How a sender paces its burst. `upgrade` lets the WebSocket through that was held up until then; null: there is none.

function allAtOnce(sender, texts, upgrade) {
  texts.forEach((text) => sender.says(text));
  upgrade?.();
}

/** A few now, a few in every turn of the event loop while the upgrade goes on. */
function inSlices(sender, texts, upgrade) {
  texts.slice(0, 25).forEach((text) => sender.says(text));
  upgrade?.();
  if (texts.length > 25) setImmediate(inSlices, sender, texts.slice(25), upgrade);
}

/** A third before the upgrade, a third when the probe is answered, a third when it is done. */
function aroundTheUpgrade(sender, texts, upgrade) {
  const say = (from, to) => texts.slice(from, to).forEach((text) => sender.says(text));
  say(0, 150);
  if (!upgrade) return say(150);
  sender.engine.once('upgrading', () => say(150, 300));
  sender.engine.once('upgrade', () => say(300));
  upgrade();
}
