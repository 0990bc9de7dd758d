// The chat's own protocol (pkg/chat/PROTOCOL.md) in short, on Node's Socket.IO server: for work on
// the page, and for moments that a real server has no switch for.

/**
 * Lets the namespace chat speak it. `kept` is how many messages it keeps of each conversation; with
 * `tokens` a token is the name of its bearer. The result's fields may be changed at any time: `mute`
 * answers nothing, `deafTo` tells which sockets a message does not reach. `talk` is that of the server
 * before a restart.
 */
export function speakProtocol(chat, { kept = 200, tokens = false } = {}, talk = { histories: new Map(), last: 0, sent: new Map(), mute: false, deafTo: () => false, partial: false }) {
  const history = (room = '') => talk.histories.get(room) ?? talk.histories.set(room, []).get(room);
  talk.keep = (payload, room, time = Date.now(), from) => {
    const one = { id: `${String(++talk.last).padStart(13, '0')}-0`, time, payload, ...(from && { from }) };
    const all = history(room);
    all.push(one);
    all.splice(0, all.length - kept);
    return one;
  };
  const nameOf = (socket) => (tokens ? socket.handshake.auth.token : socket.data.said ?? socket.handshake.query.username) || null;
  talk.sockets = () => [...chat.sockets.values()];
  /** Says something as a script would; its name is its own affair. */
  talk.say = (payload) => (talk.keep(payload, ''), chat.emit('msgToClient', payload));
  /** Resolves when a token was renewed. */
  talk.refreshed = () => new Promise((resolve) => (talk.onRefresh = resolve));
  const members = (room) => [...chat.sockets.values()].filter((socket) => !room || socket.rooms.has(`room ${room}`));
  const people = (room) => {
    const counts = new Map();
    members(room).forEach((socket) => nameOf(socket) && counts.set(nameOf(socket), (counts.get(nameOf(socket)) ?? 0) + 1));
    return [...counts].map(([name, connections]) => ({ name, connections })).sort((a, b) => (a.name < b.name ? -1 : 1));
  };
  const presence = (room) => ({ people: people(room), count: people(room).length, connections: members(room).length });
  const watchers = (room) => members(room).filter((socket) => socket.data.watches?.has(room));
  const changed = (room, joined, left) => watchers(room).forEach((socket) => socket.emit('presence:change', { ...(room && { room }), ...presence(room), people: undefined, joined, left }));
  const cameOrWent = (room, name) => {
    const there = people(room).find((one) => one.name === name);
    changed(room, there ? [there] : [], there || !name ? [] : [name]);
  };

  const relay = (socket, payload, { room, to } = {}) => {
    const from = tokens ? nameOf(socket) : undefined;
    if (from) {
      payload = { ...payload, name: from };
    } else if (payload?.name && socket.data.said !== payload.name) {
      const before = nameOf(socket);
      socket.data.said = payload.name;
      cameOrWent('', before);
      cameOrWent('', payload.name);
    }
    if (to) {
      const both = [...chat.sockets.values()].filter((other) => [to, from].includes(nameOf(other)));
      both.forEach((other) => other.emit('msgToClient', payload, { private: true, from, to, time: Date.now() }));
      return { id: `private-${++talk.last}`, time: Date.now(), kept: false };
    }
    const { id, time } = talk.keep(payload, room ?? '', Date.now(), from);
    const second = room ? [{ room, id, time, ...(from && { from }) }] : [];
    members(room).forEach((other) => talk.deafTo(other) || other.emit('msgToClient', payload, ...second));
    return { id, time, kept: true };
  };

  const answers = {
    features: (socket) => ({ history: { limit: kept, hours: 24 }, presence: true, typing: true, rooms: true, private: tokens, name: tokens ? nameOf(socket) : null, version: 1, now: Date.now() }),
    history(_socket, { room = '', before, after, limit = 50 }) {
      const all = history(room);
      const most = Math.min(limit, 200);
      const found = after ? all.filter(({ id }) => id > after) : before ? all.filter(({ id }) => id < before) : all;
      return {
        messages: after ? found.slice(0, most) : found.slice(-most),
        more: found.length > most,
        now: Date.now(),
        ...(after && !all.some(({ id }) => id === after) && { gap: true }),
        ...(talk.partial && { partial: true }),
      };
    },
    send(socket, { payload, id, ...where }) {
      if (payload?.text?.startsWith('forbidden')) {
        return { error: { code: 'forbidden', message: 'not that word' } };
      }
      const before = id && talk.sent.get(id);
      const answer = before ?? relay(socket, payload, where);
      id && talk.sent.set(id, answer);
      return before ? { ...answer, duplicate: true } : answer;
    },
    join(socket, { room }) {
      if (room === 'closed') {
        return { error: { code: 'forbidden', message: 'this room is closed' } };
      }
      socket.join(`room ${room}`);
      cameOrWent(room, nameOf(socket));
      return { room };
    },
    leave(socket, { room }) {
      socket.leave(`room ${room}`);
      cameOrWent(room, nameOf(socket));
      return { room };
    },
    presence: (_socket, { room = '' }) => presence(room),
    'presence:watch'(socket, { room = '', watch = true }) {
      socket.data.watches ??= new Set();
      socket.data.watches[watch ? 'add' : 'delete'](room);
      return presence(room);
    },
    'auth:refresh'(socket, { token }) {
      if (token !== nameOf(socket)) {
        return { ok: false, code: 'token_subject', message: 'the token is of somebody else' };
      }
      talk.onRefresh?.();
      return { ok: true, expires: 0 };
    },
  };

  chat.on('connection', (socket) => {
    socket.data.said = undefined;
    cameOrWent('', nameOf(socket));
    for (const [event, answer] of Object.entries(answers)) {
      socket.on(event, (argument, ack) => {
        const value = answer(socket, argument ?? {});
        talk.mute || ack?.(value);
      });
    }
    socket.on('typing', ({ room, to, name }) => {
      const by = nameOf(socket) ?? name;
      const sign = { ...(room && { room }), name: by, for: 6000 };
      const near = to ? [...chat.sockets.values()].filter((other) => nameOf(other) === to) : watchers(room ?? '');
      near.forEach((other) => other !== socket && other.volatile.emit('typing', to ? { private: true, from: by, ...sign } : sign));
    });
    socket.on('msgToServer', (payload, ack) => typeof ack === 'function' && ack(relay(socket, payload)));
    socket.on('disconnecting', () => {
      const rooms = [...socket.rooms].filter((room) => room.startsWith('room ')).map((room) => room.slice(5));
      const name = nameOf(socket);
      setImmediate(() => ['', ...rooms].forEach((room) => cameOrWent(room, name)));
    });
  });
  return talk;
}
