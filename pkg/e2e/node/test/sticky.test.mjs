// Sticky sessions, the way Node servers of 2.x need them: by the session's cookie behind HAProxy, by the client's address
// behind nginx. One of ours stands beside socket.io 2.4.1 then, while one server after the other is replaced. Requests
// that reach the wrong server fail there, since ours passes nothing on (CLUSTER_ADDR=off).
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { clustered } from '../suite/chat.mjs';
import { barrier, Chatter } from '../world/clients.mjs';
import { HAProxy } from '../world/haproxy.mjs';
import { CookieJar } from '../world/jar.mjs';
import { Nginx } from '../world/nginx.mjs';
import { ChatServer, OURS, Redis } from '../world/processes.mjs';
import { request } from '../world/wire.mjs';

const skip = !OURS && 'this is about both kinds of servers together';
const GENERATIONS = ['1.4.5', '1.7.4', '2.5.0'];
const KINDS = [{}, { kind: 's2' }, {}];

const BALANCERS = {
  'HAProxy, cookie io prefix': {
    before: (servers) => HAProxy.before(servers, { affinity: 'io' }),
    options: () => ({ agent: new CookieJar() }),
  },
  'nginx, ip_hash': {
    before: (servers) => Nginx.before(servers),
    options: (n) => ({ extraHeaders: { 'X-Forwarded-For': `10.0.${n}.1` } }),
  },
};

for (const [title, balanced] of Object.entries(BALANCERS)) describe(`sticky sessions: ${title}`, { skip }, () => {
  let redis;
  let balancer;
  const servers = [];
  const people = [];

  before(async () => {
    redis = await Redis.start();
    for (const kind of KINDS) servers.push(await ChatServer.start({ redis, env: { CLUSTER_ADDR: 'off' }, ...kind }));
    await clustered(servers);
    balancer = await balanced.before(servers);
    let n = 0;
    for (const generation of GENERATIONS) {
      for (const transport of ['polling', 'default', 'polling', 'default', 'polling']) {
        const options = { generation, transport, ...balanced.options(n) };
        people.push(new Chatter(balancer, { name: `${n++} ${generation} ${transport}`, ...options }));
      }
    }
  });
  afterEach(() => [...servers, balancer].forEach((program) => program.assertWell()));
  after(async () => {
    people.forEach((person) => person.leave());
    await balancer?.kill();
    await Promise.all(servers.map((server) => server.kill()));
    await redis?.kill();
  });

  it('every session stays where it began', async () => {
    await Promise.all(people.map((person) => person.connected()));
    await Promise.all(people.filter((person) => person.name.endsWith('default')).map((person) => person.upgraded()));
    const texts = Array.from({ length: 30 }, (_, i) => `line ${i}`);
    for (const text of texts) people.forEach((person) => person.says(text));
    await Promise.all(people.map((person) => barrier(person, people)));
    for (const person of people) {
      for (const other of people) assert.deepEqual(person.heardFrom(other), texts, `${person.name} hears ${other.name}`);
    }
    assert.deepEqual(people.map((person) => [person.name, person.connects.length, person.disconnects.length]), people.map((person) => [person.name, 1, 0]));
  });

  it('there were sessions on every server, and each on one', async () => {
    // Which shows that the sessions above met one server only: no server would have helped out.
    const owners = new Set();
    for (const person of people.filter(({ name }) => name.endsWith('polling'))) {
      const path = `/socket.io/?EIO=3&transport=polling&sid=${person.engine.id}`;
      const noop = { method: 'POST', path, body: '1:6', headers: { 'content-type': 'text/plain' } };
      const answers = await Promise.all(servers.map((server) => request(server, noop)));
      assert.equal(answers.filter(({ status, body }) => status === 400 && /"code":1/.test(body)).length, servers.length - 1, JSON.stringify(answers));
      owners.add(answers.findIndex(({ status }) => status === 200));
    }
    assert.deepEqual([...owners].sort(), servers.map((_, i) => i));
  });
});
