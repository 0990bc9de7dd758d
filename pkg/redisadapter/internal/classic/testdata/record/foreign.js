// Records what Node's adapters make of messages that encoders of other languages write, as ../foreign.jsonl. Usage:
//
//	npm install && node foreign.js > ../foreign.jsonl
//
// Each line has a message in hex, the channel, and what becomes of it in socket.io-redis 5.4.0 ("v5") and in
// @socket.io/redis-adapter 8.3.0 ("v8"): the packet that each of two clients gets, or "crash". Client x is in the rooms
// r1 and 7, client y in none but its own.
const { createAdapter } = require("@socket.io/redis-adapter");
const { Encoder } = require("./node_modules/s4/node_modules/socket.io-parser");
const legacy = require("socket.io-redis");
const { Encoder: Encoder2 } = require("./node_modules/socket.io-parser");

// ---- the two adapters, without Redis
const silent = { psubscribe() {}, subscribe() {}, on() {}, publish() {}, listenerCount: () => 1, send_command() {}, pSubscribe() {} };

function v8() {
  const got = { x: [], y: [] }, nsp = { name: "/chat", sockets: new Map(), server: { encoder: new Encoder() } };
  const a = new (createAdapter({ ...silent }, { ...silent }))(nsp);
  for (const id of ["x", "y"]) {
    nsp.sockets.set(id, { id, client: { writeToEngine: (packets) => got[id].push(packets) } });
    a.addAll(id, new Set(id === "x" ? ["x", "r1", "7"] : ["y"]));
  }
  return { got, hear: (channel, msg) => a.onmessage(null, channel, msg) };
}

function v5() {
  const got = { x: [], y: [] }, nsp = { name: "/chat", connected: {}, server: { encoder: new Encoder2() } };
  const A = legacy({ pubClient: { ...silent }, subClient: { ...silent } });
  const a = new A(nsp);
  for (const id of ["x", "y"]) {
    nsp.connected[id] = { id, packet: (packets) => got[id].push(packets) };
    a.addAll(id, id === "x" ? ["x", "r1", "7"] : ["y"]);
  }
  return { got, hear: (channel, msg) => a.onmessage(null, channel, msg) };
}

const text = (packets) => packets.map((p) => (typeof p === "string" ? p : "b:" + Buffer.from(p).toString("hex")));

function outcome(make, channel, msg) {
  const a = make();
  try {
    a.hear(Buffer.from(channel), Buffer.from(msg));
  } catch (e) {
    return "crash";
  }
  return { x: a.got.x.map(text), y: a.got.y.map(text) };
}

// ---- encoders
const u = (n, size) => { const b = Buffer.alloc(size); for (let i = size - 1; i >= 0; i--, n = Math.floor(n / 256)) b[i] = n % 256; return b; };
const cat = (...l) => Buffer.concat(l.map((p) => (typeof p === "number" ? Buffer.from([p]) : p)));
let seed = 1;
const rnd = (n) => { seed = (Math.imul(seed, 1103515245) + 12345) >>> 0; return Math.floor((seed / 2 ** 32) * n); };
const pick = (...l) => l[rnd(l.length)];
const nil = cat(0xc0), undef = cat(0xd4, 0, 0), yes = cat(0xc3), no = cat(0xc2);
const str = (s) => { const b = Buffer.from(s), n = b.length, l = [cat(0xdb, u(n, 4), b), cat(0xda, u(n, 2), b), cat(0xd9, u(n, 1), b)]; if (n < 32) l.push(cat(0xa0 | n, b), cat(0xa0 | n, b), cat(0xa0 | n, b)); return pick(...l); };
const bin = (b) => pick(cat(0xc4, u(b.length, 1), b), cat(0xc5, u(b.length, 2), b), cat(0xc6, u(b.length, 4), b));
const arr = (...l) => cat(pick(...(l.length < 16 ? [cat(0x90 | l.length), cat(0x90 | l.length)] : []), cat(0xdc, u(l.length, 2)), cat(0xdd, u(l.length, 4))), ...l);
const map = (...l) => { const n = l.length / 2; return cat(pick(...(n < 16 ? [cat(0x80 | n), cat(0x80 | n)] : []), cat(0xde, u(n, 2)), cat(0xdf, u(n, 4))), ...l); };
const f64 = (f) => { const b = Buffer.alloc(8); b.writeDoubleBE(f); return cat(0xcb, b); };
const f32 = (f) => { const b = Buffer.alloc(4); b.writeFloatBE(f); return cat(0xca, b); };
const int = (n) => n < 0 ? pick(cat(0xd0, (n + 256) & 255), cat(0xd1, u(n + 65536, 2)), cat(0xd2, u(n + 2 ** 32, 4)), cat(0xd3, u(2 ** 32 - 1, 4), u(n + 2 ** 32, 4)), f64(n), f32(n))
  : pick(cat(n), cat(0xcc, n), cat(0xcd, u(n, 2)), cat(0xce, u(n, 4)), cat(0xcf, u(n, 8)), cat(0xd0, n), cat(0xd1, u(n, 2)), cat(0xd2, u(n, 4)), cat(0xd3, u(n, 8)), f64(n), f32(n));
const ext = () => { const t = pick(1, 1, 5, 42, 127, 255, 254, 128); return pick(cat(0xd4, t, rnd(256)), cat(0xd5, t, u(rnd(65536), 2)), cat(0xd6, t, u(rnd(2 ** 31), 4)), cat(0xd7, t, u(0, 4), u(rnd(2 ** 31), 4)), cat(0xd8, t, Buffer.alloc(16, 3)), cat(0xd4, 0, rnd(256)), cat(0xd7, 0, u(rnd(400), 4), u(rnd(2 ** 31), 4)), cat(0xc7, 3, t, Buffer.from("abc")), cat(0xc8, u(2, 2), t, Buffer.from("ab")), cat(0xc9, u(1, 4), t, Buffer.from("a")), cat(0xc7, 12, t, u(0, 4), u(0, 4), u(rnd(2 ** 31), 4)), cat(0xc7, 0, t)); };
const badText = () => pick(cat(0xa2, 0xff, 0x41), cat(0xa1, 0xc3), cat(0xa2, 0xc0, 0x80), cat(0xa4, 0xf0, 0x80, 0x80, 0x41));
const scalar = () => pick(nil, yes, no, str(pick("", "a", "안녕", "x\"\\\n", "👋")), int(rnd(100)), int(-1 - rnd(100)), f64(pick(0.5, -0, 1e21, 2, NaN, Infinity)), f32(1.5), bin(Buffer.from(pick("", "xy"))), ext(), undef, rnd(30) ? nil : badText());
const key = () => pick(str(pick("a", "b", "10", "")), str("k"), int(rnd(20)), int(-1 - rnd(20)), f64(1.5), nil, yes, bin(Buffer.from("key")), arr(int(1), str("z")), map(str("q"), int(1)), undef);
const value = (depth) => { const n = rnd(4); if (depth > 2 || rnd(3) === 0) return scalar(); const l = Array.from({ length: n }, () => value(depth + 1)); return rnd(2) ? arr(...l) : map(...l.flatMap((v, i) => [rnd(3) ? str("m" + i) : key(), v])); };

// ---- messages: one thing odd, or several
const often = (usual, ...odd) => (rnd(3) ? usual() : pick(...odd)());
const data = () => often(() => arr(str("e"), ...Array.from({ length: rnd(3) }, () => value(0))), () => arr(int(7), value(0)), () => arr(), () => arr(nil), () => arr(bin(Buffer.from("e"))), () => map(), () => map(int(0), str("e")), () => str("e"), () => nil, () => arr(str("connect"), nil), () => arr(str("disconnect")));
const type = () => often(() => int(2), () => int(5), () => str("2"), () => nil, () => int(0), () => int(3), () => f64(2.5), () => bin(Buffer.from("2")), () => yes, () => int(6), () => str("5"), () => str(""));
const nsp = () => often(() => str("/chat"), () => str("/"), () => nil, () => bin(Buffer.from("/chat")), () => str(""), () => arr(str("/chat")), () => undef);
const packet = () => {
  const members = [[str("type"), type()], [str("data"), data()], [str("nsp"), nsp()]].filter(() => rnd(25));
  if (!rnd(6)) members.push(pick([str("id"), nil], [str("x"), str("y")], [int(3), undef], [str("attachments"), nil]));
  if (!rnd(4)) members.reverse();
  return often(() => map(...members.flat()), () => map(...members.flat()), () => map(...members.flat()), () => arr(), () => nil, () => str("packet"), () => no, () => map());
};
const list = () => often(() => arr(), () => arr(), () => arr(str("r1")), () => arr(str("x"), str("zzz")), () => arr(int(7)), () => arr(f64(7)), () => arr(str("7")), () => arr(str("none")), () => str(""), () => str("7"), () => map(), () => map(int(0), str("r1")), () => nil, () => undef, () => no, () => int(0), () => int(7), () => yes, () => bin(Buffer.alloc(0)), () => arr(nil), () => arr(bin(Buffer.from("r1"))), () => arr(arr(str("r1"))), () => map(int(1), str("y")));
const except = () => often(() => arr(), () => arr(str("r1")), () => arr(str("none")), () => str(""), () => map(), () => map(int(0), str("r1")), () => nil, () => undef, () => no, () => int(0), () => int(7), () => yes, () => arr(nil), () => arr(bin(Buffer.from("r1"))), () => arr(arr(str("r1"))));
const flags = () => often(() => map(), () => arr(), () => str(""), () => nil, () => undef, () => map(str("broadcast"), yes), () => map(str("volatile"), nil), () => map(str("volatile"), str("")), () => map(str("compress"), int(1)), () => int(0), () => map(int(1), yes), () => arr(str("volatile")), () => map(str("timeout"), str("soon")));
const opts = () => often(() => map(str("rooms"), list(), str("except"), often(() => arr(), except), str("flags"), flags()), () => map(str("rooms"), list(), str("flags"), flags()), () => arr(), () => arr(nil), () => map(), () => nil, () => undef, () => str(""), () => str("o"), () => int(1), () => no, () => map(str("flags"), flags(), int(9), nil), () => bin(Buffer.alloc(0)), () => map(str("except"), except(), str("rooms"), nil));
const uid = () => often(() => str("emitter"), () => nil, () => int(1), () => bin(Buffer.from("u")), () => str(""), () => undef, () => map(), () => f64(0.5));
const message = () => often(() => arr(uid(), packet(), opts()), () => arr(uid(), packet(), opts(), pick(nil, yes, no, undef)), () => arr(uid(), packet()), () => map(int(0), uid(), int(1), packet(), int(2), opts()), () => cat(arr(uid(), packet(), opts()), nil), () => arr(uid()), () => arr(), () => nil, () => str("abc"), () => arr(uid(), packet(), opts()).subarray(0, -1));

for (let n = 0; n < 2000; n++) {
  const msg = message(), channel = pick("socket.io#/chat#", "socket.io#/chat#", "socket.io#/chat#", "socket.io#/chat#r1#", "socket.io#/chat#none#", "socket.io#/chat#7#");
  console.log(JSON.stringify({ hex: msg.toString("hex"), channel, v5: outcome(v5, channel, msg), v8: outcome(v8, channel, msg) }));
}
