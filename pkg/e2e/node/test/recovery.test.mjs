// Connection state recovery: a client that loses the connection gets exactly what was said meanwhile, wherever the way back leads;
// or a new session, when that cannot be. Everything is counted: what was due, what came, order, duplicates.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { clustered } from '../suite/chat.mjs';
import { barrier, Chatter } from '../world/clients.mjs';
import { ChatServer, OURS, Redis } from '../world/processes.mjs';
import { Proxy } from '../world/proxy.mjs';

const skip = !OURS && 'the Node servers under test have no recovery switched on';
const RECOVERY = { RECOVERY_SECONDS: '120', CHAT_JOIN_NOTICE: 'false' };

/** Says numbered things at a steady pace until told to stop; resolves with all of them. */
function stream(speaker, pause = 3) {
  const said = [];
  let timer;
  const say = () => {
    const text = `${speaker.name} ${said.length}`;
    said.push(text);
    speaker.says(text);
    timer = setTimeout(say, pause);
  };
  say();
  return {
    said,
    stop() {
      clearTimeout(timer);
      return said;
    },
  };
}

const join = (server, options) => new Chatter(server, options).connected();
const recovered = (chatter) => chatter.socket.recovered;
/** Waits until so many more messages were said. */
const passed = (speech, more) => {
  const goal = speech.said.length + more;
  return new Promise((resolve) => {
    const look = () => (speech.said.length >= goal ? resolve() : setTimeout(look, 2));
    look();
  });
};

/** A proxy whose cable can be put into another server. */
async function cable(server) {
  const target = { host: server.host, port: server.port };
  const proxy = await Proxy.before(target);
  proxy.leadTo = (other) => Object.assign(target, { host: other.host, port: other.port });
  return proxy;
}

async function world(t, { redis, count = 1, env = {} } = {}) {
  const servers = await Promise.all(Array.from({ length: count }, () => ChatServer.start({ redis, env: { ...RECOVERY, ...env } })));
  t.after(async () => {
    for (const server of servers) if (!server.leaving) server.assertWell();
    await Promise.all(servers.map((server) => server.stop()));
  });
  if (count > 1) await clustered(servers);
  return servers;
}

/** All of `people` have heard what the streams said, exactly; those that were cut say that they were recovered. */
async function exactly(people, streams) {
  for (const [speaker, speech] of streams) for (const person of people) await person.wantExactly(speaker, speech.stop());
  const [speaker] = streams.keys();
  await barrier(speaker, people);
  for (const [speaker, speech] of streams) for (const person of people) await person.wantExactly(speaker, speech.said);
}

describe('connection state recovery', { skip, concurrency: 3 }, () => {
  it('gives back what was missed, on one instance, for every cut and transport, beside clients of all generations', async (t) => {
    const [server] = await world(t);
    const proxy = await Proxy.before(server);
    t.after(() => proxy.close());
    const old = await Promise.all(['1.4.5', '2.5.0', '3.1.3'].map((generation) => join(server, { generation })));
    const speaker = await join(server, { name: 'speaker', transport: 'websocket' });
    const comers = await Promise.all(
      ['4.8', '4.6'].flatMap((generation) =>
        ['websocket', 'polling', 'default'].map((transport) => join(proxy, { generation, transport, name: `${generation} ${transport}` })),
      ),
    );
    t.after(() => [...old, ...comers, speaker].forEach((chatter) => chatter.leave()));
    const ids = comers.map((comer) => comer.id);
    const speech = stream(speaker);
    await passed(speech, 20);
    for (let round = 1; round <= 3; round++) {
      if (round === 2) {
        // Out for a while, with everything lost that is under way.
        proxy.unplug();
        await Promise.all(comers.map((comer) => comer.disconnected(round)));
        await passed(speech, 50);
        proxy.mend();
      } else {
        comers.forEach((comer) => comer.engine.close());
      }
      await Promise.all(comers.map((comer) => comer.connected(round + 1)));
      assert.deepEqual(comers.map(recovered), comers.map(() => true), `round ${round}:\n${server.tail()}`);
      assert.deepEqual(comers.map((comer) => comer.id), ids);
      await passed(speech, 20);
    }
    await exactly([...old, speaker, ...comers], new Map([[speaker, speech]]));
    assert.deepEqual(old.map((chatter) => chatter.disconnects.length), [0, 0, 0]);
  });

  for (const mode of ['pubsub', 'sharded', 'streams']) {
    it(`gives back what was missed on the other of two instances, REDIS_ADAPTER=${mode}`, async (t) => {
      const redis = await Redis.start();
      t.after(() => redis.kill());
      const servers = await world(t, { redis, count: 2, env: { REDIS_ADAPTER: mode } });
      const proxies = await Promise.all([0, 1, 0].map((i) => cable(servers[i])));
      t.after(() => proxies.forEach((proxy) => proxy.close()));
      const speakers = await Promise.all(servers.map((server, i) => join(server, { name: `speaker ${i}`, transport: 'websocket' })));
      const old = await join(servers[1], { generation: '2.5.0' });
      const comers = await Promise.all(proxies.map((proxy, i) => join(proxy, { name: `comer ${i}`, generation: i ? '4.8' : '4.6', transport: i === 2 ? 'polling' : 'websocket' })));
      t.after(() => [...speakers, ...comers, old].forEach((chatter) => chatter.leave()));
      const streams = new Map(speakers.map((speaker) => [speaker, stream(speaker)]));
      const first = streams.get(speakers[0]);
      await passed(first, 20);
      for (let round = 1; round <= 3; round++) {
        proxies.forEach((proxy, i) => {
          proxy.unplug();
          proxy.leadTo(servers[(i + round) % 2]);
        });
        await Promise.all(comers.map((comer) => comer.disconnected(round)));
        if (round % 2) await passed(first, 40);
        proxies.forEach((proxy) => proxy.mend());
        await Promise.all(comers.map((comer) => comer.connected(round + 1)));
        assert.deepEqual(comers.map(recovered), [true, true, true], `round ${round}:\n${servers.map((server) => server.tail()).join('\n')}`);
        await passed(first, 10);
      }
      await exactly([...speakers, old, ...comers], streams);
    });
  }

  it('survives the orderly end of an instance, and not a violent one', async (t) => {
    const redis = await Redis.start();
    t.after(() => redis.kill());
    const servers = await world(t, { redis, count: 3, env: { DRAIN_SECONDS: '1' } });
    const [proxy, slow] = await Promise.all([cable(servers[0]), cable(servers[0])]);
    t.after(() => [proxy, slow].forEach((each) => each.close()));
    const speaker = await join(servers[2], { name: 'speaker', transport: 'websocket' });
    // One is sent away by the end of its instance, one was away before and comes back long after.
    const [prompt, late] = await Promise.all([join(proxy, { name: 'prompt', transport: 'websocket' }), join(slow, { name: 'late', transport: 'websocket' })]);
    t.after(() => [speaker, prompt, late].forEach((chatter) => chatter.leave()));
    const speech = stream(speaker);
    await passed(speech, 20);
    slow.unplug();
    await late.disconnected();
    proxy.leadTo(servers[1]);
    slow.leadTo(servers[1]);
    servers[0].leaving = true;
    const { code } = await servers[0].kill('SIGTERM');
    assert.equal(code, 0, servers[0].tail());
    await prompt.connected(2);
    await passed(speech, 30);
    slow.mend();
    await late.connected(2);
    assert.deepEqual([prompt, late].map(recovered), [true, true], `${servers[0].tail()}\n${servers[1].tail()}`);
    await exactly([speaker, prompt, late], new Map([[speaker, speech]]));

    // Killed: nobody has the session any more.
    const again = stream(speaker);
    await passed(again, 10);
    servers[1].leaving = true;
    proxy.leadTo(servers[2]);
    slow.leadTo(servers[2]);
    await servers[1].kill('SIGKILL');
    await Promise.all([prompt, late].map((chatter) => chatter.connected(3)));
    assert.deepEqual([prompt, late].map(recovered), [false, false]);
    await servers[2].says(/not recovered.*reason.*unknown/);
    await passed(again, 20);
    again.stop();
    await barrier(speaker, [prompt, late]);
    // Nothing is patched up: what was said meanwhile is missing, in one piece.
    for (const chatter of [prompt, late]) {
      const heard = chatter.heardFrom(speaker).slice(speech.said.length).map((text) => again.said.indexOf(text));
      const gaps = heard.filter((n, i) => n !== (i ? heard[i - 1] + 1 : 0));
      assert.ok(gaps.length <= 1 && heard.at(-1) === again.said.length - 1, `${chatter.name} heard ${heard}`);
      assert.deepEqual(heard, [...new Set(heard)].sort((x, y) => x - y));
    }
  });

  it('knows what Node nodes of the same cluster say', async (t) => {
    const redis = await Redis.start();
    t.after(() => redis.kill());
    const servers = await world(t, { redis, count: 2 });
    const node = await ChatServer.start({ kind: 's4', redis });
    t.after(() => node.stop());
    await clustered([...servers, node]);
    const proxy = await cable(servers[0]);
    t.after(() => proxy.close());
    const speakers = [await join(node, { name: 'on Node', transport: 'websocket' }), await join(servers[1], { name: 'on ours', transport: 'websocket' })];
    const comer = await join(proxy, { name: 'comer', transport: 'websocket' });
    t.after(() => [...speakers, comer].forEach((chatter) => chatter.leave()));
    const streams = new Map(speakers.map((speaker) => [speaker, stream(speaker)]));
    const first = streams.get(speakers[0]);
    await passed(first, 20);
    for (let round = 1; round <= 3; round++) {
      proxy.unplug();
      proxy.leadTo(servers[round % 2]);
      await comer.disconnected(round);
      await passed(first, 20);
      proxy.mend();
      await comer.connected(round + 1);
      assert.equal(recovered(comer), true, `round ${round}:\n${servers.map((server) => server.tail()).join('\n')}`);
      await passed(first, 10);
    }
    await exactly([...speakers, comer], streams);
  });
});
