// Namespaces and what comes with the handshake.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { barrier, Chatter, modern, refusal } from '../world/clients.mjs';
import { Log, next } from '../world/deadline.mjs';
import { UNDER_TEST } from '../world/processes.mjs';

export function namespaces(people, servers, options) {
  const { generation, transport } = options;

  it('refuses other namespaces', async (t) => {
    const [alice] = await people(t, 1);
    for (const namespace of ['/nope', '/chat2', '/CHAT', '/chat/', '/__proto__']) {
      const complaint = await refusal(servers[0], generation, transport, namespace);
      // DIFFERENT from socket.io 4, which tells old clients `{"message":"Invalid namespace"}`: ours says what the seed does.
      const plain = !modern(generation) && UNDER_TEST !== 's4';
      assert.equal(plain ? complaint : complaint.message, 'Invalid namespace', namespace);
    }
    await barrier(alice, [alice]);
  });

  it('says nothing of the chat to those who are only on /', async (t) => {
    const [alice] = await people(t, 1);
    const stranger = new Chatter(servers[0], { ...options, namespace: '/' });
    t.after(() => stranger.leave());
    await stranger.connected();
    stranger.says('does anybody hear me?');
    // Both namespaces on one connection, so that order proves the silence on the other.
    const chat = stranger.socket.io.socket('/chat');
    const heard = new Log();
    chat.on('msgToClient', (message) => heard.add(message.text));
    await next(chat, 'connect');
    alice.says('hello');
    await heard.until((all) => all.includes('hello'), 'the hello in the chat');
    assert.equal(stranger.inbox.length, 0);
    assert.deepEqual(alice.heardFrom(stranger), []);
  });

  // socket.io 4 closes the connection when the goodbye and the new CONNECT arrive in one read.
  const skip = UNDER_TEST === 's4' && 'socket.io 4 cannot';
  it('lets a client leave the chat and come back on the same connection', { skip }, async (t) => {
    const [bob] = await people(t, 1);
    const alice = new Chatter(servers[0], options);
    t.after(() => alice.leave());
    const root = alice.socket.io.socket('/'); // keeps the connection open
    await Promise.all([alice.connected(), next(root, 'connect')]);
    await alice.wantNotices(1);
    const connection = alice.engine.id;

    for (const times of [2, 3, 4]) {
      alice.socket.disconnect();
      alice.socket.connect();
      await alice.connected(times);
      await alice.wantNotices(times);
      alice.says(`${times}`);
      await bob.wantMessage(alice, `${times}`);
    }
    await barrier(bob, [alice, bob]);
    assert.deepEqual(alice.heardFrom(alice), ['2', '3', '4'], 'once each: nobody is in the chat twice');
    assert.equal(alice.engine.id, connection, 'all on one connection');
    assert.equal(bob.notices(), 1 + 4);
  });

  it('knows the username of the query', async (t) => {
    const username = `홍 길동&=${transport}-${generation}`;
    const guest = await Chatter.join(servers[0], { ...options, namespace: `/chat?username=${encodeURIComponent(username)}` });
    t.after(() => guest.leave());
    await barrier(guest, [guest]);
    const line = await servers[0].says(new RegExp(`\\(${username}\\) is connected!`));
    assert.ok(line.includes(`${guest.id}(`), `${line} names ${guest.id}`);
  });

  it('takes the query as an option too', async (t) => {
    const username = `option-${transport}-${generation}`;
    const guest = await Chatter.join(servers[0], { ...options, query: { username, empty: '' } });
    t.after(() => guest.leave());
    await servers[0].says(new RegExp(`\\(${username}\\) is connected!`));
  });

  if (!modern(generation)) return;
  it('takes any auth', async (t) => {
    const [alice] = await people(t, 1);
    for (const auth of [{ token: 'x' }, { nested: { a: [1, null] }, '한글': '👍' }, {}, (answer) => answer({ token: 'later' })]) {
      const guest = await Chatter.join(servers[0], { ...options, auth });
      await barrier(guest, [guest, alice]);
      guest.leave();
    }
  });
}
