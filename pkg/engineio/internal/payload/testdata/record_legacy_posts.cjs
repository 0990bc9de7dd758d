// Records what clients of several generations POST for the texts below. README.md says how to run it.
//
// The server is the least that keeps a protocol 3 client on polling happy: it answers ASCII only, in the form that the
// client reads, and writes down every request.
"use strict";
const { createServer } = require("http");
const { fork } = require("child_process");
const { readFileSync, existsSync } = require("fs");

const texts = ["abc", "안", "é", "😀", "김치찌개 café 😀 \u2028 \u0080ÿ", "Ã©"];
const handshake = '0{"sid":"s","upgrades":[],"pingInterval":25000,"pingTimeout":20000}';

// In a forked process: the Node client.
if (process.argv[2] === "client") {
  const socket = require(process.argv[3])(process.argv[4] + "/chat", JSON.parse(process.argv[5]));
  process.on("message", (text) => socket.emit("m", text));
  socket.on("connect", () => process.send("connected"));
  return;
}

function respond(res, query, packets) {
  const old = query.get("EIO") === "2" || /^\d+-\d+$/.test(query.get("t")); // reads the binary form only
  if (old && !query.has("b64")) {
    res.setHeader("Content-Type", "application/octet-stream");
    return res.end(Buffer.concat(packets.map((p) => Buffer.from([0, ...[...String(p.length)].map(Number), 255, ...Buffer.from(p)]))));
  }
  const text = packets.map((p) => p.length + ":" + p).join("");
  res.setHeader("Content-Type", "text/plain; charset=UTF-8");
  res.end(query.has("j") ? `___eio[${query.get("j")}](${JSON.stringify(text)});` : text);
}

async function record(client, env, start) {
  const line = { client, env, posts: [] };
  let poll, answered = false, sawPost = () => {};
  const answer = () => { // the first POST is the connect packet
    if (!poll || answered || line.posts.length === 0) return;
    answered = true;
    respond(poll.res, poll.query, ["40/chat"]);
  };
  const server = createServer((req, res) => {
    const url = new URL(req.url, "http://localhost"), query = url.searchParams;
    if (url.pathname === "/page") return res.setHeader("Content-Type", "text/html; charset=utf-8").end("<!doctype html><script src=client.js></script>");
    if (url.pathname === "/client.js") {
      const file = ["dist/socket.io.js", "socket.io.js"].map((f) => `node_modules/c${client}/${f}`).find(existsSync);
      return res.setHeader("Content-Type", "text/javascript; charset=utf-8").end(readFileSync(file));
    }
    if (url.pathname !== "/socket.io/") return res.writeHead(404).end();
    if (req.method === "POST") {
      const chunks = [];
      req.on("data", (c) => chunks.push(c)).on("end", () => {
        line.posts.push({ type: req.headers["content-type"], body: Buffer.concat(chunks).toString("hex") });
        res.setHeader("Content-Type", "text/html").end("ok");
        answer();
        sawPost();
      });
    } else if (query.has("sid")) {
      poll = { res, query };
      answer();
    } else {
      line.handshake = url.search.slice(1);
      respond(res, query, [handshake, "40"]);
    }
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const options = { transports: ["polling"], reconnection: false, forceBase64: env === "xhr-b64", forceJSONP: env === "jsonp" };
  const { emit, stop } = await start(client, "http://127.0.0.1:" + server.address().port, options);
  for (const text of texts) {
    const posted = new Promise((done) => (sawPost = done));
    await emit(text);
    await posted;
  }
  await stop();
  server.closeAllConnections();
  server.close();
  console.log(JSON.stringify({ ...line, texts: texts.map((t) => Buffer.from(t).toString("hex")) }));
}

async function startNode(client, base, options) {
  const child = fork(__filename, ["client", process.cwd() + "/node_modules/c" + client, base, JSON.stringify(options)]);
  await new Promise((done) => child.once("message", done));
  return { emit: (text) => child.send(text), stop: () => child.kill() };
}

async function main() {
  const { chromium } = require(require.resolve("playwright-core", { paths: [process.cwd()] }));
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"] });
  const startPage = async (client, base, options) => {
    const page = await browser.newPage();
    await page.goto(base + "/page");
    await page.evaluate(([base, options]) => new Promise((done) => (window.socket = io(base + "/chat", options)).on("connect", done)), [base, options]);
    return { emit: (text) => page.evaluate((text) => void window.socket.emit("m", text), text), stop: () => page.close() };
  };
  for (const client of ["1.0.6", "1.3.7", "1.4.5", "1.7.4", "2.0.4", "2.5.0"]) for (const env of ["xhr", "xhr-b64", "jsonp"]) await record(client, env, startPage);
  for (const client of ["1.4.5", "1.7.4", "2.0.4", "2.5.0"]) await record(client, "node", startNode);
  await browser.close();
}
main();
