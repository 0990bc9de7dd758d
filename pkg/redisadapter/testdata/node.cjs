// Node's adapters without Redis, for node_wire_test.go: what they make of messages, and what they write.
//
// Standard input has a case in each line, standard output its outcome in the same order:
//
//	{mode, hear: [{channel, hex} or {entry}]}   what is heard becomes {events: {x, y}, rooms: {x, y}, gone, emitted, out}
//	{mode, call, args}                           a method of the adapter, arguments with $bin, $set and $fn; the outcome is the same
//
// Bytes of events are written with $bin. out are the messages that were published, {channel, hex} or {entry}. Client x is in the rooms x, r1 and "7", with "numbers" of the case also in 7, client y in its own alone. Each
// case has an adapter of its own. A client acknowledges what it is asked to with what it was sent, a listener with its arguments.
const v5 = require("socket.io-redis");
const { createAdapter, createShardedAdapter } = require("@socket.io/redis-adapter");
const streams = require("@socket.io/redis-streams-adapter");

const tick = () => new Promise((resolve) => setImmediate(resolve));
const hex = (b) => Buffer.from(b).toString("hex");

// A redis client of either package that tells what is published.
function client(out) {
  const say = (channel, message) => Promise.resolve(out.push({ channel: channel.toString(), hex: hex(message) }));
  const listeners = {};
  return {
    on() {}, psubscribe() {}, listenerCount: () => 1, ssubscribe() {}, connect: async () => {}, disconnect() {}, options: {},
    subscribe: (channels, f) => { if (typeof f === "function") listeners.f = f; },
    send_command: (command, args, done) => done(null, ["", 2]), publish: say,
    sPublish: say, sendCommand: async () => ["", "2"],
    xAdd: async (name, id, entry) => { out.push({ entry: { ...entry } }); return "1-0"; },
    xRead: () => new Promise(() => {}),
    duplicate() { return this; },
    listeners,
  };
}

// The v4 client has sSubscribe, by which the packages know it.
const client4 = (out) => Object.assign(client(out), { sSubscribe() {}, sUnsubscribe() {} });

function nsp(seen) {
  const encoder = { encode: (packet, done) => { const list = [packet]; if (done) done(list); return list; } };
  return {
    name: "/chat", sockets: new Map(), connected: {}, server: { encoder, opts: {}, _opts: {} }, _ids: 1,
    _onServerSideEmit(args) {
      const ack = typeof args[args.length - 1] === "function" ? args.pop() : null;
      seen.emitted.push(args);
      if (ack) ack(args);
    },
  };
}

function world({ mode, numbers }) {
  const out = [], seen = { events: { x: [], y: [] }, rooms: {}, gone: {}, emitted: [], out };
  const n = nsp(seen);
  const c = mode === "v5" || mode === "v8" ? client(out) : client4(out);
  const make = { v5: () => new (v5({ pubClient: c, subClient: c }))(n), v8: () => createAdapter(c, c)(n), sharded: () => createShardedAdapter(c, c)(n), streams: () => streams.createAdapter(c, {})(n) };
  const a = make[mode]();
  for (const [id, rooms] of [["x", ["x", "r1", "7", ...(numbers ? [7] : [])]], ["y", ["y"]]]) {
    const heard = (packets) => {
      const p = packets[0];
      seen.events[id].push({ type: p.type, data: p.data });
      const ack = s.acks.get(p.id);
      if (ack) setImmediate(() => ack(p.data[1]));
    };
    const s = {
      id, acks: new Map(), data: { name: id }, handshake: { headers: { host: "h" }, time: "t", address: "::1", xdomain: false, secure: false, issued: 7, url: "/", query: { EIO: "4" }, auth: {} },
      get rooms() { return a.sids.get(id); },
      join: (r, done) => { if (mode === "v5") a.addAll(id, [].concat(r), done); else a.addAll(id, new Set([].concat(r))); },
      leave: (r, done) => a.del(id, r, done), disconnect: (close) => { seen.gone[id] = !!close; },
      packet: heard, notifyOutgoingListeners() {}, client: { writeToEngine: heard },
    };
    n.sockets.set(id, s);
    n.connected[id] = s;
    a.addAll(id, mode === "v5" ? rooms : new Set(rooms));
  }
  return { a, c, seen, mode };
}

function hear({ a, c, mode }, m) {
  if (m.entry) return m.entry.nsp === "/chat" ? a.onRawMessage(m.entry, "1-0") : undefined;
  const message = Buffer.from(m.hex, "hex"), channel = m.channel.replace("$uid", a.uid);
  if (mode === "sharded") return a.onRawMessage(message, Buffer.from(channel));
  if (mode === "streams") return c.listeners.f(message, channel);
  if (/^socket\.io-(request|response)#/.test(channel)) return a.onrequest(channel, message);
  if (channel.startsWith("socket.io#")) return a.onmessage(null, Buffer.from(channel), message);
}

const revive = (v) => (v && typeof v === "object" ? (v.$bin !== undefined ? Buffer.from(v.$bin, "hex") : v.$set ? new Set(v.$set) : v.$fn ? () => {} : Array.isArray(v) ? v.map(revive) : Object.fromEntries(Object.entries(v).map(([k, e]) => [k, revive(e)]))) : v);

async function run(test) {
  const w = world(test), { a, seen } = w;
  await tick(); // subscriptions
  try {
    for (const m of test.hear || []) {
      await hear(w, m);
      await tick();
    }
    if (test.call) a[test.call](...revive(test.args));
    for (let i = 0; i < 4; i++) await tick();
  } catch (e) {
    seen.crash = e.stack;
  }
  const list = (id) => { const r = a.sids instanceof Map ? a.sids.get(id) : Object.keys(a.sids[id] || {}); return [...new Set([...(r || [])].map(String))].sort(); };
  seen.rooms = { x: list("x"), y: list("y") };
  seen.uid = a.uid;
  return seen;
}

(async () => {
  let text = "", outcomes = "";
  for await (const chunk of process.stdin.setEncoding("utf8")) text += chunk;
  for (const line of text.split("\n").filter((l) => l)) {
    const outcome = await run(JSON.parse(line)), { toJSON } = Buffer.prototype;
    Buffer.prototype.toJSON = function () { return { $bin: hex(this) }; };
    outcomes += JSON.stringify(outcome) + "\n";
    Buffer.prototype.toJSON = toJSON;
  }
  process.stdout.write(outcomes, () => process.exit(0)); // their timers go on
})();
