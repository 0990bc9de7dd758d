// Records what clients and servers with socket.io-msgpack-parser say to each other, for msgpack_test.go:
//
//   npm install io4@npm:socket.io@4.8.4 client4@npm:socket.io-client@4.8.4 parser4@npm:socket.io-msgpack-parser@3.0.2 \
//     io2@npm:socket.io@2.4.1 client2@npm:socket.io-client@2.5.0 parser2@npm:socket.io-msgpack-parser@2.2.1 notepack.io@2.2.0
//   node record_msgpack.mjs > msgpack.json
//
// A row is one message: its protocol of Engine.IO, its sender, text or base64, and the packet in it; bytes in
// that are {"$b64":…}, undefined {"$undefined":true}.
import { createServer } from "node:http";
import { createRequire } from "node:module";
const require = createRequire(import.meta.url);
const notepack = require("notepack.io");

const plain = (v) =>
  v === undefined ? { $undefined: true }
  : Buffer.isBuffer(v) ? { $b64: v.toString("base64") }
  : Array.isArray(v) ? v.map(plain)
  : v && typeof v === "object" && !(v instanceof Date) ? Object.fromEntries(Object.entries(v).map(([k, x]) => [k, plain(x)]))
  : v;

const rows = [];
const keep = (protocol, from) => ({ type, data }) => {
  if (type !== "message" || data === undefined) return;
  const text = typeof data === "string";
  rows.push({ protocol, from, ...(text ? { text: data } : { b64: Buffer.from(data).toString("base64") }), packet: text ? JSON.parse(data) : plain(notepack.decode(Buffer.from(data))) });
};

async function record(protocol, makeServer, connect) {
  const web = createServer();
  const io = makeServer(web);
  io.of("/chat").on("connection", (socket) => {
    socket.emit("hello", { a: 1, z: [1.5, null] }, Buffer.from("bytes"), "한글");
    socket.on("say", (...args) => {
      const ack = typeof args.at(-1) === "function" && args.pop();
      io.of("/chat").emit("said", ...args);
      if (ack) ack("ok", Buffer.from([1]), args.length);
    });
    socket.on("ask me", () => socket.emit("ask", 1, () => {}));
    socket.on("throw me out", () => socket.disconnect());
  });
  await new Promise((resolve) => web.listen(0, resolve));
  const url = `http://localhost:${web.address().port}`;
  await connect(url, keep(protocol, "client"), keep(protocol, "server"));
  io.close();
}

const talk = (socket) => new Promise((done) => {
  socket.on("connect", () => socket.emit("say", { z: 1, a: { n: null, f: 0.1, big: 2 ** 53, neg: -129 }, list: [] }, Buffer.from([1, 2, 3]), "x".repeat(40), () => socket.emit("ask me")));
  socket.on("ask", (n, answer) => {
    answer("a", Buffer.from("b"));
    socket.emit("throw me out");
  });
  socket.on("disconnect", done);
});
const refused = (socket, event) => new Promise((done) => socket.on(event, done));

await record(4, (web) => new (require("io4").Server)(web, { parser: require("parser4") }), async (url, sent, got) => {
  const connect = (path, options) => {
    const socket = require("client4").io(url + path, { parser: require("parser4"), forceNew: true, transports: ["websocket"], ...options });
    socket.io.engine.on("packet", got).on("packetCreate", sent);
    return socket;
  };
  await talk(connect("/chat", { auth: { token: "x" } }));
  const left = connect("/chat");
  await new Promise((done) => left.on("hello", done));
  left.disconnect();
  const nowhere = connect("/nope");
  await refused(nowhere, "connect_error");
  nowhere.disconnect();
});
await record(3, (web) => require("io2")(web, { parser: require("parser2") }), async (url, sent, got) => {
  const connect = (path) => {
    const socket = require("client2")(url + path, { parser: require("parser2"), forceNew: true, transports: ["websocket"] });
    socket.io.engine.on("packet", got).on("packetCreate", sent);
    return socket;
  };
  await talk(connect("/chat?user=kim"));
  const nowhere = connect("/nope");
  await refused(nowhere, "error");
  nowhere.close();
});
process.stdout.write(`[\n${rows.map((row) => JSON.stringify(row)).join(",\n")}\n]\n`);
process.exit();
