// Redis absent at the start, killed and back: the server serves its own clients throughout, says so on /readyz, and
// rejoins by itself. The Node servers promise none of that, so these tests are for ours alone.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { clustered } from '../suite/chat.mjs';
import { barrier, Chatter } from '../world/clients.mjs';
import { ChatServer, OURS, Redis } from '../world/processes.mjs';

const skip = !OURS && 'Node servers end or hang without Redis';

describe('Redis lost and back', { skip }, () => {
  /** Two instances on `redis`, with two people on the first and one on the second; all end with the test. */
  async function world(t, redis, { ready = true } = {}) {
    const servers = await Promise.all([1, 2].map(() => ChatServer.start({ redis })));
    t.after(async () => {
      people.forEach((person) => person.leave());
      servers.forEach((server) => server.assertWell());
      await Promise.all(servers.map((server) => server.stop()));
    });
    const people = [];
    if (ready) await clustered(servers);
    for (const server of [servers[0], servers[0], servers[1]]) people.push(await Chatter.join(server));
    return { servers, people };
  }
  const readiness = (servers, status) => Promise.all(servers.map((server) => server.readiness(status)));
  const cross = (people) => Promise.all(people.map((person) => barrier(person, people)));

  it('goes on for its own clients after Redis was killed, and joins the others again when it is back', async (t) => {
    let redis = await Redis.start();
    t.after(() => redis.kill());
    const { servers, people } = await world(t, redis);
    const [alice, bob, carol] = people;
    await cross(people);

    for (const round of [1, 2]) {
      await redis.kill('SIGKILL');
      await readiness(servers, 503);
      assert.deepEqual(await Promise.all(servers.map((server) => server.status('/healthz'))), [200, 200]);
      alice.says(`alone ${round}`);
      await Promise.all([alice, bob].map((person) => person.wantMessage(alice, `alone ${round}`)));
      carol.says(`alone too ${round}`);
      await carol.wantMessage(carol, `alone too ${round}`);
      const guest = await Chatter.join(servers[1]);
      await barrier(guest, [guest, carol]);
      guest.leave();

      redis = await Redis.start(redis.port);
      await readiness(servers, 200);
      // 200 is a promise: what is said from now on reaches everybody.
      await cross(people);
    }
    for (const person of people) {
      for (const speaker of people) {
        const heard = person.heardFrom(speaker);
        assert.equal(new Set(heard).size, heard.length, `${person.name} hears ${speaker.name} twice: ${heard}`);
      }
    }
    assert.deepEqual(people.map((person) => person.disconnects.length), [0, 0, 0]);
  });

  it('starts without Redis and joins when it comes', async (t) => {
    const first = await Redis.start();
    await first.kill(); // its port is free now, and nobody is there
    const { servers, people } = await world(t, first, { ready: false });
    const [alice, bob, carol] = people;
    await readiness(servers, 503);
    alice.says('early');
    await bob.wantMessage(alice, 'early');

    const redis = await Redis.start(first.port);
    t.after(() => redis.kill());
    await readiness(servers, 200);
    await cross(people);
    // What was said before may be lost to the others or come late, but not twice.
    assert.ok(carol.heardFrom(alice).length <= 1);
  });

  it('notices a Redis that no longer answers', async (t) => {
    const redis = await Redis.start();
    t.after(async () => {
      redis.process.kill('SIGCONT');
      await redis.kill();
    });
    const { servers, people } = await world(t, redis);
    redis.process.kill('SIGSTOP');
    const [alice, bob] = people;
    alice.says('while it sleeps');
    await Promise.all([alice, bob].map((person) => person.wantMessage(alice, 'while it sleeps')));
    await Promise.all(servers.map((server) => server.readiness(503)));
    redis.process.kill('SIGCONT');
    await readiness(servers, 200);
    await cross(people);
  });
});
