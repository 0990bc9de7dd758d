// What nodes of a cluster ask each other beside broadcasting: rooms, lists of sockets, disconnections. A socket.io 4.8
// node asks two of ours, then a socket.io 2.4.1 node does; the two together do not understand each other's requests.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { clustered } from '../suite/chat.mjs';
import { barrier, Chatter } from '../world/clients.mjs';
import { eventually, Log } from '../world/deadline.mjs';
import { ChatServer, OURS, Redis, RedisCluster } from '../world/processes.mjs';

const ADAPTERS = ['pubsub', 'sharded', 'sharded on a Redis Cluster', 'streams'];

/** A node of `kind` and two of the servers under test on one Redis, with somebody on each of the three. */
function cluster(kind, generation, adapter = 'pubsub') {
  const world = { people: [], servers: [] };
  before(async () => {
    const [mode, place] = adapter.split(' on a ');
    const env = { REDIS_ADAPTER: mode };
    if (place) {
      world.redis = await RedisCluster.start();
      Object.assign(env, { REDIS_CLUSTER: world.redis.addresses, REDIS_URL: `redis+cluster://${world.redis.addresses}` });
    } else world.redis = await Redis.start();
    world.servers = await Promise.all([{ kind }, { kind: OURS ? 'ours' : kind }, { kind: OURS ? 'ours' : kind }].map((options) => ChatServer.start({ redis: place ? undefined : world.redis, env, ...options })));
    [world.node] = world.servers;
    await clustered(world.servers);
    for (const server of world.servers) {
      const person = await Chatter.join(server, { generation, name: `somebody on ${server.name}`, query: { username: server.name } });
      person.heard = new Log();
      person.socket.on('whisper', (...args) => person.heard.add(args));
      world.people.push(person);
      await barrier(person, world.people);
    }
  });
  afterEach(() => world.servers.forEach((server) => server.assertWell()));
  after(async () => {
    world.people.forEach((person) => person.leave());
    await Promise.all(world.servers.map((server) => server.stop()));
    await world.redis?.kill();
  });
  /** Resolves once each member, and nobody else, hears what the node says to the room. */
  world.wantMembers = (room, members) =>
    eventually(async () => {
      const word = `${Math.random()}`;
      await world.node.ask('emitTo', room, 'whisper', word);
      await barrier(world.people[0], world.people); // the same node's later call: the whisper has passed
      return world.people.every((person) => person.heard.some(([heard]) => heard === word) === members.includes(person));
    }, `the members of ${room} to be ${members.map(({ name }) => name)}`);
  return world;
}

for (const adapter of ADAPTERS) {
  describe(`requests of a socket.io 4.8 node, ${adapter}`, () => {
    const world = cluster('s4', '4.8', adapter);
    const ask = (...question) => world.node.ask(...question);

    it('serverCount counts every node', async () => {
      assert.equal(await ask('serverCount'), 3);
    });

    it('fetchSockets finds all, with id, rooms and handshake', async () => {
      const found = await ask('fetchSockets');
      assert.deepEqual(found.map(({ id }) => id).sort(), world.people.map(({ id }) => id).sort());
      for (const person of world.people) {
        const { rooms, query } = found.find(({ id }) => id === person.id);
        assert.deepEqual(rooms, [person.id]);
        assert.equal(query.username, person.name.replace('somebody on ', ''));
      }
    });

    it('socketsJoin and socketsLeave reach sockets wherever they are', async () => {
      const [here, there, farther] = world.people;
      await ask('socketsJoin', [there.id, here.id], ['den', 'cave']);
      await world.wantMembers('den', [here, there]);
      await world.wantMembers('cave', [here, there]);
      await ask('socketsJoin', 'cave', 'attic');
      await world.wantMembers('attic', [here, there]);
      await ask('socketsLeave', there.id, ['den', 'cave']);
      await world.wantMembers('den', [here]);
      assert.deepEqual((await ask('fetchSockets', 'attic')).map(({ id }) => id).sort(), [here.id, there.id].sort());
      if (adapter === 'pubsub') assert.deepEqual((await ask('allRooms')).filter((room) => ['den', 'cave', 'attic'].includes(room)).sort(), ['attic', 'cave', 'den']);
      await ask('socketsJoin', farther.id, 'den');
      await world.wantMembers('den', [here, farther]);
    });

    it('broadcasts to rooms and around them, several arguments and binary among them', async () => {
      const [here, there, farther] = world.people;
      const args = ['text', null, { deep: [1.5, '한글', { _placeholder: true }] }];
      // The sharded adapter takes the room of a socket with an id of ours for one that is listened to.
      const room = adapter.startsWith('sharded') ? 'nook' : there.id;
      if (room === 'nook') {
        await ask('socketsJoin', there.id, room);
        await world.wantMembers(room, [there]);
      }
      await ask('emitTo', room, 'whisper', ...args);
      await ask('emitExcept', room, 'whisper', 'aside');
      await barrier(here, world.people);
      // The room's channel may be at another server of a Redis Cluster.
      await eventually(() => isDeepStrictEqual(there.heard.at(-1), args), 'the whisper');
      assert.deepEqual([here, farther].map((person) => person.heard.at(-1)), [['aside'], ['aside']]);
    });

    it('emitWithAck gathers the answers of all', async () => {
      world.people.forEach((person) => person.socket.on('roll call', (question, reply) => reply(`${person.name}, ${question}`)));
      await ask('socketsJoin', world.people.map(({ id }) => id), 'everybody');
      await world.wantMembers('everybody', world.people);
      const answers = await ask('emitWithAck', 'everybody', 'roll call', '안녕');
      assert.deepEqual(answers.sort(), world.people.map((person) => `${person.name}, 안녕`).sort());
    });

    it('serverSideEmit passes by servers that do not listen', async () => {
      await ask('serverSideEmit', 'greeting', { from: '4.8' });
      await ask('serverSideEmit', 'msgToServer', null);
      await barrier(world.people[0], world.people);
    });

    it('disconnectSockets reaches sockets wherever they are', async () => {
      for (const server of world.servers) {
        const guest = await Chatter.join(server, { reconnection: false });
        await ask('disconnectSockets', guest.id, false);
        assert.equal(await guest.disconnected(), 'io server disconnect');
        const connection = await Chatter.join(server, { reconnection: false });
        await ask('disconnectSockets', connection.id, true);
        await connection.disconnected();
        [guest, connection].forEach((person) => person.leave());
      }
      assert.deepEqual(world.people.map((person) => person.disconnects.length), [0, 0, 0]);
    });
  });
}

describe('requests of a socket.io 2.4.1 node', () => {
  const world = cluster('s2', '2.5.0');
  const ask = (...question) => world.node.ask(...question);
  // On ours ids are those of socket.io 4, which a 2.x client is not told; only the node's list has them.
  const ids = async () => ask('clients');

  it('clients lists everybody', async () => {
    const all = await ids();
    assert.equal(all.length, 3);
    assert.ok(all.includes(world.people[0].id), `${world.people[0].id} among ${all}`);
  });

  it('remoteJoin and remoteLeave reach sockets wherever they are', async () => {
    for (const id of await ids()) {
      const room = `room of ${id}`;
      await ask('remoteJoin', id, room);
      const word = `for ${id}`;
      await ask('emitTo', room, 'whisper', word);
      await Promise.any(world.people.map((person) => person.heard.until((all) => all.some(([heard]) => heard === word), word)));
      await barrier(world.people[0], world.people);
      assert.equal(world.people.filter((person) => person.heard.some(([heard]) => heard === word)).length, 1);
      await ask('remoteLeave', id, room);
      await world.wantMembers(room, []);
    }
  });

  it('remoteDisconnect reaches sockets wherever they are', async () => {
    const known = await ids();
    for (const server of world.servers) {
      const guest = await Chatter.join(server, { generation: '2.5.0', reconnection: false });
      const [id] = (await ids()).filter((one) => !known.includes(one));
      await ask('remoteDisconnect', id);
      assert.equal(await guest.disconnected(), 'io server disconnect');
      guest.leave();
    }
  });
});
