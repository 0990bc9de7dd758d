// Records how socket.io 4.8 answers requests for its client bundles, for bundles_test.go:
//   node testdata/record.mjs > testdata/bundles.json      (after npm ci in pkg/e2e/node)
import { createServer, request } from "node:http";
import { createRequire } from "node:module";

const require = createRequire(new URL("../../e2e/node/package.json", import.meta.url));
const { Server } = require("socket.io-4");

const setups = {
  any: { cors: { origin: "*" } },
  list: { cors: { origin: ["http://a.example", "http://b.example"], credentials: true } },
};
const kept = /^(access-control-|cache-control|content-encoding|content-type|etag|vary)/;
const js = "/socket.io/socket.io.js";
const requests = [
  ["any", "GET", "/socket.io/socket.io.js.map"],
  ["any", "GET", "/socket.io/socket.io.min.js"],
  ["any", "GET", "/socket.io/socket.io.min.js.map"],
  ["any", "GET", "/socket.io/socket.io.esm.min.js"],
  ["any", "GET", "/socket.io/socket.io.esm.min.js.map"],
  ["any", "GET", "/socket.io/socket.io.msgpack.min.js"],
  ["any", "GET", "/socket.io/socket.io.msgpack.min.js.map"],
  ["any", "GET", js],
  ["any", "GET", js + "?v=1"],
  ["any", "HEAD", js],
  ["any", "POST", js],
  ["any", "OPTIONS", js],
  ["any", "OPTIONS", js, { "access-control-request-headers": "x-a, x-b" }],
  ["any", "GET", js, { range: "bytes=0-9" }],
  ["any", "GET", js, { "accept-encoding": "gzip" }],
  ["any", "GET", js, { "accept-encoding": "gzip, deflate, br" }],
  ["any", "GET", js, { "accept-encoding": "*" }],
  ["any", "GET", js, { "accept-encoding": "gzip;q=0" }],
  ["any", "GET", js, { "accept-encoding": "identity" }],
  ["any", "GET", js, { "if-none-match": '"4.8.4"' }],
  ["any", "GET", js, { "if-none-match": 'W/"4.8.4"' }],
  ["any", "GET", js, { "if-none-match": '"4.8.3"' }],
  ["any", "GET", js, { "if-none-match": "*" }],
  ["any", "GET", js, { origin: "http://a.example" }],
  ["list", "GET", js],
  ["list", "GET", js, { origin: "http://b.example" }],
  ["list", "GET", js, { origin: "http://c.example" }],
  ["list", "GET", js, { origin: "http://b.example", "if-none-match": '"4.8.4"' }],
  ["list", "OPTIONS", js, { origin: "http://a.example" }],
  ["list", "OPTIONS", js, { origin: "http://c.example" }],
];

function ask(port, method, path, headers) {
  return new Promise((resolve, reject) => {
    request({ host: "127.0.0.1", port, method, path, headers, agent: false }, (answer) => {
      answer.resume().on("end", () => resolve(answer));
    }).on("error", reject).end();
  });
}

const recorded = [];
for (const [name, options] of Object.entries(setups)) {
  const http = createServer((_, answer) => answer.writeHead(404).end());
  const io = new Server(http, options);
  await new Promise((listening) => http.listen(0, "127.0.0.1", listening));
  for (const [setup, method, path, headers = {}] of requests.filter((r) => r[0] === name)) {
    const { statusCode, headers: all } = await ask(http.address().port, method, path, headers);
    const answer = Object.fromEntries(Object.entries(all).filter(([h]) => kept.test(h)));
    recorded.push({ setup, method, path, headers, status: statusCode, answer });
  }
  await io.close();
}
process.stdout.write("[\n" + recorded.map((r) => " " + JSON.stringify(r)).join(",\n") + "\n]\n");
