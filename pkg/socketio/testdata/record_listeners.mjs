// Records what listeners see and clients hear with Node's server, for listeners_test.go:
//
//   npm install socket.io@4.8.4 socket.io-client@4.8.4
//   node record_listeners.mjs > listeners.json
import { createServer } from "node:http";
import { Server } from "socket.io";
import { io as connect } from "socket.io-client";

const http = createServer();
const io = new Server(http, { transports: ["websocket"] });
await new Promise((done) => http.listen(0, done));

let facts = {};
const rooms = (s) => [...s.rooms].map((r) => (r === s.id ? "own" : r)).sort();
const look = (s) => `connected ${s.connected}, listed ${s.nsp.sockets.has(s.id)}, rooms [${rooms(s).join(" ")}]`;

const nsp = io.of("/chat");
nsp.use((s, next) => {
  facts.middleware = look(s);
  s.join("early");
  next();
});
nsp.on("connect", (s) => (facts.connect = look(s)));
nsp.on("connection", async (s) => {
  facts.connection = look(s);
  s.emit("first");
  s.join("late");
  nsp.to("late").emit("second");
  nsp.to("early").emit("third");
  s.to("late").emit("from another");
  nsp.emit("fourth");
  s.on("disconnecting", (reason) => {
    facts.disconnecting = `${look(s)}, ${reason}`;
    nsp.to("late").emit("going");
  });
  s.on("disconnect", (reason) => {
    facts.disconnect = `${look(s)}, ${reason}`;
    nsp.emit("gone");
  });
  s.on("ask", (answer) => {
    s.emit("before");
    answer("answer");
    s.emit("after");
  });
  s.on("bye", () => {
    s.disconnect();
    facts.disconnected = look(s);
    s.emit("never");
  });
  facts.fetched = (await nsp.fetchSockets()).some((x) => x.id === s.id);
});

const settle = () => new Promise((done) => setTimeout(done, 100));
const dial = async () => {
  const c = connect(`http://localhost:${http.address().port}/chat`, { forceNew: true, transports: ["websocket"], reconnection: false });
  c.heard = [];
  c.onAny((event) => c.heard.push(event));
  await new Promise((done) => c.on("connect", done));
  await settle();
  return c;
};

const result = {};
const other = await dial();
facts = {};
const ends = { client: (c) => c.disconnect(), server: (c) => c.emit("bye"), cut: (c) => c.io.engine.close() };
for (const [how, end] of Object.entries(ends)) {
  const c = await dial();
  await new Promise((done) => c.emit("ask", () => done(c.heard.push("(acknowledged)"))));
  await settle();
  other.heard.length = 0;
  end(c);
  await settle();
  result[how] = { sees: facts, heard: c.heard, others: [...other.heard] };
  facts = {};
}
console.log(JSON.stringify(result, null, 2));
process.exit(0);
