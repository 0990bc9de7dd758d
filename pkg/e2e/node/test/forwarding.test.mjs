// No sticky sessions: three instances behind balancers that send every request to the next instance. The Node servers
// cannot do that.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { bursts, clustered, conversation } from '../suite/chat.mjs';
import { barrier, Chatter, gather, GENERATIONS, usher } from '../world/clients.mjs';
import { HAProxy } from '../world/haproxy.mjs';
import { ChatServer, OURS, Redis } from '../world/processes.mjs';
import { RoundRobin } from '../world/roundrobin.mjs';

const skip = !OURS && 'Node servers need sticky sessions';
const INSTANCES = 3;

/** Three instances, ready, on a Redis of their own. */
async function threeInstances(env) {
  const redis = await Redis.start();
  const servers = await Promise.all(Array.from({ length: INSTANCES }, () => ChatServer.start({ redis, env: { LOG_LEVEL: 'debug', ...env } })));
  await clustered(servers);
  // Ready means joined for messages; being known to each other is told apart.
  await Promise.all(servers.map((server) => server.says(/can be reached through the others/)));
  return { redis, servers };
}

/** Ends the instances and returns what each of them has forwarded. */
async function forwarded(servers) {
  return Promise.all(
    servers.map(async (server) => {
      const { code } = await server.stop();
      assert.equal(code, 0, server.tail());
      const line = server.lines.find((text) => text.includes('forwarding ended'));
      return line ? JSON.parse(line) : null;
    }),
  );
}

describe('no sticky sessions', { skip }, () => {
  for (const [title, Balancer, transport] of [['HAProxy', HAProxy, 'default'], ['a strict round robin', RoundRobin, 'polling']]) {
    describe(title, () => {
      let world;
      let balancer;
      const entrances = []; // the balancer
      const ushers = [];

      before(async () => {
        world = await threeInstances();
        balancer = await Balancer.before(world.servers);
        entrances.push(balancer);
        for (const server of world.servers) {
          ushers.push(await usher(server));
          await barrier(ushers.at(-1), ushers);
        }
      });
      after(async () => {
        ushers.forEach((person) => person.leave());
        (balancer.kill ?? balancer.close).call(balancer);
        world.servers.forEach((server) => server.assertWell());
        const counts = await forwarded(world.servers);
        await world.redis.kill();
        for (const { polls, posts, upgrades, served, failed } of counts) {
          assert.ok(polls > 0 && posts > 0 && served > 0 && upgrades > 0 === (transport === 'default'), `forwarded ${JSON.stringify(counts)}`);
          // A client that leaves while its poll is under way may come too late once; nobody else.
          assert.ok(failed <= polls / 10, `failed ${JSON.stringify(counts)}`);
        }
      });

      for (const generation of GENERATIONS) {
        describe(`client ${generation}, ${transport}`, () => {
          const options = { generation, transport };
          const people = async (t, count) => {
            const everybody = [];
            t.after(() => everybody.forEach((person) => person.leave()));
            await gather(entrances, count, options, everybody, ushers);
            // Nobody was thrown out and came back: it works at the first attempt.
            t.after(() => everybody.forEach((person) => assert.equal(person.connects.length, 1, `${person.name} connected once`)));
            return everybody;
          };
          conversation(people, () => true);
          bursts(people, entrances, options, () => true);
        });
      }
    });
  }

  it('goes on for everybody after an instance was killed', async (t) => {
    const { redis, servers } = await threeInstances({ CHAT_JOIN_NOTICE: 'false' });
    const balancer = await RoundRobin.before(servers);
    const people = [];
    t.after(async () => {
      people.forEach((person) => person.leave());
      balancer.close();
      await Promise.all(servers.map((server) => server.kill()));
      await redis.kill();
    });
    for (const generation of GENERATIONS) {
      for (const transport of ['default', 'polling', 'polling']) people.push(new Chatter(balancer, { generation, transport, name: `${people.length} ${generation} ${transport}` }));
    }
    await Promise.all(people.map((person) => person.connected()));
    await Promise.all(people.map((person) => barrier(person, people)));
    await servers[0].kill('SIGKILL');
    // A client that was on it, or reached its owner through it, comes back by itself; the balancer goes on without stickiness.
    const start = Date.now();
    let calls = 0;
    const calling = setInterval(() => people.forEach((person) => person.says(`call ${calls}`)) ?? calls++, 50);
    t.after(() => clearInterval(calling));
    await Promise.all(people.map((person) => Promise.all(people.map((other) => person.wants((m) => m?.name === other.name && /^call/.test(m.text), `a call of ${other.name}`)))));
    clearInterval(calling);
    const took = Date.now() - start;
    await Promise.all(people.map((person) => barrier(person, people)));
    assert.ok(people.some((person) => person.connects.length > 1), 'somebody was on it');
    t.diagnostic(`everybody heard everybody again after ${took} ms; reconnected: ${people.filter((person) => person.connects.length > 1).length} of ${people.length}`);
  });

  it('moves only the people of an instance that is told to end, not those who poll through it', async (t) => {
    const { redis, servers } = await threeInstances({ CHAT_JOIN_NOTICE: 'false', DRAIN_SECONDS: '4' });
    const balancer = await HAProxy.before(servers);
    const people = GENERATIONS.flatMap((generation) => [1, 2, 3].map((n) => new Chatter(balancer, { generation, transport: 'polling', name: `${generation} ${n}` })));
    t.after(async () => {
      people.forEach((person) => person.leave());
      await balancer.kill();
      await Promise.all(servers.map((server) => server.kill()));
      await redis.kill();
    });
    await Promise.all(people.map((person) => person.connected()));
    await Promise.all(people.map((person) => barrier(person, people)));
    const tag = JSON.parse(servers[0].lines.find((line) => line.includes('can be reached through the others'))).instance;
    const movers = people.filter((person) => person.engine.id.startsWith(tag));
    const others = people.filter((person) => !movers.includes(person));
    assert.ok(movers.length > 0 && others.length > 0, 'people are spread');

    assert.deepEqual(await servers[0].stop(), { code: 0, signal: null }, servers[0].tail());
    await Promise.all(movers.map((person) => person.connected(2)));
    await Promise.all(people.map((person) => barrier(person, people)));
    assert.deepEqual(others.map((person) => [person.name, person.connects.length, person.disconnects.length]), others.map((person) => [person.name, 1, 0]));
    assert.deepEqual(movers.map((person) => person.connects.length), movers.map(() => 2));
  });

  it('forwards nothing when the balancer is sticky', async (t) => {
    const { redis, servers } = await threeInstances();
    const balancer = await HAProxy.before(servers, { affinity: true });
    t.after(async () => {
      await balancer.kill();
      await Promise.all(servers.map((server) => server.kill()));
      await redis.kill();
    });
    // The one generation whose client keeps cookies outside browsers.
    const people = [];
    for (const transport of ['default', 'polling', 'default', 'polling']) people.push(await Chatter.join(balancer, { generation: '4.8', transport, withCredentials: true }));
    await Promise.all(people.map((person) => barrier(person, people)));
    people.forEach((person) => person.leave());
    for (const counts of await forwarded(servers)) {
      assert.deepEqual([counts.polls, counts.posts, counts.upgrades, counts.served, counts.failed], [0, 0, 0, 0, 0]);
    }
  });
});
