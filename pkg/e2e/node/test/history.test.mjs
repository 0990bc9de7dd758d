// The chat's own protocol (pkg/chat/PROTOCOL.md) over two instances of ours with a Node neighbour on one Redis, which is killed and comes back: what
// was said is in the history once, in one order, for all that ask; people are known on both instances.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { clustered } from '../suite/chat.mjs';
import { barrier, Chatter } from '../world/clients.mjs';
import { eventually, within } from '../world/deadline.mjs';
import { ChatServer, OURS, Redis } from '../world/processes.mjs';

const skip = !OURS && 'Node servers have none of it';

/** The acknowledgement of an event, by clients of every generation. */
const ask = (person, event, argument = {}) =>
  within(new Promise((resolve) => person.socket.emit(event, argument, resolve)), `the answer to ${event} for ${person.name}`);
/** What was said, but for the calls by which tests wait for each other. */
const texts = ({ messages }) => messages.map(({ payload }) => payload.text).filter((text) => !text.startsWith('0.') && text !== 'anybody there?');
const until = (person, wanted) =>
  eventually(async () => {
    const answer = await ask(person, 'history', { limit: 200 });
    // What the Node neighbour said in the last seconds, a recorder may know still, and keep again.
    const read = texts(answer).filter((text) => !text.startsWith('Carol'));
    return !answer.partial && JSON.stringify(read) === JSON.stringify(wanted);
  }, `${person.name} to read ${wanted}`);

describe('history and presence over instances', { skip }, () => {
  let redis, servers, node, alice, bob, carol;
  const people = () => [alice, bob, carol];

  before(async () => {
    redis = await Redis.start();
    const env = { CHAT_HISTORY: '200' };
    [node, ...servers] = await Promise.all([ChatServer.start({ kind: 's2', redis }), ...[1, 2].map(() => ChatServer.start({ redis, env }))]);
    await clustered([node, ...servers]);
    alice = await Chatter.join(servers[0], { name: 'Alice', generation: '4.8' });
    bob = await Chatter.join(servers[1], { name: 'Bob', generation: '2.5.0' });
    carol = await Chatter.join(node, { name: 'Carol', generation: '2.5.0' });
    for (const person of people()) await barrier(person, people());
  });
  after(async () => {
    people().forEach((person) => person?.leave());
    await Promise.all([node, ...servers].map((server) => server?.stop()));
    await redis?.kill();
  });

  it('keeps what was said anywhere, once, in an order that all agree on', async () => {
    const said = [];
    for (let i = 0; i < 30; i++) {
      const speaker = people()[i % 3];
      said.push(`${speaker.name} ${i}`);
      speaker.says(said.at(-1));
      await Promise.all(people().map((person) => person.wantMessage(speaker, said.at(-1))));
    }
    // A recorder keeps what Node's server says, when there is one.
    await eventually(async () => texts(await ask(alice, 'history', { limit: 200 })).length === said.length, 'all to be kept');
    const [a, b] = await Promise.all([alice, bob].map((person) => ask(person, 'history', { limit: 200 })));
    assert.deepEqual(a.messages, b.messages);
    assert.deepEqual(texts(a).sort(), [...said].sort());
    for (const { name } of people()) assert.deepEqual(texts(a).filter((text) => text.startsWith(name)), said.filter((text) => text.startsWith(name)));
    const middle = a.messages[10].id;
    assert.deepEqual((await ask(bob, 'history', { after: middle, limit: 200 })).messages, a.messages.slice(11));
  });

  it('relays once what is sent again on another instance', async () => {
    const message = { payload: { name: 'Alice', text: 'again' }, id: 'alice-1' };
    const first = await ask(alice, 'send', message);
    const second = await ask(bob, 'send', message);
    assert.equal(first.kept, true);
    assert.deepEqual(second, { ...first, duplicate: true });
    await barrier(alice, people());
    await barrier(bob, people());
    for (const person of people()) assert.equal(person.heardFrom(alice).filter((text) => text === 'again').length, 1);
  });

  it('knows the people of both instances, and those of one that is killed no more', async () => {
    const extra = await ChatServer.start({ redis, env: { CHAT_HISTORY: '200' } });
    const dave = await Chatter.join(extra, { name: 'Dave', query: { username: 'Dave' }, reconnection: false });
    const names = async (person) => (await ask(person, 'presence')).people.map(({ name }) => name);
    await eventually(async () => (await names(alice)).includes('Dave') && (await names(bob)).includes('Dave'), 'Dave to be known');
    await extra.kill('SIGKILL');
    dave.leave();
    await eventually(async () => !(await names(alice)).includes('Dave') && !(await names(bob)).includes('Dave'), 'Dave to be gone');
  });

  it('answers what is known while Redis is away, and keeps what is said meanwhile', async () => {
    const before = texts(await ask(alice, 'history', { limit: 200 }));
    await redis.kill('SIGKILL');
    const sent = await ask(alice, 'send', { payload: { name: 'Alice', text: 'alone' } });
    assert.deepEqual([sent.kept, sent.id], [false, null]);
    const known = await ask(alice, 'history', { limit: 200 });
    assert.equal(known.partial, true);
    assert.ok(texts(known).length > 0);
    redis = await Redis.start(redis.port);
    await Promise.all(servers.map((server) => server.readiness(200)));
    // This Redis kept nothing: what was said while it was away is all there is.
    assert.ok(before.length > 0);
    await until(bob, ['alone']);
    assert.equal((await ask(bob, 'send', { payload: { name: 'Bob', text: 'together' } })).kept, true);
    await until(alice, ['alone', 'together']);
  });
});
