// Connections that break, servers that restart, messages that are too long.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { barrier, Chatter } from '../world/clients.mjs';
import { ChatServer, OURS, UNDER_TEST } from '../world/processes.mjs';
import { Proxy } from '../world/proxy.mjs';

export function cuts(people, servers, options) {
  it('goes on after the cable was cut, with what was said meanwhile', async (t) => {
    const [bob] = await people(t, 1);
    const proxy = await Proxy.before(servers[0]);
    t.after(() => proxy.close());
    const alice = await Chatter.join(proxy, options);
    t.after(() => alice.leave());

    for (const round of [1, 2]) {
      proxy.unplug();
      await alice.disconnected(round);
      alice.says(`while away ${round}`); // the client keeps it and sends it when it is back
      proxy.mend();
      await alice.connected(round + 1);
      await alice.wantNotices(round + 1);
      alice.says(`back ${round}`);
      await Promise.all([alice, bob].map((person) => person.wantMessage(alice, `back ${round}`)));
    }
    await barrier(bob, [alice, bob]);
    assert.deepEqual(bob.heardFrom(alice), ['while away 1', 'back 1', 'while away 2', 'back 2']);
    assert.deepEqual(alice.heardFrom(alice), bob.heardFrom(alice));
  });

  it('is found again by its clients after a restart', async (t) => {
    const first = await ChatServer.start();
    t.after(() => first.kill());
    const [alice, bob] = await Promise.all([Chatter.join(first, options), Chatter.join(first, options)]);
    t.after(() => [alice, bob].forEach((person) => person.leave()));
    alice.says('before');
    await bob.wantMessage(alice, 'before');

    const end = await first.stop();
    if (OURS) assert.deepEqual(end, { code: 0, signal: null }, first.tail());
    await Promise.all([alice, bob].map((person) => person.disconnected()));
    const second = await ChatServer.start({ port: first.port });
    t.after(() => second.kill());
    await Promise.all([alice, bob].map((person) => person.connected(2)));
    await barrier(alice, [alice, bob]);
    await barrier(bob, [alice, bob]);
    second.assertWell();
  });

  const skip = ['s2', 'nest'].includes(UNDER_TEST) && 'the limit of engine.io 3 is 100 MB';
  it('closes only the connection that sends more than the limit', { skip }, async (t) => {
    const [alice, bob] = await people(t, 2);
    // A client without reconnection, so that what happens to it happens once.
    const mallory = await Chatter.join(servers[0], { ...options, reconnection: false });
    t.after(() => mallory.leave());
    if (options.transport === 'default') await mallory.upgraded();
    alice.says('before');
    mallory.says('x'.repeat(1_000_001));
    await mallory.disconnected();
    alice.says('after');
    bob.says('still here');
    await Promise.all([alice, bob].flatMap((person) => [person.wantMessage(alice, 'after'), person.wantMessage(bob, 'still here')]));
    assert.deepEqual(bob.heardFrom(mallory), []);
    assert.deepEqual([alice, bob].map((person) => person.disconnects.length), [0, 0]);
  });
}
