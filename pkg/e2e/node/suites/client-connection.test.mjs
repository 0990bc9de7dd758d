// How the JavaScript client connects, and connects again. The subjects are those of the client's own suite.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { next, within } from '../world/deadline.mjs';
import { ask, aWhile, count, hear, io, join, joined, managed, nowhere, silence, URL } from './javascript.mjs';

describe('connecting', () => {
  it('connects, and exchanges events', async (t) => {
    const socket = join(t);
    socket.emit('hi');
    await next(socket, 'hi');
  });

  it('waits with autoConnect: false', async (t) => {
    const socket = join(t, '/', { autoConnect: false });
    assert.equal(socket.io.engine, undefined);
  });

  it('shares one connection among namespaces', async (t) => {
    const first = io(`${URL}/foo`, { query: { shared: 'yes' } });
    const second = io(`${URL}/asd`, { query: { shared: 'yes' } });
    t.after(() => (first.disconnect(), second.disconnect()));
    await Promise.all([next(first, 'connect'), next(second, 'connect')]);
    assert.equal(first.io, second.io);
    assert.notEqual(first.id, second.id);
  });

  it('makes connections of their own for one namespace twice, other queries, and other paths', (t) => {
    for (const [a, b] of [[['/'], ['/']], [['/?woot'], ['/']], [['/', { path: '/foo' }], ['/', { path: '/bar' }]]]) {
      const [first, second] = [a, b].map(([namespace, options]) => io(URL + namespace, { ...options, autoConnect: false }));
      assert.notEqual(first.io, second.io);
      first.disconnect();
      second.disconnect();
    }
  });

  it('joins a namespace on a connection that is there', async (t) => {
    const manager = managed(t);
    await next(manager.socket('/'), 'connect');
    await next(manager.socket('/foo'), 'connect');
  });

  it('joins a namespace after its connection was closed', async (t) => {
    const manager = managed(t);
    const first = manager.socket('/');
    await next(first, 'connect');
    const gone = next(first, 'disconnect');
    first.disconnect();
    await gone;
    await next(manager.socket('/foo'), 'connect');
  });

  it('joins one namespace while it leaves another', async (t) => {
    const manager = managed(t);
    const first = manager.socket('/foo');
    await next(first, 'connect');
    const second = manager.socket('/asd');
    first.disconnect();
    await next(second, 'connect');
  });

  it('keeps the connection when one of its namespaces is left, and closes it with the last', async (t) => {
    const manager = managed(t);
    const [first, second] = ['/foo', '/asd'].map((name) => manager.socket(name));
    await Promise.all([next(first, 'connect'), next(second, 'connect')]);
    const lost = count(second, 'disconnect');
    first.disconnect();
    await aWhile(t);
    assert.equal(lost.n, 0);
    const closed = next(manager, 'close');
    second.disconnect();
    await closed;
  });

  it('complains of a server that speaks protocol 4 of Socket.IO', (t) => {
    const socket = join(t, '/', { autoConnect: false });
    const refused = count(socket, 'connect_error');
    socket.onpacket({ nsp: '/', type: 0 }); // CONNECT without a session id, as a 2.x server sends it
    assert.equal(refused.n, 1);
  });

  it('opens a socket again that was closed', async (t) => {
    const manager = managed(t);
    const socket = manager.socket('/');
    await next(socket, 'connect');
    socket.disconnect();
    const again = manager.socket('/');
    assert.equal(again, socket);
    assert.ok(again.active);
    await next(again, 'connect');
  });

  it('sends one CONNECT for a socket that is asked for twice, and for each namespace', async (t) => {
    const manager = managed(t);
    const sent = [];
    manager.engine.on('packetCreate', ({ type, data }) => type === 'message' && sent.push(data));
    await next(manager, 'open');
    const [socket, same, foo] = [manager.socket('/'), manager.socket('/'), manager.socket('/foo')];
    assert.equal(socket, same);
    await next(foo, 'connect');
    socket.disconnect();
    foo.disconnect();
    assert.deepEqual(sent, ['0', '0/foo,', '1', '1/foo,']);
  });
});

describe('connecting again', () => {
  it('does so by itself when the connection breaks', async (t) => {
    const socket = await joined(t);
    const again = next(socket.io, 'reconnect');
    socket.io.engine.close();
    await again;
  });

  it('does so when told, and by itself after that', async (t) => {
    const socket = await joined(t);
    socket.disconnect();
    const connected = next(socket, 'connect');
    socket.connect();
    await connected;
    const again = next(socket.io, 'reconnect');
    socket.io.engine.close();
    await again;
  });

  it('begins anew after it has given up', async (t) => {
    const manager = managed(t, { timeout: 0, reconnectionAttempts: 2 }, await silence(t));
    const socket = manager.socket('/timeout');
    await next(manager, 'reconnect_failed');
    const attempts = count(manager, 'reconnect_attempt');
    const failed = next(manager, 'reconnect_failed');
    socket.connect();
    await failed;
    assert.equal(attempts.n, 2);
  });

  it('waits longer each time', async (t) => {
    const manager = managed(t, { timeout: 0, reconnectionAttempts: 3, reconnectionDelay: 40, reconnectionDelayMax: 5000, randomizationFactor: 0 }, await silence(t));
    const at = [];
    let failed = 0;
    manager.on('error', () => (failed = performance.now()));
    manager.on('reconnect_attempt', () => at.push(performance.now() - failed));
    manager.socket('/timeout');
    await next(manager, 'reconnect_failed');
    assert.equal(at.length, 3);
    // A timer may be late, not early.
    [40, 80, 160].forEach((least, attempt) => assert.ok(at[attempt] >= least - 2, `attempt ${attempt} after ${at[attempt]} ms`));
  });

  it('is not done for a socket that was closed before, or while it waits', async (t) => {
    for (const event of ['error', 'reconnect_attempt']) {
      const socket = join(t, '/invalid', { url: await silence(t), timeout: 0 });
      await next(socket.io, event);
      socket.disconnect();
      const attempts = count(socket.io, 'reconnect_attempt');
      await aWhile(t);
      assert.equal(attempts.n, 0, event);
    }
  });

  it('is done again for a socket that is told to connect after it was closed', async (t) => {
    const socket = join(t, '/invalid', { url: await silence(t), timeout: 0 });
    await next(socket.io, 'reconnect_attempt');
    const again = next(socket.io, 'reconnect_attempt');
    socket.disconnect();
    socket.connect();
    await again;
  });

  it('goes on for one socket when another of the connection is closed', async (t) => {
    const manager = managed(t);
    const [first, second] = ['/', '/asd'].map((name) => manager.socket(name));
    await Promise.all([next(first, 'connect'), next(second, 'connect')]);
    const wrong = count(first, 'connect');
    const attempt = next(manager, 'reconnect_attempt');
    const back = next(second, 'connect');
    manager.engine.close();
    await attempt;
    first.disconnect();
    await back;
    await aWhile(t);
    assert.equal(wrong.n, 0);
  });

  it('counts its attempts and gives up, with a time-out of nothing', async (t) => {
    const manager = managed(t, { timeout: 0, reconnectionAttempts: 2 }, await silence(t));
    const numbers = [];
    manager.on('reconnect_attempt', (number) => numbers.push(number));
    manager.socket('/timeout_socket');
    await next(manager, 'reconnect_failed');
    assert.deepEqual(numbers, [1, 2]);
  });

  it('counts its attempts and gives up, where nobody listens', async (t) => {
    const manager = managed(t, { reconnectionAttempts: 2 }, await nowhere());
    const attempts = count(manager, 'reconnect_attempt');
    manager.socket('/asd');
    const failed = next(manager, 'reconnect_failed');
    await next(manager, 'error');
    manager.socket('/another'); // one more socket changes nothing
    await failed;
    assert.equal(attempts.n, 2);
  });

  it('is not needed where a server answers in time', async (t) => {
    const manager = managed(t);
    const attempts = count(manager, 'reconnect_attempt');
    await next(manager.socket('/valid'), 'connect');
    await aWhile(t);
    assert.equal(attempts.n, 0);
  });

  it('is not done without reconnection, nor after that was switched off', async (t) => {
    const never = managed(t, { reconnection: false }, await nowhere());
    const later = managed(t, {}, await nowhere());
    const attempts = count(never, 'reconnect_attempt');
    never.socket('/invalid');
    await next(never, 'error');
    await next(later, 'reconnect_error');
    later.reconnection(false);
    const more = count(later, 'reconnect_attempt');
    await aWhile(t);
    assert.deepEqual([attempts.n, more.n], [0, 0]);
  });

  it('is done on a new connection after what cannot be decoded', async (t) => {
    const manager = managed(t);
    await next(manager, 'open');
    const broken = manager.engine;
    const again = next(manager, 'reconnect');
    broken.emit('data', 'bad');
    await again;
    assert.notEqual(manager.engine, broken);
    assert.equal(broken.readyState, 'closed');
  });
});

describe('values', () => {
  it('acknowledges with several arguments', async (t) => {
    const socket = join(t);
    socket.on('ack', (answer) => answer(5, { test: true }));
    socket.emit('ack');
    await next(socket, 'got it');
  });

  it('gets dates as text, in an acknowledgement, an event and an object', async (t) => {
    const socket = join(t);
    const isDate = (value) => assert.match(value, /^\d{4}-\d\d-\d\dT/);
    isDate((await ask(socket, 'getAckDate', { test: true }))[0]);
    const date = hear(socket, 'takeDate');
    socket.emit('getDate');
    isDate(await date);
    const object = hear(socket, 'takeDateObj');
    socket.emit('getDateObj');
    isDate((await object).date);
  });

  it('gets false', async (t) => {
    const socket = join(t);
    const value = hear(socket, 'false');
    socket.emit('false');
    assert.equal(await value, false);
  });

  it('gets text outside ASCII, in order', async (t) => {
    const socket = join(t);
    const texts = [];
    const all = within(new Promise((resolve) => socket.on('takeUtf8', (text) => texts.push(text) === 5 && resolve())), 'five texts');
    socket.emit('getUtf8');
    await all;
    assert.deepEqual(texts, ['てすと', 'Я Б Г Д Ж Й', 'Ä ä Ü ü ß', 'utf8 — string', 'utf8 — string']);
  });

  it('gets bytes as an ArrayBuffer where it wants that', async (t) => {
    const socket = await joined(t, '/', { transports: ['websocket'] });
    socket.io.engine.transport.binaryType = 'arraybuffer';
    socket.io.engine.binaryType = 'arraybuffer';
    socket.io.engine.transport.ws.binaryType = 'arraybuffer';
    const bytes = hear(socket, 'doge');
    socket.emit('doge');
    const got = await bytes;
    assert.ok(got instanceof ArrayBuffer);
    assert.equal(Buffer.from(got).toString(), 'asdfasdf');
  });

  it('sends bytes, alone, among other values, and in order with text', async (t) => {
    const socket = join(t);
    const bytes = Uint8Array.from([1, 2, 3]).buffer;
    for (const [answer, ...events] of [
      ['buffack', ['buffa', bytes]],
      ['jsonbuff-ack', ['jsonbuff', { hello: 'lol', message: bytes, goodbye: 'gotcha' }]],
      ['abuff2-ack', ['abuff1', bytes], ['abuff2', 'please arrive second']],
    ]) {
      const done = next(socket, answer);
      events.forEach((event) => socket.emit(...event));
      await done;
    }
  });

  it('sends bytes before and after text, in order', async (t) => {
    const socket = join(t);
    const bytes = new Uint8Array([1, 2, 3]);
    const done = next(socket, 'blob3-ack');
    socket.emit('blob1', bytes);
    socket.emit('blob2', 'second');
    socket.emit('blob3', bytes);
    await done;
  });
});
