// The walk of deploy/docs/migration.md, under load: two servers of the seed behind HAProxy, which keeps sessions together by
// their cookie, are replaced one by one by ours. Nobody is cut off but by the end of a server, nobody misses anything but
// while cut off, and clients of 4.x can come as soon as the first of ours is there.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { clustered } from '../suite/chat.mjs';
import { barrier, Chatter } from '../world/clients.mjs';
import { HAProxy } from '../world/haproxy.mjs';
import { CookieJar } from '../world/jar.mjs';
import { ChatServer, OURS, Redis } from '../world/processes.mjs';

const skip = !OURS && 'this is about both kinds of servers together';
const TRANSPORTS = ['polling', 'websocket', 'default'];
const PACE_MS = 60;

describe('replacing Node servers one by one', { skip }, () => {
  let redis;
  let proxy;
  let servers = [];
  const people = [];
  const all = []; // the servers that have ever been, and the proxy

  const start = async (kind) => {
    const server = await ChatServer.start({ kind, redis });
    all.push(server);
    return server;
  };
  const join = async (generation) => {
    const newcomers = TRANSPORTS.map((transport) => new Talker(proxy, generation, transport));
    people.push(...newcomers);
    await Promise.all(newcomers.map((person) => person.connected()));
    await Promise.all(people.map((person) => barrier(person, people)));
    newcomers.forEach((person) => person.talk());
  };
  /** Everybody has said and heard something since. */
  const goesOn = async () => {
    const starts = people.map((person) => person.said);
    await Promise.all(people.map((person) => person.connected(person.disconnects.length + 1)));
    await Promise.all(people.map((person, i) => person.inbox.until(() => person.said >= starts[i] + 10, `${person.name} to go on talking`)));
    await Promise.all(people.map((person) => barrier(person, people)));
  };
  /** How often each has lost its connection so far. */
  const losses = () => people.map((person) => person.disconnects.length);
  const serve = async (list) => {
    servers = list;
    await proxy.reload(servers);
    await goesOn();
  };
  const end = async (server) => {
    const before = losses();
    await server.kill('SIGTERM');
    await goesOn();
    // Those that were on it have lost their connection at most once.
    assert.ok(losses().every((n, i) => n <= before[i] + 1), `${before} before, ${losses()} now`);
  };

  before(async () => {
    redis = await Redis.start();
    servers = [await start('nest'), await start('nest')];
    await clustered(servers);
    proxy = await HAProxy.before(servers, { affinity: 'io' });
    all.push(proxy);
    await join('1.4.5');
    await join('2.5.0');
  });
  after(async () => {
    people.forEach((person) => person.leave());
    await proxy?.kill();
    await Promise.all(all.map((server) => server.kill()));
    await redis?.kill();
  });

  it('one of ours joins: nobody is cut off, and clients of 4.x can come', async () => {
    const first = await start('ours');
    await first.readiness(200);
    await serve([...servers, first]);
    await join('4.8');
    await goesOn();
    assert.deepEqual(losses(), people.map(() => 0));
  });

  it('the first Node server goes: its clients are back at once', async () => {
    const [gone, ...others] = servers;
    await serve(others);
    await end(gone);
    assert.ok(losses().some((n) => n > 0), 'somebody was on it');
  });

  it('a second of ours takes the place of the other one', async () => {
    const second = await start('ours');
    await second.readiness(200);
    const [gone, first] = servers;
    await serve([gone, first, second]);
    await serve([first, second]);
    await end(gone);
    assert.deepEqual(losses().slice(-TRANSPORTS.length), [0, 0, 0], 'those of 4.x have been on ours all the time');
  });

  it('and back again: a Node server takes the place of one of ours', async () => {
    const node = await start('nest');
    const [gone, first] = servers;
    await clustered([node, first]);
    await serve([node, gone, first]);
    await serve([node, first]);
    await end(gone);
  });

  it('nobody has missed anything but while cut off, or heard it twice, or in another order', async () => {
    people.forEach((person) => person.stop());
    await Promise.all(people.map((person) => barrier(person, people)));
    for (const server of all.filter((server) => !server.ended)) server.assertWell();
    for (const listener of people) for (const speaker of people) listener.check(speaker);
  });
});

/**
 * A client that talks all the time. It numbers what it says, and says whether it has been connected without a break since the
 * message before: only what was on its way when it lost the connection may be lost.
 */
class Talker extends Chatter {
  said = 0;
  #breaks = []; // numbers of the first messages after a loss of the connection, or after it came back
  #lastState = '';

  constructor(server, generation, transport) {
    super(server, { name: `${generation} on ${transport}`, generation, transport, ...(generation[0] < 3 && transport !== 'websocket' && { agent: new CookieJar() }) });
    this.epochs = []; // for each message in the inbox, the connection it came on
    this.socket.on('msgToClient', () => this.epochs.push(this.connects.length));
  }

  talk() {
    this.timer = setInterval(() => {
      const state = `${this.connects.length} ${this.disconnects.length}`;
      if (state !== this.#lastState) this.#breaks.push(this.said);
      this.#lastState = state;
      this.says(`${this.said++}`);
    }, PACE_MS);
  }

  stop() {
    clearInterval(this.timer);
  }

  leave() {
    this.stop();
    super.leave();
  }

  /**
   * What was heard of the speaker, on each connection: without gaps but those that the speaker's own breaks explain, and in
   * the order of each of the speaker's connections: the last words on one may be on their way when the first on the next,
   * to another server, are heard already.
   */
  check(speaker) {
    const heard = [];
    this.inbox.forEach(([message], i) => message?.name === speaker.name && heard.push([Number(message.text), this.epochs[i]]));
    assert.ok(heard.length > 0, `${this.name} hears ${speaker.name}`);
    assert.equal(new Set(heard.map(([number]) => number)).size, heard.length, `${this.name} hears ${speaker.name} once: ${heard.join(' ')}`);
    let last = heard[0][0];
    for (const [i, [number, epoch]] of heard.entries()) {
      if (i === 0) continue;
      const where = `${this.name} hears ${speaker.name} say ${number} after ${last}; around it ${heard.slice(Math.max(i - 20, 0), i + 20).join(' ')}, breaks at ${speaker.#breaks}`;
      if (number < last) assert.ok(speaker.#breaks.some((first) => number < first && first <= last), `in order: ${where}`);
      if (number > last + 1 && epoch === heard[i - 1][1]) assert.ok(speaker.#breaks.includes(number), `on one connection, without a gap: ${where}`);
      last = Math.max(last, number);
    }
    assert.equal(last, speaker.said - 1, `${this.name} hears the last of ${speaker.name}`);
  }
}
