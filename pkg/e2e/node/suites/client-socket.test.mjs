// What a socket of the JavaScript client does. The subjects are those of the client's own suite.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { next, within } from '../world/deadline.mjs';
import { ask, aWhile, count, hear, io, join, joined, nowhere, silence } from './javascript.mjs';

describe('the id', () => {
  for (const namespace of ['/', '/foo']) {
    it(`is the server's, in ${namespace}, and not the connection's`, async (t) => {
      const socket = join(t, namespace);
      const [id] = await ask(socket, 'getId');
      assert.ok(socket.id);
      assert.equal(socket.id, id);
      assert.notEqual(socket.id, socket.io.engine.id);
    });
  }

  it('is gone when the socket is', async (t) => {
    const socket = await joined(t);
    const gone = next(socket, 'disconnect');
    socket.disconnect();
    await gone;
    assert.equal(socket.id, undefined);
  });

  it('is a new one after connecting again', async (t) => {
    // The stage has recovery; a session that the client left by itself is not recovered.
    const socket = await joined(t, '/foo');
    const { id } = socket;
    socket.disconnect();
    assert.equal(socket.id, undefined);
    const again = next(socket, 'connect');
    socket.connect();
    await again;
    assert.notEqual(socket.id, id);
  });

  it('is the same when the session is recovered', async (t) => {
    const socket = await joined(t);
    socket.emit('hi');
    await next(socket, 'hi'); // with an offset
    const { id } = socket;
    const again = next(socket, 'connect');
    socket.io.engine.close();
    await again;
    assert.ok(socket.recovered);
    assert.equal(socket.id, id);
    assert.deepEqual(await ask(socket, 'getId'), [id]);
  });
});

describe('errors', () => {
  it('does not come when the socket is closed while it opens', async (t) => {
    const socket = join(t, '/', { timeout: 100 });
    socket.disconnect();
    const errors = count(socket.io, 'error');
    await aWhile(t);
    assert.equal(errors.n, 0);
  });

  it('comes where nobody listens', async (t) => {
    const socket = io(await nowhere(), { forceNew: true, timeout: 5000, reconnection: false });
    t.after(() => socket.close());
    await next(socket, 'connect_error');
  });

  for (const transport of ['polling', 'websocket']) {
    it(`comes when opening takes too long, on ${transport}`, async (t) => {
      const socket = join(t, '/', { url: await silence(t), transports: [transport], timeout: 0 });
      assert.equal((await next(socket, 'connect_error')).message, 'timeout');
    });
  }

  it('does not come for a connection that was there', async (t) => {
    const socket = await joined(t);
    const errors = count(socket, 'connect_error');
    const again = next(socket, 'connect');
    socket.io.engine.close();
    await again;
    assert.equal(errors.n, 0);
  });

  it('tells what a middleware says, of either namespace', async (t) => {
    const custom = await next(join(t, '/no'), 'connect_error');
    assert.ok(custom instanceof Error);
    assert.equal(custom.message, 'Auth failed (custom namespace)');
    assert.equal((await next(join(t, '/?fail=true'), 'connect_error')).message, 'Auth failed (main namespace)');
  });

  it('of a middleware is no reason to try again', async (t) => {
    const socket = join(t, '/no');
    const errors = count(socket, 'connect_error');
    await next(socket, 'connect_error');
    socket.io.engine.close(); // the connection comes back, the socket does not
    await aWhile(t);
    assert.equal(errors.n, 1);
  });

  it('is thrown for reserved events', (t) => {
    const socket = join(t, '/no');
    assert.throws(() => socket.emit('disconnecting', 'goodbye'), /"disconnecting" is a reserved event name/);
  });
});

describe('what the server sees', () => {
  it('hears whether to compress, and works either way', async (t) => {
    const socket = await joined(t);
    const options = [];
    socket.io.engine.on('packetCreate', (packet) => packet.type === 'message' && options.push(packet.options.compress));
    await ask(socket, 'echo', 1);
    await ask(socket.compress(false), 'echo', 1);
    assert.deepEqual(options, [true, false]);
  });

  const seen = async (t, namespace, options) => {
    const socket = join(t, namespace, options);
    if (namespace.startsWith('/abc')) return hear(socket, 'handshake');
    return (await ask(socket, 'getHandshake'))[0];
  };

  for (const [what, namespace] of [['the main namespace', '/'], ['another namespace', '/abc']]) {
    it(`is the query, as an object and in the address, in ${what}`, async (t) => {
      assert.equal((await seen(t, namespace, { query: { e: 'f' } })).query.e, 'f');
      const { query } = await seen(t, `${namespace}?c=d`);
      assert.equal(query.c, 'd');
    });
  }

  it('is the query, decoded', async (t) => {
    const value = 'a b&c=d/é+안';
    const { query } = await seen(t, '/abc', { query: { '&a': value } });
    assert.equal(query['&a'], value);
  });

  it('is the auth, as an object and from a function', async (t) => {
    assert.deepEqual((await seen(t, '/abc', { auth: { a: 'b', c: 'd' } })).auth, { a: 'b', c: 'd' });
    const { auth, query } = await seen(t, '/abc', { auth: (tell) => tell({ e: 'f' }) });
    assert.equal(auth.e, 'f');
    assert.equal(query.e, undefined);
  });
});

describe('events', () => {
  it('come in order, those from before the connection first', async (t) => {
    const socket = join(t, '/', { autoConnect: false });
    const order = [];
    const both = within(new Promise((resolve) => {
      socket.on('connect', () => socket.emit('echo', 'second', () => order.push('second') && resolve()));
      socket.emit('echo', 'first', () => order.push('first'));
    }), 'both answers');
    socket.connect();
    await both;
    assert.deepEqual(order, ['first', 'second']);
  });

  it('are answered to a promise', async (t) => {
    assert.equal(await join(t).emitWithAck('echo', 123), 123);
  });

  it('leaves and joins in one go', async (t) => {
    const socket = await joined(t, '/', { transports: ['websocket'] });
    const gone = count(socket, 'disconnect');
    const again = next(socket, 'connect');
    socket.disconnect().connect();
    await again;
    await aWhile(t);
    assert.equal(gone.n, 1);
    assert.ok(socket.connected);
  });

  it('wait for the connection when a timer was throttled', async (t) => {
    const socket = await joined(t);
    let again = false;
    socket.io.once('reconnect', () => (again = true));
    socket.io.engine._pingTimeoutTime = Date.now() - 1; // as after a sleep of the machine
    assert.equal(await socket.emitWithAck('echo', '123'), '123');
    assert.ok(again);
  });
});

describe('volatile events', () => {
  it('are dropped without a connection, and while the pipe is full', async (t) => {
    const socket = join(t, '/', { autoConnect: false });
    let wrong = 0;
    socket.volatile.emit('getId', () => wrong++);
    socket.connect();
    await next(socket, 'connect');
    socket.emit('getId', () => {});
    socket.volatile.emit('getId', () => wrong++);
    await ask(socket, 'getId');
    assert.equal(wrong, 0);
  });

  it('are sent when the pipe is ready', async (t) => {
    const socket = await joined(t);
    const answer = within(new Promise((resolve) => {
      const timer = setInterval(() => socket.volatile.emit('getId', resolve), 20);
      t.after(() => clearInterval(timer));
    }), 'an answer');
    assert.equal(await answer, socket.id);
  });
});

describe('listeners to any event', () => {
  it('are called, in the order they ask for, until they are removed', async (t) => {
    const socket = join(t);
    const order = [];
    const tell = (name) => (event, ...args) => order.push([name, event, ...args]);
    const [first, second, third] = [tell('first'), tell('second'), tell('third')];
    socket.onAny(second);
    socket.prependAny(first);
    socket.onAny(third);
    socket.offAny(third);
    const value = next(socket, 'false');
    socket.emit('false');
    await value;
    assert.deepEqual(order.map((call) => call.slice(0, 3)), [['first', 'false', false], ['second', 'false', false]]);
  });

  it('for what goes out are called too, with bytes as well', async (t) => {
    const socket = await joined(t);
    const order = [];
    const tell = (name) => (event, ...args) => order.push([name, event, ...args]);
    const [first, second, third] = [tell('first'), tell('second'), tell('third')];
    socket.onAnyOutgoing(second);
    socket.prependAnyOutgoing(first);
    socket.onAnyOutgoing(third);
    socket.offAnyOutgoing(third);
    const bytes = Uint8Array.from([1, 2, 3]);
    const done = next(socket, 'buffack');
    socket.emit('buffa', bytes);
    await done;
    assert.deepEqual(order, [['first', 'buffa', bytes], ['second', 'buffa', bytes]]);
  });
});

describe('time-outs', () => {
  it('end the wait of an event that was never sent, and take it back', async (t) => {
    const socket = join(t, '/', { autoConnect: false });
    await assert.rejects(socket.timeout(20).emitWithAck('event'), /has timed out/);
    assert.deepEqual(socket.sendBuffer, []);
  });

  it('end the wait for a server that does not answer, by callback, promise and default', async (t) => {
    const socket = await joined(t, '/', { ackTimeout: 50 });
    const [error] = await new Promise((resolve) => socket.timeout(20).emit('unknown', (...args) => resolve(args)));
    assert.ok(error instanceof Error);
    await assert.rejects(socket.timeout(20).emitWithAck('unknown'), /has timed out/);
    const [another] = await ask(socket, 'unknown');
    assert.ok(another instanceof Error);
  });

  it('end the wait once, whether the answer comes before or after', async (t) => {
    const socket = await joined(t);
    let calls = 0;
    await new Promise((resolve) => socket.timeout(0).emit('echo', 42, () => resolve(calls++)));
    await aWhile(t);
    assert.equal(calls, 1);
  });

  it('do not end the wait for a server that answers, by callback and promise', async (t) => {
    const socket = await joined(t);
    const answer = await new Promise((resolve) => socket.timeout(10_000).emit('echo', 42, (...args) => resolve(args)));
    assert.deepEqual(answer, [null, 42]);
    assert.equal(await socket.timeout(10_000).emitWithAck('echo', 42), 42);
  });
});

describe('acknowledgements that are open when the socket leaves', () => {
  it('are forgotten without a time-out', async (t) => {
    const socket = await joined(t);
    let calls = 0;
    socket.emit('echo', 'a', () => calls++);
    socket.disconnect();
    assert.deepEqual(Object.keys(socket.acks), []);
    await aWhile(t);
    assert.equal(calls, 0);
  });

  for (const [what, options, emit] of [
    ['a time-out', {}, (socket) => new Promise((resolve) => socket.timeout(10_000).emit('echo', 'a', resolve))],
    ['a default time-out', { ackTimeout: 10_000 }, (socket) => new Promise((resolve) => socket.emit('echo', 'a', resolve))],
    ['a promise', {}, (socket) => socket.emitWithAck('echo', 'a').catch((error) => error)],
    ['a promise with a time-out', {}, (socket) => socket.timeout(10_000).emitWithAck('echo', 'a').catch((error) => error)],
  ]) {
    it(`fail with ${what}`, async (t) => {
      const socket = await joined(t, '/', options);
      const answer = emit(socket);
      socket.disconnect();
      assert.ok((await within(answer, 'the failure')) instanceof Error);
    });
  }

  it('are kept for events that were not sent yet', async (t) => {
    const socket = await joined(t);
    socket.disconnect();
    const answer = ask(socket, 'echo', 'a');
    socket.connect();
    assert.deepEqual(await answer, ['a']);
  });
});

describe('retries', () => {
  const sentBy = (socket) => {
    const sent = [];
    socket.io.engine.on('packetCreate', ({ type, data }) => type === 'message' && sent.push(data));
    return sent;
  };

  it('keep the order: one event after the other', async (t) => {
    const socket = join(t, '/', { retries: 1, ackTimeout: 10_000 });
    const sent = sentBy(socket);
    const left = [];
    const all = [1, 2, 3].map((n) => new Promise((resolve) => socket.emit('echo', n, (error, value) => resolve(left.push(socket._queue.length) && [error, value]))));
    assert.equal(socket._queue.length, 3);
    assert.deepEqual(await Promise.all(all), [[null, 1], [null, 2], [null, 3]]);
    assert.deepEqual(left, [2, 1, 0]);
    assert.deepEqual(sent, ['0', '20["echo",1]', '21["echo",2]', '22["echo",3]']);
  });

  it('end after as many as were asked for', async (t) => {
    const socket = join(t, '/', { retries: 3, ackTimeout: 50 });
    const sent = sentBy(socket);
    const heard = count(socket, 'ack');
    const [error] = await ask(socket, 'ack');
    assert.ok(error instanceof Error);
    await aWhile(t);
    assert.equal(heard.n, 4);
    assert.deepEqual(sent, ['0', '20["ack"]', '21["ack"]', '22["ack"]', '23["ack"]']);
  });

  it('wait while there is no connection', async (t) => {
    const socket = join(t, '/', { autoConnect: false, retries: 3, ackTimeout: 10_000 });
    const answer = ask(socket, 'echo', 1);
    assert.equal(socket._queue.length, 1);
    socket.connect();
    assert.deepEqual(await answer, [null, 1]);
  });

  it('do not send twice what is emitted while connecting', async (t) => {
    const socket = join(t, '/', { retries: 3 });
    const sent = sentBy(socket);
    const answer = within(new Promise((resolve) => socket.on('connect', () => socket.emit('echo', null, resolve))), 'an answer');
    await answer;
    await aWhile(t);
    assert.deepEqual(sent, ['0', '20["echo",null]']);
  });
});
