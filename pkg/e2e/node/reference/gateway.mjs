// What the seed's ChatGateway does, for a plain Socket.IO server (2.x or 4.x alike).
//
// The seed is a NestJS gateway, and Nest does not hand a listener its arguments as Socket.IO has them:
// its IoAdapter lets rxjs' fromEvent fold several arguments into one array, and mapPayload then takes a
// trailing acknowledgement off. `relayed` does the same, so that the plain servers can stand in for
// the seed in every test; reference/nest.mjs is the real thing and shows that this copy is right.

/** The one payload that Nest hands to handleMessage for these listener arguments. */
export function relayed(args) {
  const payload = args.length > 1 ? args : args[0];
  if (typeof payload === 'function') return undefined;
  if (!Array.isArray(payload)) return payload;
  if (typeof payload.at(-1) !== 'function') return payload;
  return payload.length === 2 ? payload[0] : payload.slice(0, -1);
}

/** Makes the namespace /chat of a Socket.IO server behave as the seed's gateway. */
export function serveChat(io) {
  const chat = io.of('/chat');
  chat.on('connection', (client) => {
    console.error(`${client.id}(${client.handshake.query.username}) is connected!`);
    chat.emit('msgToClient', { name: 'admin', text: 'join chat.' });
    client.on('msgToServer', (...args) => chat.emit('msgToClient', relayed(args)));
  });
  return chat;
}

/** The heartbeat, in the variables the chat server has for it. */
export function heartbeat() {
  const { PING_INTERVAL_MS, PING_TIMEOUT_MS } = process.env;
  return { ...(PING_INTERVAL_MS && { pingInterval: Number(PING_INTERVAL_MS) }), ...(PING_TIMEOUT_MS && { pingTimeout: Number(PING_TIMEOUT_MS) }) };
}

/** Where to listen and which Redis to join, from the environment the chat server has too. */
export function settings() {
  const { NODE_PORT, HOST = '127.0.0.1', REDIS_HOST, REDIS_PORT } = process.env;
  return { port: Number(NODE_PORT), host: HOST, redis: REDIS_PORT && `redis://${REDIS_HOST}:${REDIS_PORT}` };
}

/** The line a test waits for. */
export function announce(what, { host, port }) {
  console.error(`${what} listening on ${host}:${port}`);
}

/** Answers the test's questions (world/processes.mjs, `ask`) with one of `answers`. */
export function answer(answers) {
  process.on('message', async ({ id, question, args }) => {
    try {
      process.send({ id, value: (await answers[question](...args)) ?? null });
    } catch (error) {
      process.send({ id, error: String(error) });
    }
  });
}
