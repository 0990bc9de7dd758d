import type { Socket } from 'socket.io-client';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Chat } from './chat';
import type { Conversation } from './conversation';
import { FakeSocket } from './fake-socket';
import { openMemory } from './memory';
import { joinSiblings } from './siblings';

/** A server that speaks the chat's own protocol, as far as these tests need it. */
class FakeServer {
  kept: { id: string; time: number; payload: unknown; from?: string }[] = [];
  asked: string[] = [];
  silent = new Set<string>();
  features: object = { history: { limit: 200, hours: 24 }, presence: true, typing: true, rooms: true, private: true, name: 'Ann', version: 1 };

  keep(text: string, name = 'Bob', from?: string) {
    this.kept.push({ id: `${this.kept.length + 1}`.padStart(5, '0'), time: Date.now(), payload: { name, text }, ...(from ? { from } : {}) });
  }

  answer = (event: string, argument: unknown): unknown => {
    const { after, room } = argument as { after?: string; room?: string };
    this.asked.push(`${event}${room ? ` ${room}` : ''}${after ? ` after ${after}` : ''}`);
    if (this.silent.has(event)) {
      return undefined;
    }
    switch (event) {
      case 'features':
        return this.features;
      case 'history':
        return { messages: room ? [] : this.kept.filter(({ id }) => !after || id > after), more: false, now: Date.now() };
      case 'send':
        return { id: 'own-1', time: 1, kept: true };
      case 'presence:watch':
        return { people: [{ name: 'Ann', connections: 1 }], count: 1, connections: 2 };
      default:
        return {};
    }
  };
}

const said = (talk: Conversation) => talk.entries.value.flatMap((e) => (e.kind === 'message' ? [`${e.own ? 'own ' : ''}${e.name}: ${e.text}`] : e.kind === 'gap' ? ['gap'] : []));

async function open(server = new FakeServer(), token = '') {
  const socket = new FakeSocket();
  socket.answer = server.answer;
  const kept = new Map<string, string>();
  const store = { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => void kept.set(key, value) } as Storage;
  const chat = new Chat(socket as unknown as Socket, { siblings: joinSiblings(undefined), memory: openMemory(() => store), token });
  const settle = () => vi.advanceTimersByTimeAsync(600);
  socket.hear('connect');
  await settle();
  const { lobby } = chat.talks;
  const pending = (talk = lobby) => talk.outbox.value.map((p) => `${p.text} ${p.state}`);
  const sends = () => socket.sent.filter(([event]) => event === 'send').map(([, argument]) => argument as { id: string; payload: { text: string }; room?: string; to?: string });
  return { socket, server, chat, lobby, settle, pending, sends };
}

describe('a chat on a server that speaks its protocol', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal('requestAnimationFrame', () => 0);
    vi.stubGlobal('cancelAnimationFrame', () => {});
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  test('opens with what was kept, and knows who is here', async () => {
    const server = new FakeServer();
    server.keep('old');
    const { lobby, server: { asked } } = await open(server);
    expect(said(lobby)).toEqual(['Bob: old']);
    expect(lobby.earlier.value).toBe('start');
    expect([lobby.people.value.count, lobby.people.value.guests]).toEqual([1, 1]);
    expect(asked).toEqual(['features', 'presence:watch', 'history']);
  });

  test('after a break what was missed comes before what is live, and nothing twice', async () => {
    const server = new FakeServer();
    server.keep('old');
    const { socket, lobby, settle } = await open(server);
    server.keep('heard');
    socket.hear('msgToClient', { name: 'Bob', text: 'heard' });
    socket.hear('disconnect', 'transport close');
    await vi.advanceTimersByTimeAsync(60_000);
    server.keep('missed');
    await vi.advanceTimersByTimeAsync(60_000);
    server.silent.add('features');
    socket.hear('connect');
    socket.hear('msgToClient', { name: 'Bob', text: 'live' });
    await settle();
    expect(said(lobby), 'held back until it is known what came before').toEqual(['Bob: old', 'Bob: heard']);
    socket.hear('disconnect', 'transport close'); // before the server answered
    server.silent.clear();
    server.keep('live');
    socket.hear('connect');
    await settle();
    expect(said(lobby)).toEqual(['Bob: old', 'Bob: heard', 'Bob: missed', 'Bob: live']);
    expect(server.asked.at(-1)).toBe('history after 00001');
  });

  test('no answer: a gap, and what is live is shown', async () => {
    const { socket, server, lobby, settle } = await open();
    socket.hear('disconnect', 'transport close');
    server.silent.add('history');
    socket.hear('connect');
    socket.hear('msgToClient', { name: 'Bob', text: 'live' });
    await vi.advanceTimersByTimeAsync(20_000);
    await settle();
    expect(said(lobby)).toEqual(['gap', 'Bob: live']);
  });

  test('a server that offers nothing any more: a gap, at once the next time', async () => {
    const { socket, server, chat, lobby, settle } = await open();
    socket.hear('disconnect', 'transport close');
    server.silent.add('features');
    socket.hear('connect');
    await vi.advanceTimersByTimeAsync(20_000);
    expect([chat.offered.value.any, said(lobby)]).toEqual([false, ['gap']]);
    socket.hear('disconnect', 'transport close');
    socket.hear('connect');
    await settle();
    expect(said(lobby)).toEqual(['gap', 'gap']);
  });

  test('a message waits for the connection and is sent again with its id', async () => {
    const { socket, server, chat, settle, pending, sends } = await open();
    server.silent.add('send');
    chat.send('Ann', 'hi');
    await settle();
    expect(pending()).toEqual(['hi sending']);
    socket.hear('disconnect', 'transport close');
    expect(pending()).toEqual(['hi waiting']);
    server.silent.clear();
    socket.hear('connect');
    await settle();
    expect(sends().map(({ payload }) => payload.text)).toEqual(['hi', 'hi']);
    expect(sends()[0]!.id).toBe(sends()[1]!.id);
    expect(pending()).toEqual(['hi accepted']);
    socket.hear('msgToClient', { name: 'Ann', text: 'hi' });
    expect(pending()).toEqual([]);
  });

  test('one that the history brings back is not sent again', async () => {
    const { socket, server, chat, lobby, settle, pending, sends } = await open();
    server.silent.add('send');
    chat.send('Ann', 'hi');
    server.keep('hi', 'Ann');
    socket.hear('disconnect', 'transport close');
    server.silent.clear();
    socket.hear('connect');
    await settle();
    expect([sends().length, pending(), said(lobby)]).toEqual([1, [], ['own Ann: hi']]);
  });

  test('after minutes its writer decides', async () => {
    const { socket, server, chat, lobby, settle, pending, sends } = await open();
    server.silent.add('send');
    chat.send('Ann', 'hi');
    socket.hear('disconnect', 'transport close');
    await vi.advanceTimersByTimeAsync(150_000);
    server.silent.clear();
    socket.hear('connect');
    await settle();
    expect(pending()).toEqual(['hi doubtful']);
    chat.resend(lobby.outbox.value[0]!);
    await settle();
    expect(sends()[0]!.id).toBe(sends()[1]!.id);
  });

  test('a server that cannot do it now leaves it to the writer, one that will not says why', async () => {
    const { socket, server, chat, lobby, settle, pending } = await open();
    const answers: unknown[] = [{ error: { code: 'unavailable', message: 'try again later' } }, { error: { code: 'too_large', message: 'too long' } }];
    socket.answer = (event, argument) => (event === 'send' ? answers.shift() : server.answer(event, argument));
    chat.send('Ann', 'one');
    chat.send('Ann', 'two');
    await settle();
    expect([pending(), lobby.outbox.value[1]!.why]).toEqual([['one doubtful', 'two refused'], 'too long']);
  });

  test('one that was acknowledged is there, though its echo was lost with the connection', async () => {
    const server = new FakeServer();
    server.features = { ...server.features, history: null };
    const { socket, chat, lobby, settle, pending } = await open(server);
    chat.send('Ann', 'hi');
    await settle();
    expect(pending()).toEqual(['hi accepted']);
    socket.hear('disconnect', 'transport close');
    socket.hear('connect');
    await settle();
    expect([pending(), said(lobby)]).toEqual([[], ['gap', 'own Ann: hi']]);
  });

  test('rooms and private talk have their own places and counts', async () => {
    const { socket, chat, lobby, settle, sends } = await open(new FakeServer(), 'a.token.here');
    expect(chat.ownership.tokenName.value).toBe('Ann');
    await chat.join('team');
    const room = chat.talks.active.value;
    chat.send('-', 'to the room');
    socket.hear('msgToClient', { name: 'Ann', text: 'to the room' }, { room: 'team', id: '1', time: Date.now(), from: 'Ann' });
    socket.hear('msgToClient', { name: 'Bob', text: 'to all' });
    socket.hear('msgToClient', { name: 'Bob', text: 'psst' }, { private: true, from: 'Bob', to: 'Ann' }, 'offset');
    await settle();
    const bob = chat.talks.known('person', 'Bob')!;
    expect([said(room), said(lobby), said(bob)]).toEqual([['Ann: to the room'.replace('Ann', 'own Ann')], ['Bob: to all'], ['Bob: psst']]);
    expect([room, lobby, bob].map((talk) => talk.unread.value)).toEqual([0, 1, 1]);
    chat.open(bob);
    expect(bob.unread.value).toBe(0);
    chat.send('-', 'answer');
    expect(sends().map(({ room, to }) => room ?? to)).toEqual(['team', 'Bob']);
    socket.hear('msgToClient', { name: 'Ann', text: 'from my other tab' }, { private: true, from: 'Ann', to: 'Bob' });
    expect(said(bob)).toEqual(['Bob: psst', 'own Ann: from my other tab']);
    chat.leave(room);
    expect(chat.talks.known('room', 'team')).toBeUndefined();
    expect(socket.sent.some(([event, argument]) => event === 'leave' && (argument as { room: string }).room === 'team')).toBe(true);
  });

  test('more people than there is room for: the talk that was opened first gives way, never the open one or a room', async () => {
    const { socket, chat, lobby, sends } = await open(new FakeServer(), 'a.token.here');
    await chat.join('team');
    const room = chat.talks.active.value;
    const hears = (name: string, text: string) => socket.hear('msgToClient', { name, text }, { private: true, from: name, to: 'Ann' });
    hears('p1', 'hi');
    hears('p2', 'hi');
    const [first, second] = [chat.talks.known('person', 'p1')!, chat.talks.known('person', 'p2')!];
    chat.open(first);
    for (let i = 3; i <= 119; i++) {
      hears(`p${i}`, 'hi');
    }
    hears('p119', 'once more');
    const last = chat.talks.known('person', 'p119')!;
    expect(said(last)).toEqual(['p119: hi', 'p119: once more']);
    expect(chat.talks.list.value).toHaveLength(120);
    expect(chat.talks.list.value.slice(0, 4).map(({ key }) => key)).toEqual([lobby.key, room.key, first.key, 'person p3']);
    expect([chat.talks.delivery(second), chat.talks.delivery(last)]).toEqual([undefined, expect.anything()]);
    chat.open(last);
    chat.send('-', 'answer');
    expect(sends().map(({ to }) => to)).toEqual(['p119']);
  });

  test('a talk with something left to send does not give way', async () => {
    const { socket, chat } = await open(new FakeServer(), 'a.token.here');
    const hears = (name: string) => socket.hear('msgToClient', { name, text: 'hi' }, { private: true, from: name, to: 'Ann' });
    hears('p1');
    hears('p2');
    chat.open(chat.talks.known('person', 'p1')!);
    socket.answer = () => undefined; // on its way
    chat.send('-', 'not delivered yet');
    chat.open(chat.talks.lobby);
    for (let i = 3; i <= 120; i++) {
      hears(`p${i}`);
    }
    expect(chat.talks.known('person', 'p1')?.outbox.value).toHaveLength(1);
    expect(chat.talks.known('person', 'p2')).toBeUndefined();
  });

  test('what was on its way when a room was left does not bring it back; what comes before the answer to a join is not lost', async () => {
    const { socket, server, chat, settle } = await open();
    const hears = (text: string) => socket.hear('msgToClient', { name: 'Bob', text }, { room: 'team' });
    await chat.join('team');
    chat.leave(chat.talks.active.value);
    hears('on its way');
    expect(chat.talks.known('room', 'team')).toBeUndefined();
    const joined = chat.join('team');
    hears('at once');
    await joined;
    await settle();
    expect(said(chat.talks.active.value)).toEqual(['Bob: at once']);
    expect(server.asked.filter((event) => event.startsWith('history team'))).toHaveLength(2);
  });

  test('an answer that comes after a gap was told puts what was missed in its place', async () => {
    const { socket, server, lobby, settle } = await open();
    const breaks = () => {
      socket.hear('disconnect', 'transport close');
      socket.hear('connect');
    };
    server.silent.add('history');
    breaks();
    server.keep('missed');
    await vi.advanceTimersByTimeAsync(20_000);
    server.keep('live');
    socket.hear('msgToClient', { name: 'Bob', text: 'live' });
    expect(said(lobby)).toEqual(['gap', 'Bob: live']);
    server.silent.clear();
    breaks();
    await settle();
    expect(said(lobby)).toEqual(['Bob: missed', 'Bob: live']);
  });

  test('one that was acknowledged while nothing could be kept is shown once, also when the history has it later', async () => {
    const { socket, server, chat, lobby, settle } = await open();
    server.keep('before');
    socket.hear('msgToClient', { name: 'Bob', text: 'before' });
    chat.send('Ann', 'hi');
    await settle(); // relayed, its echo is lost
    socket.hear('disconnect', 'transport close');
    socket.hear('connect');
    await settle();
    server.keep('hi', 'Ann');
    socket.hear('disconnect', 'transport close');
    socket.hear('connect');
    await settle();
    expect(said(lobby)).toEqual(['Bob: before', 'own Ann: hi']);
  });

  test('rooms are joined again, and their history asked for, on every connection', async () => {
    const { socket, server, chat, settle } = await open();
    await chat.join('team');
    socket.hear('disconnect', 'transport close');
    server.asked = [];
    socket.hear('connect');
    await settle();
    expect(server.asked).toEqual(['features', 'presence:watch team', 'history', 'join team', 'presence:watch team', 'history team']);
  });

  test('of a long list of people the first are shown at once, and the whole is asked for when those who came with us have come', async () => {
    const server = new FakeServer();
    const usual = server.answer;
    const people = (n: number) => Array.from({ length: n }, (_, i) => ({ name: `p${i}`, connections: 1 }));
    server.answer = (event, argument) => {
      const answer = usual(event, argument);
      const first = { people: people(200), count: 300, connections: 300, more: true };
      return event === 'presence:watch' ? first : event === 'presence' ? { people: people(300), count: 300, connections: 300 } : answer;
    };
    const { lobby } = await open(server);
    expect([lobby.people.value.named.length, lobby.people.value.count]).toEqual([200, 300]);
    await vi.advanceTimersByTimeAsync(3000);
    expect(lobby.people.value.named).toHaveLength(300);
    expect(server.asked.filter((event) => event.startsWith('presence'))).toEqual(['presence:watch', 'presence']);
  });

  test('who writes is told of the conversation it is in', async () => {
    const { socket, chat, lobby } = await open(new FakeServer(), 'a.token.here');
    socket.hear('typing', { name: 'Bob', for: 6000 });
    expect(lobby.typing.names.value).toEqual(['Bob']);
    socket.hear('typing', { private: true, from: 'Stranger', name: 'Stranger', for: 6000 });
    socket.hear('msgToClient', { name: 'Bob', text: 'here' });
    expect(lobby.typing.names.value).toEqual([]);
    chat.writes('ignored');
    expect(socket.sent.at(-1)).toEqual(['typing', { name: 'Ann' }]);
  });

  test('a token that ends is renewed, or its reader is asked', async () => {
    const { socket, server, chat, settle } = await open(new FakeServer(), 'old');
    const answers: unknown[] = [{ ok: false, code: 'token_subject', message: 'of somebody else' }, { ok: true }];
    socket.answer = (event, argument) => (event === 'auth:refresh' ? answers.shift() : server.answer(event, argument));
    socket.hear('auth:expiring', { expires: 0, seconds: 60 });
    await settle();
    expect(chat.renewal.ends.value).toBeGreaterThan(Date.now());
    expect(await chat.renewal.renew('wrong')).toBe(false);
    expect([chat.renewal.problem.value, chat.ownership.token.value]).toEqual(['of somebody else', 'old']);
    expect(await chat.renewal.renew('fresh')).toBe(true);
    expect([chat.renewal.ends.value, chat.ownership.token.value]).toEqual([0, 'fresh']);
  });
});
