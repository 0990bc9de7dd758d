// CHAT_STRICT: what a ValidationPipe does in a NestJS gateway, with clients of three generations.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { barrier, Chatter } from '../world/clients.mjs';
import { next } from '../world/deadline.mjs';
import { ChatServer, OURS } from '../world/processes.mjs';

describe('strict messages', { skip: !OURS && 'a setting of our server' }, () => {
  let server;
  before(async () => (server = await ChatServer.start({ env: { CHAT_STRICT: 'true', CHAT_NAME_LENGTH: '20', CHAT_TEXT_LENGTH: '50' } })));
  after(async () => {
    server.assertWell();
    await server.stop();
  });

  const [name, text] = ['name must be a string', 'text must be a string'];
  const REFUSED = [
    [[{ name: 'kim' }], text],
    [[{ text: 'x' }], name],
    [[{ name: 5, text: ['x'] }], `${name}, ${text}`],
    [[{ name: 'kim', text: Buffer.from('x') }], text],
    [[{ name: 'k'.repeat(21), text: 'x' }], 'name must be shorter than or equal to 20 characters'],
    [[{ name: 'kim', text: '👍'.repeat(51) }], 'text must be shorter than or equal to 50 characters'],
    [['text'], `${name}, ${text}`],
    [[null], `${name}, ${text}`],
    [[], `${name}, ${text}`],
    [[{ name: 'kim', text: 'x' }, { name: 'kim', text: 'y' }], `${name}, ${text}`],
  ];

  for (const generation of ['1.4.5', '2.5.0', '4.8']) {
    it(`client ${generation} is told what is wrong with a message`, async (t) => {
      const [alice, bob] = await Promise.all([1, 2].map(() => new Chatter(server, { generation }).connected()));
      t.after(() => [alice, bob].forEach((person) => person.leave()));
      await Promise.all([alice, bob].map((person) => barrier(person, [alice, bob])));
      const start = bob.inbox.length;
      for (const [args, message] of REFUSED) {
        const heard = next(alice.socket, 'exception', 'an exception');
        const acknowledged = new Promise((resolve) => alice.socket.emit('msgToServer', ...args, resolve));
        assert.deepEqual(await heard, { status: 'error', message }, JSON.stringify(args));
        assert.deepEqual(await acknowledged, { status: 'error', message });
      }
      const again = next(alice.socket, 'exception', 'an exception');
      alice.emit('without an acknowledgement');
      assert.equal((await again).status, 'error');

      const good = { text: '👍'.repeat(50), more: [1, { name: 5 }], name: '안'.repeat(generation.startsWith('1.') ? 1 : 20) };
      alice.emit(good);
      await barrier(alice, [alice, bob]);
      const got = bob.payloadsSince(start).map(([payload]) => payload);
      assert.equal(JSON.stringify(got.slice(0, -1)), JSON.stringify([good]), 'bob gets what is right, as it was, and nothing else');
    });
  }
});
