// Records what the sharded adapter of @socket.io/redis-adapter 8.3.0 writes to Redis, as ../../../cluster/testdata/sharded.jsonl. Usage, with redis-server 7 in PATH:
//
//	npm install && node sharded.js > ../../../cluster/testdata/sharded.jsonl
//
// One line a message: the call, channel, bytes in hexadecimal, and for broadcasts the JSON text that Socket.IO clients of a Node node get,
// attachments in hexadecimal, and the options. Random ids are replaced by fixed ones of the same length. The adapters of socket.io that know
// messages of the same kind (Redis Streams, cluster) differ in how they travel.
const http = require("http");
const net = require("net");
const path = require("path");
const { spawn } = require("child_process");
const { createClient } = require("redis");
const { createShardedAdapter } = require("@socket.io/redis-adapter");
const { Server } = require("s4");

const within = (owner, name) => require(require.resolve(name, { paths: [path.dirname(require.resolve(owner))] }));
const { Encoder } = within("s4", "socket.io-parser");
const notepack = within("@socket.io/redis-adapter", "notepack.io");
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));

const payloads = {
  empty: [],
  text: [{ name: "Kim", text: "안녕 👋 \u0000\u001f\"\\/\u2028" }],
  "key order": [{ z: 1, a: { y: null, b: [] }, 10: "ten", 9: "nine" }],
  literals: [null, true, false, undefined, "", {}, []],
  numbers: [0, -1, 2 ** 53, 2 ** 63, 1e21, 0.1, -0, 5e-324, NaN],
  dates: [new Date(1700000000123)],
  "lone surrogates": ["\ud800", "a\udfffb"],
  binary: [Buffer.from([1, 2, 3]), { file: Buffer.alloc(300, 7), note: "n", n: 2 ** 40, d: new Date(1700000000123) }],
  "typed array": [new Uint8Array([9, 8, 7])],
};

async function freePort() {
  return new Promise((resolve) => {
    const s = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = s.address();
      s.close(() => resolve(port));
    });
  });
}

// expected is what a client of a Node 4 node is sent: the text without type and namespace, and the attachments.
function expected(data) {
  const [text, ...attachments] = new Encoder().encode({ type: 2, nsp: "/", data });
  return { text: text.replace(/^\d(\d+-)?/, ""), attachments: attachments.map((a) => Buffer.from(a).toString("hex")) };
}

async function main() {
  const port = await freePort();
  const server = spawn("redis-server", ["--port", port, "--bind", "127.0.0.1", "--save", ""], { stdio: "ignore" });
  await sleep(500);
  const client = async () => {
    const c = createClient({ url: "redis://127.0.0.1:" + port });
    await c.connect();
    return c;
  };
  const tap = await client();
  let current = null;
  const ids = new Map();
  const hear = (bytes, channel) => {
    if (!current) return;
    let text = bytes.toString("latin1");
    channel = channel.toString();
    for (const id of text.match(/(?<=")[0-9a-f]{16}(?=")|(?<=\xb0)[0-9a-f]{16}/g) || []) {
      if (!ids.has(id)) ids.set(id, "id" + String(ids.size).padStart(14, "0"));
    }
    for (const [id, fixed] of ids) {
      text = text.split(id).join(fixed);
      channel = channel.split(id).join(fixed);
    }
    console.log(JSON.stringify({ ...current, channel, hex: Buffer.from(text, "latin1").toString("hex") }));
  };
  const nodes = [];
  for (const name of ["a", "b"]) {
    const io = new Server(http.createServer());
    io.adapter(createShardedAdapter(await client(), await client()));
    nodes.push(io.of("/chat"));
    if (name === "a") io.of("/");
    else nodes[1].on("x", () => {});
  }
  const [a, b] = nodes;
  for (const channel of ["socket.io#/chat#", "socket.io#/#", "socket.io#/chat#r 1#", ...nodes.map((n) => `socket.io#/chat#${n.adapter.uid}#`)]) {
    await tap.sSubscribe(channel, hear, true);
  }
  b.on("hello", (...args) => {
    const ack = args.pop();
    if (typeof ack === "function") ack({ from: "b" });
  });
  b.on("bytes", (ack) => ack(Buffer.from([4, 5])));
  // A socket of b: enough of one to be found, described and asked.
  const socket = {
    id: "sid-of-b",
    handshake: { headers: { host: "h" }, time: "t", address: "::1", xdomain: false, secure: false, issued: 1, url: "/", query: { EIO: "4" }, auth: { token: 1 } },
    rooms: new Set(["sid-of-b", "r 2"]),
    data: { name: "Bob" },
    notifyOutgoingListeners() {},
    client: { writeToEngine() {} },
    acks: new Map(),
    join() {},
    leave() {},
    disconnect() {},
  };
  b.sockets.set(socket.id, socket);
  b.adapter.addAll(socket.id, new Set(["sid-of-b", "r 2"]));
  await sleep(300);

  const record = async (call, f, extra) => {
    current = { call, ...extra };
    try {
      const result = f();
      if (result && result.catch) result.catch((e) => console.error(call, e.message));
    } catch (e) {
      console.error(call, e.message);
    }
    await sleep(80);
    current = null;
  };
  for (const [name, args] of Object.entries(payloads)) {
    const data = ["msgToClient", ...args];
    const binary = JSON.stringify(expected(data).attachments) !== "[]";
    const seen = binary ? notepack.decode(notepack.encode(data)) : JSON.parse(JSON.stringify(data));
    await record(name, () => a.emit("msgToClient", ...args), { expect: expected(seen), rooms: [], except: [] });
  }
  const event = expected(["e", 1]);
  await record("to one room", () => a.to("r 1").emit("e", 1), { expect: event, rooms: ["r 1"], except: [] });
  await record("to two rooms", () => a.to("x").to("y").except("z").emit("e", 1), { expect: event, rooms: ["x", "y"], except: ["z"] });
  await record("to a socket's own room", () => a.to("01234567890123456789").emit("e", 1), { expect: event, rooms: ["01234567890123456789"], except: [] });
  await record("numeric room", () => a.to(7).to(8).emit("e", 1), { expect: event, rooms: ["7", "8"], except: [] });
  await record("volatile", () => a.volatile.compress(false).emit("e", 1), { expect: event, rooms: [], except: [], volatile: true });
  await record("default namespace", () => a.server.of("/").emit("e", 1), { expect: event, rooms: [], except: [], nsp: "/" });
  await record("socketsJoin", () => a.in("r").except("q").socketsJoin(["x", "y"]));
  await record("socketsLeave", () => a.socketsLeave("x"));
  await record("disconnectSockets", () => a.in("r").disconnectSockets(true));
  await record("fetchSockets", () => a.in("r 2").fetchSockets());
  await record("serverSideEmit", () => a.serverSideEmit("hello", 1, { a: null }));
  await record("serverSideEmit with binary", () => a.serverSideEmit("hello", Buffer.from([1])));
  await record("serverSideEmit with ack", () => a.serverSideEmit("hello", () => {}));
  await record("serverSideEmit with binary ack", () => a.serverSideEmit("bytes", () => {}));
  const answering = (arg) => {
    socket.acks = { set: (id, f) => setImmediate(() => f(arg)) };
  };
  answering({ ok: true });
  await record("broadcast with ack", () => a.timeout(500).emit("e", 1, () => {}));
  answering(Buffer.from([6, 7]));
  await record("broadcast with binary and ack", () => a.timeout(500).emit("e", Buffer.from([1]), () => {}));
  server.kill();
  process.exit(0);
}
main();
