// Records what the real clients and Node's server say to one another: a proxy between the two writes down every
// request, response and WebSocket message in the order it sees them. See README.md for how to run it.
//
// A transcript is one JSON value a line:
//
//   {"id":1,"method":"GET","query":"EIO=4&transport=polling","type":…,"body":…}   a request; SID stands for the session's id
//   {"id":1,"status":200,"type":"text/plain; charset=UTF-8","body":…}             its answer
//   {"id":1,"cut":true}                                                           or its end, by the client
//   {"id":2,"open":"EIO=4&transport=websocket&sid=SID"}                           a WebSocket
//   {"id":2,"from":"client","body":"2probe"}                                      a message on it
//   {"id":2,"from":"server","body":"3probe"}
//   {"id":2,"close":true}                                                         its end, by the client
//
// What is not text is in "hex" instead of "body".
const http = require("http");
const fs = require("fs");
const path = require("path");
const { Server } = require("engine.io");
const WS = require("ws");

const clients = { "client-1": "eio1", "client-3": "eio3", "client-4": "eio4", "client-6": "eio6" };
const ways = { polling: ["polling"], websocket: ["websocket"], upgrade: ["polling", "websocket"] };

function content(data, isText) {
  if (data === undefined || data.length === 0) return {};
  return isText ? { body: data.toString() } : { hex: data.toString("hex") };
}

function record(name, client, transports) {
  return new Promise((resolve, reject) => {
    const lines = [];
    let sid = "", ids = 0;
    const hide = (s) => (sid ? s.split(sid).join("SID") : s);
    const write = (o) => lines.push(JSON.stringify(o));
    const query = (url) => {
      const q = new URLSearchParams(url.slice(url.indexOf("?") + 1));
      q.delete("t"); // time, against caches
      return hide(q.toString());
    };

    const backend = http.createServer();
    const engine = new Server({ allowEIO3: true });
    engine.attach(backend);
    engine.on("connection", (socket) => socket.on("message", (m) => socket.send(m)));

    const proxy = http.createServer((req, res) => {
      const id = ++ids, chunks = [];
      req.on("data", (c) => chunks.push(c));
      req.on("end", () => {
        const body = Buffer.concat(chunks);
        const type = req.headers["content-type"];
        write({ id, method: req.method, query: query(req.url), type, ...content(body, type !== "application/octet-stream") });
        const up = http.request({ port: backend.address().port, method: req.method, path: req.url, headers: req.headers }, (answer) => {
          const parts = [];
          answer.on("data", (c) => parts.push(c));
          answer.on("end", () => {
            const body = Buffer.concat(parts), type = answer.headers["content-type"];
            const found = /"sid":"([^"]+)"/.exec(body.toString());
            if (found) sid = found[1];
            const c = content(body, type !== "application/octet-stream");
            if (c.body) c.body = hide(c.body);
            write({ id, status: answer.statusCode, type, ...c });
            res.writeHead(answer.statusCode, answer.headers);
            res.end(body);
          });
        });
        let cut = false;
        res.on("close", () => {
          if (!res.writableEnded) {
            cut = true;
            write({ id, cut: true });
            up.destroy();
          }
        });
        up.on("error", (err) => cut || reject(err));
        up.end(body);
      });
    });
    const front = new WS.Server({ noServer: true, perMessageDeflate: false });
    proxy.on("upgrade", (req, socket, head) => {
      const id = ++ids;
      write({ id, open: query(req.url) });
      front.handleUpgrade(req, socket, head, (down) => {
        const up = new WS(`ws://localhost:${backend.address().port}${req.url}`, { perMessageDeflate: false });
        const early = [];
        down.on("message", (m, isBinary) => {
          write({ id, from: "client", ...content(m, !isBinary) });
          up.readyState === 1 ? up.send(m, { binary: isBinary }) : early.push([m, isBinary]);
        });
        up.on("open", () => early.forEach(([m, binary]) => up.send(m, { binary })));
        up.on("message", (m, isBinary) => {
          const c = content(m, !isBinary);
          const found = c.body && /"sid":"([^"]+)"/.exec(c.body);
          if (found) sid = found[1];
          if (c.body) c.body = hide(c.body);
          write({ id, from: "server", ...c });
          down.send(m, { binary: isBinary });
        });
        down.on("close", () => { write({ id, close: true }); up.close(); });
        up.on("close", () => down.close());
      });
    });

    backend.listen(0, () => proxy.listen(0, () => {
      const socket = new client(`ws://localhost:${proxy.address().port}`, { transports });
      const say = ["hello", ...(name.startsWith("client-1") && transports[0] === "polling" ? [] : ["안녕 😀"]), Buffer.from([1, 2, 0xff])];
      const next = () => {
        if (say.length) return socket.send(say.shift());
        socket.close();
        setTimeout(() => {
          fs.writeFileSync(path.join(__dirname, name + ".jsonl"), lines.join("\n") + "\n");
          [engine, proxy, backend].forEach((s) => s.close());
          [proxy, backend].forEach((s) => s.closeAllConnections());
          resolve();
        }, 200);
      };
      socket.on("message", next);
      socket.on("open", () => transports.length === 1 && next());
      socket.on("upgrade", () => setTimeout(next, 50));
      socket.on("error", reject);
    }));
  });
}

(async () => {
  for (const [name, module] of Object.entries(clients)) {
    const m = require(module);
    for (const [way, transports] of Object.entries(ways)) await record(`${name}-${way}`, m.Socket || m, transports);
  }
  process.exit(0);
})();
