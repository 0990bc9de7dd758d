// Admission to the chat when tokens are asked for, with clients of three generations.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Chatter, GENERATIONS, modern, TRANSPORTS } from '../world/clients.mjs';
import { next } from '../world/deadline.mjs';
import { ChatServer, OURS } from '../world/processes.mjs';
import { byKey, byNobody, bySecret, claims } from '../world/tokens.mjs';
import { RawWebSocket } from '../world/wire.mjs';

const SECRET = 'this is a secret of more than 32 bytes';

/** The ways in which a client of a generation can show a token. */
const WAYS = {
  '1.4.5': { 'query of the connection': (token) => ({ query: `token=${token}` }) },
  '2.5.0': { 'query of connection and namespace': (token) => ({ query: { token } }) },
  '4.8': {
    'auth object': (token) => ({ auth: { token } }),
    'query of the connection': (token) => ({ query: { token } }),
    'Authorization header': (token) => ({ extraHeaders: { authorization: `Bearer ${token}` } }),
  },
};
const rows = Object.entries(WAYS).flatMap(([generation, ways]) => Object.entries(ways).map(([way, options]) => [generation, way, options]));

describe('authentication', { skip: !OURS && 'a setting of our server' }, () => {
  let server;
  before(async () => (server = await ChatServer.start({ env: { AUTH_JWT_SECRET: SECRET, LOG_LEVEL: 'debug' } })));
  after(async () => {
    server.assertWell();
    const leak = server.lines.find((line) => line.includes('eyJ') || line.includes(SECRET));
    assert.equal(leak, undefined, 'no token and no secret in the log');
    await server.stop();
  });

  /** Somebody who tries to come in; resolves with what is said to those who may not. */
  const refusal = async (generation, options, on = server) => {
    const stranger = new Chatter(on, { generation, ...options });
    const complaint = await next(stranger.socket, modern(generation) ? 'connect_error' : 'error', 'a refusal');
    stranger.leave();
    assert.equal(stranger.inbox.length, 0, 'heard nothing');
    return modern(generation) ? complaint : { message: complaint };
  };

  for (const [generation, way, options] of rows) {
    describe(`client ${generation}, ${way}`, () => {
      it('lets in who has a token, and puts the name of the token into messages', async (t) => {
        for (const transport of Object.keys(TRANSPORTS)) {
          const kim = await Chatter.join(server, { generation, transport, ...options(bySecret(SECRET, claims('Kim'))) });
          t.after(() => kim.leave());
          const text = `${Math.random()}`;
          kim.emit({ text, z: 1, name: 'admin', a: { name: 'mine' } });
          const [message] = await kim.wants((m) => m?.text === text, 'the message');
          assert.equal(JSON.stringify(message), JSON.stringify({ text, z: 1, name: 'Kim', a: { name: 'mine' } }));
          kim.emit({ text: `${text} without a name` });
          const [other] = await kim.wants((m) => m?.text === `${text} without a name`, 'the message');
          assert.deepEqual(other, { name: 'Kim', text: `${text} without a name` });
          kim.leave();
        }
      });

      it('refuses everybody else and tells why', async () => {
        for (const [token, message, code] of [
          [bySecret('another secret', claims('Kim')), /signature is wrong/, 'token_signature'],
          [bySecret(SECRET, claims('Kim', -10)), /has expired/, 'token_expired'],
          [byNobody(claims('Kim')), /algorithm that is not accepted/, 'token_algorithm'],
          [bySecret(SECRET, { sub: 'Kim' }), /no claim with the user's name/, 'token_name'],
          ['nonsense', /not a JSON Web Token/, 'token_malformed'],
        ]) {
          const complaint = await refusal(generation, options(token));
          assert.match(complaint.message, message);
          assert.ok(!complaint.message.includes(token));
          if (modern(generation)) assert.deepEqual(complaint.data, { code });
        }
      });
    });
  }

  for (const generation of Object.keys(WAYS)) {
    it(`client ${generation} without a token is told what is missing`, async () => {
      assert.match((await refusal(generation, {})).message, /authentication is required/);
    });
  }

  it('disconnects clients when their token expires, and tells them so', async () => {
    await Promise.all(Object.entries(WAYS).map(async ([generation, ways]) => {
      const [options] = Object.values(ways);
      const kim = await Chatter.join(server, { generation, ...options(bySecret(SECRET, claims('Kim', 10))) });
      const exception = await next(kim.socket, 'exception', `${generation} to hear of the end`);
      assert.deepEqual(exception, { status: 'error', message: 'the token has expired: get a new one', code: 'token_expired' });
      assert.equal(await kim.disconnected(), 'io server disconnect', generation);
      kim.leave();
    }));
  });

  it('lets those stay who send a fresh token in time', async () => {
    await Promise.all(GENERATIONS.map(async (generation) => {
      const options = modern(generation) ? (token) => ({ auth: { token } }) : (token) => ({ query: { token } });
      const kim = new Chatter(server, { generation, ...options(bySecret(SECRET, claims('Kim', 10))) });
      const { expires, seconds } = await next(kim.socket, 'auth:expiring', `${generation} to hear that the token ends soon`);
      assert.ok(seconds <= 10 && expires * 1000 > Date.now() - 1000, `${expires} ${seconds}`);
      const fresh = bySecret(SECRET, claims('Kim', 60));
      const answer = await new Promise((resolve) => kim.socket.emit('auth:refresh', { token: fresh }, resolve));
      assert.equal(answer.ok, true, JSON.stringify(answer));
      assert.ok(answer.expires > expires);
      await new Promise((resolve) => setTimeout(resolve, expires * 1000 - Date.now() + 500)); // the old one has ended
      kim.says(`still here, ${generation}`);
      await kim.wants((m) => m?.text === `still here, ${generation}`, 'its own message');
      const other = await new Promise((resolve) => kim.socket.emit('auth:refresh', bySecret(SECRET, claims('Lee', 60)), resolve));
      assert.equal(other.code, 'token_subject');
      assert.deepEqual([kim.connects.length, kim.disconnects.length], [1, 0], generation);
      kim.leave();
    }));
  });

  it('refuses messages that cannot hold a name', async () => {
    const kim = await Chatter.join(server, { auth: { token: bySecret(SECRET, claims('Kim')) } });
    for (const payload of ['text', 5, null, [{ name: 'admin', text: 'x' }], Buffer.from('x')]) {
      const heard = next(kim.socket, 'exception', 'an exception');
      const answer = await new Promise((resolve) => kim.socket.emit('msgToServer', payload, resolve));
      assert.deepEqual(answer, { status: 'error', message: "a message must be an object that can hold its sender's name" });
      assert.deepEqual(await heard, answer);
    }
    assert.deepEqual(kim.payloadsSince(0), []);
    kim.leave();
  });

  it('answers protocol 3 with a text and protocol 4 with an object', async () => {
    for (const [EIO, connect, pattern] of [
      [3, '40/chat?token=x,', /^44\/chat,"the token is not a JSON Web Token/],
      [4, '40/chat,{"token":"x"}', /^44\/chat,\{.*"message":"the token is not a JSON Web Token/],
      [4, '40/chat,{"token":{}}', /^44\/chat,\{.*"code":"token_malformed"/],
    ]) {
      const ws = await RawWebSocket.open(server, { EIO });
      ws.say(connect);
      assert.match(await ws.want(/^44/), pattern);
      ws.say('42/chat,["msgToServer",{"text":"let me in"}]'); // not in the namespace
      ws.destroy();
    }
  });

  it('checks every CONNECT, whatever was good before on the connection', async () => {
    const ws = await RawWebSocket.open(server, { EIO: 4, token: 'nonsense' });
    ws.say(`40/chat,{"token":"${bySecret(SECRET, claims('Kim'))}"}`);
    await ws.want(/^40\/chat,/);
    ws.say('41/chat,');
    ws.say('40/chat,{}');
    assert.match(await ws.want(/^44/), /token_malformed/);
    ws.destroy();
  });

  it('keys may come from a set, which names them', async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'chat-e2e-keys-'));
    t.after(() => rmSync(dir, { recursive: true, force: true }));
    const file = join(dir, 'keys.json');
    const [mine, others] = [generateKeyPairSync('ed25519'), generateKeyPairSync('ed25519')];
    writeFileSync(file, JSON.stringify({ keys: [{ ...mine.publicKey.export({ format: 'jwk' }), kid: 'mine', alg: 'EdDSA', use: 'sig' }] }));
    const keyed = await ChatServer.start({ env: { AUTH_JWT_JWKS: file, AUTH_JWT_ISSUER: 'https://id.example/', AUTH_JWT_AUDIENCE: 'chat,other', AUTH_JWT_NAME_CLAIM: 'nick' } });
    t.after(() => keyed.stop());
    const good = { ...claims('x'), nick: 'Kim', iss: 'https://id.example/', aud: 'chat' };
    const kim = await Chatter.join(keyed, { auth: { token: byKey(mine.privateKey, 'mine', good) } });
    kim.leave();
    for (const [token, code] of [
      [byKey(others.privateKey, 'mine', good), 'token_signature'],
      [byKey(mine.privateKey, 'theirs', good), 'token_key_unknown'],
      [byKey(mine.privateKey, 'mine', { ...good, iss: 'https://evil.example/' }), 'token_issuer'],
      [byKey(mine.privateKey, 'mine', { ...good, aud: 'shop' }), 'token_audience'],
      [bySecret(mine.publicKey.export({ format: 'pem', type: 'spki' }), good, { kid: 'mine' }), 'token_algorithm'],
    ]) {
      assert.deepEqual((await refusal('4.8', { auth: { token } }, keyed)).data, { code });
    }
  });
});
