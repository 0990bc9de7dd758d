// Records what socket.io-redis 5.4.0 and @socket.io/redis-adapter 8.3.0 write to Redis, as ../node.jsonl. Usage, with redis-server in PATH:
//
//	npm install && node record.js > ../node.jsonl
//
// One line a message: its writer, the call, channel, bytes in hexadecimal, and for broadcasts the JSON text that Socket.IO clients of a Node
// node get, attachments in hexadecimal, and the options. Request ids and server ids are replaced by fixed ones of the same length.
const http = require("http");
const net = require("net");
const { spawn } = require("child_process");
const { createClient } = require("redis");
const path = require("path");

// within loads a package as another one sees it.
const within = (owner, name) => require(require.resolve(name, { paths: [path.dirname(require.resolve(owner))] }));
const { Encoder } = within("s4", "socket.io-parser");
const codecs = { "5.4.0": within("socket.io-redis", "notepack.io"), "8.3.0": within("@socket.io/redis-adapter", "notepack.io") };

const sleep = (ms) => new Promise((r) => setTimeout(r, ms));

// What is emitted: name → arguments after the event's name.
const payloads = {
  empty: [],
  text: [{ name: "Kim", text: "안녕 👋 \u0000\u001f\"\\/\u2028" }],
  "key order": [{ z: 1, a: { y: null, b: [] }, 10: "ten", 9: "nine" }],
  literals: [null, true, false, undefined, "", {}, []],
  integers: [0, 1, 127, 128, 255, 256, 65535, 65536, 4294967295, 4294967296, -1, -32, -33, -128, -129, -32768, -32769, -2147483648, -2147483649],
  "large integers": [2 ** 53 - 1, 2 ** 53, -(2 ** 53), 2 ** 60, 2 ** 63, -(2 ** 63)],
  floats: [0.1, -0.5, 1.5, 1e-7, 123456789.125, 5e-324, 1.7976931348623157e308, -0],
  "not finite": [NaN, Infinity, -Infinity],
  dates: [new Date(0), new Date(1700000000000), new Date(1700000000123), new Date(-1), new Date(253402300800000), new Date(NaN)],
  "undefined member": [{ a: undefined, b: 1 }, { a: undefined }],
  strings: ["x".repeat(31), "x".repeat(32), "x".repeat(255), "é".repeat(200)],
  containers: [Array.from({ length: 16 }, (_, i) => i), Object.fromEntries(Array.from({ length: 16 }, (_, i) => ["k" + i, i]))],
  "long array": [Array.from({ length: 300 }, () => 7)],
  nested: [[[[[[[[[{ a: [{ b: {} }] }]]]]]]]]],
  binary: [Buffer.from([1, 2, 3]), { file: Buffer.alloc(300, 7), note: "n" }],
  "typed array": [new Uint8Array([9, 8, 7])],
  "array buffer": [new Uint8Array([1, 2]).buffer],
  "lone surrogates": ["\ud800", "a\udfffb", "\ud800" + "x".repeat(40)],
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
  const url = "redis://127.0.0.1:" + port;
  const tap = createClient({ url });
  await tap.connect();
  let current = null;
  const ids = new Map();
  const fixed = (id) => {
    if (!ids.has(id)) ids.set(id, "id" + String(ids.size).padStart(id.length - 2, "0"));
    return ids.get(id);
  };
  await tap.pSubscribe("*", (bytes, channel) => {
    if (!current) return;
    let text = bytes.toString("latin1");
    const found = text.match(/(?<="(?:uid|requestId|requestid)":")[^"]+|(?<=\xa9requestId\xa6)......|(?<=\xa3uid\xa6)......|(?<=^\x93\xa6)....../g) || [];
    for (const id of found) text = text.split(id).join(fixed(id));
    for (const id of ids.keys()) channel = channel.toString().split(id).join(fixed(id));
    console.log(JSON.stringify({ ...current, channel: channel.toString(), hex: Buffer.from(text, "latin1").toString("hex") }));
  }, true);

  const s2 = require("s2")(http.createServer());
  s2.adapter(require("socket.io-redis")({ host: "127.0.0.1", port }));
  const chat2 = s2.of("/chat");
  const { Server } = require("s4");
  const pub = createClient({ url }), sub = createClient({ url });
  await Promise.all([pub.connect(), sub.connect()]);
  const s4 = new Server(http.createServer());
  s4.adapter(require("@socket.io/redis-adapter").createAdapter(pub, sub));
  const chat4 = s4.of("/chat");
  await sleep(500);

  const record = async (from, call, f, extra) => {
    current = { from, call, ...extra };
    try {
      const result = f();
      if (result && result.catch) result.catch(() => {});
    } catch (e) {
      console.error(from, call, e.message);
    }
    await sleep(60);
    current = null;
  };
  for (const [from, chat] of [["5.4.0", chat2], ["8.3.0", chat4]]) {
    for (const [name, args] of Object.entries(payloads)) {
      const data = ["msgToClient", ...args];
      // What the adapter's codec makes of it is what other nodes' clients get.
      const sent = codecs[from];
      let expect = null;
      try {
        expect = expected(sent.decode(sent.encode(data)));
      } catch (e) {
        console.error(name, e.message);
      }
      await record(from, name, () => chat.emit("msgToClient", ...args), { expect, rooms: [], except: [] });
    }
    const event = expected(["e", 1]);
    await record(from, "to one room", () => chat.to("r 1").emit("e", 1), { expect: event, rooms: ["r 1"], except: [] });
    await record(from, "to two rooms", () => chat.to("a").to("b").emit("e", 1), { expect: event, rooms: ["a", "b"], except: [] });
    await record(from, "volatile", () => chat.volatile.compress(false).emit("e", 1), { expect: event, rooms: [], except: [], volatile: true });
    await record(from, "from a socket", () => chat.adapter.broadcast({ type: 2, data: ["e", 1] }, from === "5.4.0"
      ? { except: ["sid"], rooms: [], flags: { broadcast: true } }
      : { except: new Set(["sid"]), rooms: new Set(), flags: { broadcast: true } }), { expect: event, rooms: [], except: ["sid"] });
    await record(from, "default namespace", () => (from === "5.4.0" ? s2 : s4).of("/").emit("e", 1), { expect: event, rooms: [], except: [], nsp: "/" });
  }
  await record("8.3.0", "numeric room", () => chat4.to(7).emit("e", 1), { expect: expected(["e", 1]), rooms: ["7"], except: [] });
  await record("8.3.0", "SOCKETS join", () => chat4.in("a").except("b").socketsJoin(["x", "y"]));
  await record("8.3.0", "SOCKETS leave", () => chat4.socketsLeave("x"));
  await record("8.3.0", "disconnectSockets", () => chat4.in("a").disconnectSockets(true));
  await record("8.3.0", "fetchSockets", () => chat4.in("a").fetchSockets());
  await record("8.3.0", "allRooms", () => chat4.adapter.allRooms());
  await record("8.3.0", "serverSideEmit", () => chat4.serverSideEmit("hello", 1, { a: null }));
  await record("8.3.0", "serverSideEmit with ack", () => chat4.serverSideEmit("hello", () => {}));
  await record("5.4.0", "clients", () => chat2.adapter.clients(["a"], () => {}));
  await record("5.4.0", "clientRooms", () => chat2.adapter.clientRooms("sid", () => {}));
  await record("5.4.0", "allRooms", () => chat2.adapter.allRooms(() => {}));
  await record("5.4.0", "remoteJoin", () => chat2.adapter.remoteJoin("sid", "r", () => {}));
  await record("5.4.0", "remoteLeave", () => chat2.adapter.remoteLeave("sid", "r", () => {}));
  await record("5.4.0", "remoteDisconnect", () => chat2.adapter.remoteDisconnect("sid", true, () => {}));
  // A node of generation 2 does not survive these.
  process.on("uncaughtException", () => {});
  process.on("unhandledRejection", () => {});
  await record("8.3.0", "broadcast with ack", () => chat4.timeout(100).emit("q", { b: Buffer.from([1]) }, () => {}));
  await record("5.4.0", "customRequest", () => chat2.adapter.customRequest({ a: 1 }, () => {}));
  server.kill();
  process.exit(0);
}

main();
