// Makes odd HTTP requests, as middleboxes and small clients write them, and records what engine.io 3.5.0 (socket.io 2.4.1) and
// engine.io 6.6.13 (socket.io 4.8.4) say to each. README.md says how to run it. The seed makes it the same list every time.
//
// A line of the output: {name, session, request, v3, v4}. "session" is the protocol of a polling session that is opened first, 0 for
// none; SID in the request stands for its id. A session is told "hi" once, and told back what it says. v3 and v4 are the answers in order, "101" or
// "200 open" and the like, and "…" at the end if the connection was still good for another request.
"use strict";
const fs = require("fs"), http = require("http"), net = require("net");
const load = require("module").createRequire(process.cwd() + "/");
const engines = { v3: load("engine3"), v4: load("engine6") };

// ---- the requests

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const socket = (extra = {}) => ({ method: "GET", target: "/engine.io/?EIO=3&transport=websocket", version: "HTTP/1.1", before: "", body: "", after: "",
  headers: [["Host", "chat.example"], ["Upgrade", "websocket"], ["Connection", "Upgrade"], ["Sec-WebSocket-Version", "13"], ["Sec-WebSocket-Key", KEY]], ...extra });
const get = (target, extra = {}) => ({ method: "GET", target, version: "HTTP/1.1", before: "", body: "", after: "", headers: [["Host", "chat.example"], ["Connection", "keep-alive"]], ...extra });
const bases = {
  "a handshake": [0, get("/engine.io/?EIO=3&transport=polling")],
  "a WebSocket": [0, socket()],
  "an upgrade": [3, socket({ target: "/engine.io/?EIO=3&transport=websocket&sid=SID" })],
  "a poll": [3, get("/engine.io/?EIO=3&transport=polling&sid=SID")],
  "a POST": [3, { ...get("/engine.io/?EIO=3&transport=polling&sid=SID"), method: "POST", body: "2:4x",
    headers: [["Host", "chat.example"], ["Content-Type", "text/plain;charset=UTF-8"], ["Content-Length", "4"]] }],
  "a poll of protocol 4": [4, get("/engine.io/?EIO=4&transport=polling&sid=SID")],
  "a POST of protocol 4": [4, { ...get("/engine.io/?EIO=4&transport=polling&sid=SID"), method: "POST", body: "4x",
    headers: [["Host", "chat.example"], ["Content-Type", "text/plain;charset=UTF-8"], ["Content-Length", "2"]] }],
};
const write = (r, end = r.end || "\r\n") => r.before + [`${r.method}${r.space || " "}${r.target} ${r.version}`, ...r.headers.map(([k, v, colon = ": "]) => k + colon + v)].join(end) + end + end + r.body + r.after;

// A change returns the changed request, or null where it makes no sense.
const set = (name, ...values) => (r) => {
  const at = r.headers.findIndex(([k]) => k.toLowerCase() === name.toLowerCase());
  const rest = r.headers.filter(([k]) => k.toLowerCase() !== name.toLowerCase());
  rest.splice(at < 0 ? rest.length : at, 0, ...values.map((v) => [name, v]));
  return { ...r, headers: rest };
};
const upgrade = (f) => (r) => (r.headers.some(([k]) => k === "Upgrade") ? f(r) : null);
const plain = (f) => (r) => (r.headers.some(([k]) => k === "Upgrade") ? null : f(r));
const post = (f) => (r) => (r.method === "POST" ? f(r) : null);
const bare = (f) => (r) => (r.method === "POST" ? null : f(r));
const target = (f) => (r) => ({ ...r, target: f(r.target) });
const query = (more) => target((t) => t + more);
const chunks = (r, ...names) => ({ ...r, body: `${r.body.length.toString(16)}\r\n${r.body}\r\n0\r\n\r\n`, headers: names.reduce((h, v) => [...h, ["Transfer-Encoding", v]], r.headers.filter(([k]) => k !== "Content-Length")) });
const changes = {};
const add = (name, f) => { if (changes[name]) throw name; changes[name] = f; };
for (const [name, text] of Object.entries({ CRLF: "\r\n", "two CRLF": "\r\n\r\n", "an LF": "\n", "ten CRLF": "\r\n".repeat(10), "a space": " ", "a CR": "\r" })) {
  add(`${name} before it`, (r) => ({ ...r, before: text }));
  add(`${name} behind it`, (r) => ({ ...r, after: text }));
}
for (const f of ["#", "#x", "#&sid=other", "#/?EIO=4"]) add(`the fragment ${f}`, query(f));
add("a fragment before the query", target((t) => t.replace("?", "#?")));
for (const q of ["&", "&&x", "&=", "&a[]=1", "&%", "&%zz=1", "&x=%zz", "&x=%00", "&x=a+b", ";x=1", "&x=a;sid=other", "&EIO=4", "&EIO=3", "&transport=polling", "&transport=websocket", "&sid=", "&sid=other",
  "&t=abc&b64=1", "&j=0", "&j=", "&x=\"<>|{}^`\\", "&x=\u00e9", "&x=\u00ed\u0095\u009c", "?x=1", "&x=a b", "&x=a\tb", "&x=\x7f", "&x=\x01", "&__proto__=1", "&s%69d=other", "&x=" + "y".repeat(3000)]) add(`the query ${JSON.stringify(q.slice(0, 20))}`, query(q));
for (const [from, to] of [["EIO=3&", ""], ["EIO=3", "EIO=5"], ["EIO=3", "EIO="], ["EIO=3", "EIO=%33"], ["EIO=4", "EIO=%34"], ["EIO=3", "eio=3"], ["transport=polling", "transport=POLLING"], ["transport=polling", "transport=%70olling"],
  ["transport=polling", "transport="], ["SID", "%53ID"], ["/engine.io/", "/engine.io"], ["/engine.io/", "//engine.io/"], ["/engine.io/", "/engine.io/x"], ["/engine.io/", "/engine.io//"], ["/engine.io/", "/Engine.io/"], ["/engine.io/", "/engine%2eio/"],
  ["/engine.io/", "/x/../engine.io/"], ["/engine.io/", "http://chat.example/engine.io/"], ["/engine.io/", "engine.io/"], ["/engine.io/?", "/engine.io/??"]]) add(`${from} as ${to || "nothing"}`, (r) => (r.target.includes(from) ? { ...r, target: r.target.replace(from, to) } : null));
for (const m of ["get", "post", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "FOO", "G\u00cbT"]) add(`the method ${m}`, (r) => ({ ...r, method: m }));
for (const v of ["HTTP/1.0", "HTTP/1.2", "HTTP/2.0", "HTTP/0.9", "http/1.1", "HTTP/1", "HTTP/1.1 ", "HTTP/01.1", ""]) add(`the version ${JSON.stringify(v)}`, (r) => ({ ...r, version: v }));
add("two spaces", (r) => ({ ...r, space: "  " }));
add("a tab", (r) => ({ ...r, space: "\t" }));
add("lines that end with LF", (r) => ({ ...r, end: "\n" }));
for (const list of [["keep-alive", "Upgrade"], ["Upgrade", "keep-alive"], ["Keep-Alive", "upgrade"], ["keep-alive", "close, Upgrade"], ["close", "Upgrade"], ["Upgrade", "close"], ["Upgrade, close"], ["keep-alive, Upgrade"], ["keep-alive,Upgrade,foo"], ["upgrade,keep-alive"],
  ["Upgrade,"], [",,Upgrade"], ["", "Upgrade"], ["Upgrade", ""], ["UPGRADE"], ["Upgrade, HTTP2-Settings"], ["Upgrade", "Upgrade"], ["x-upgrade"], ["upgrade-insecure"], ["keep-alive"], ["\tUpgrade \t"]]) add(`Connection: ${list.map((v) => JSON.stringify(v)).join(" and ")}`, upgrade(set("Connection", ...list)));
for (const list of [[], ["close"], ["Close"], ["close, keep-alive"], ["keep-alive", "close"], ["close", "keep-alive"], ["keep-alive", "keep-alive"], ["Keep-Alive"], ["keep-alive, foo"], ["foo"], [""], ["", "keep-alive"], ["te, trailers"], ["content-length"], ["Upgrade"], ["keep-alive,"]]) add(`Connection: ${list.map((v) => JSON.stringify(v)).join(" and ") || "none"}`, plain(set("Connection", ...list)));
for (const v of ["8", "7", "14", "13, 8", "013", "13.0", "0xd", "", "x"]) add(`version ${JSON.stringify(v)}`, upgrade(set("Sec-WebSocket-Version", v)));
add("two versions", upgrade(set("Sec-WebSocket-Version", "13", "13")));
add("no version", upgrade(set("Sec-WebSocket-Version")));
for (const list of [[""], ["arduino"], ["a, b"], ["a,b,"], ["a,,b"], [","], ["a", "b"], ["a b"], ["a, a"], ["\u00e9"]]) add(`subprotocol ${list.map((v) => JSON.stringify(v)).join(" and ")}`, upgrade(set("Sec-WebSocket-Protocol", ...list)));
for (const list of [["permessage-deflate; client_max_window_bits"], [""], ["x"], ["permessage-deflate;;"], ["foo", "permessage-deflate"]]) add(`extensions ${list.map((v) => JSON.stringify(v)).join(" and ")}`, upgrade(set("Sec-WebSocket-Extensions", ...list)));
for (const list of [[], [""], ["short=="], ["!!!!!!!!!!!!!!!!!!!!!!=="], ["dGhlIHNhbXBsZSBub25jZQ=a"], ["dGhlIHNhbXBsZSBub25jZZ=="], ["dGhlIHNhbXBsZSBub25jZQ"], [KEY, KEY]]) add(`key ${list.map((v) => JSON.stringify(v)).join(" and ") || "none"}`, upgrade(set("Sec-WebSocket-Key", ...list)));
for (const list of [["WebSocket"], ["websocket, foo"], ["h2c"], ["h2c, websocket"], ["websocket", "websocket"], [""], ["websocket/13"]]) add(`Upgrade: ${list.map((v) => JSON.stringify(v)).join(" and ")}`, upgrade(set("Upgrade", ...list)));
for (const list of [["websocket"], ["h2c"], [""]]) add(`Upgrade without Connection: ${list}`, plain(set("Upgrade", ...list)));
for (const list of [["h2c"], ["websocket"]]) add(`Upgrade with Connection: ${list}`, plain((r) => set("Connection", "Upgrade")(set("Upgrade", ...list)(r))));
for (const list of [["4, 4"], ["+4"], ["0x4"], ["4 "], ["04"], ["-4"], ["4a"], [""], ["99999999999999999999"], ["4", "4"], ["4", "5"], ["3"], ["0"]]) add(`length ${list.map((v) => JSON.stringify(v)).join(" and ")}`, post((r) => set("Content-Length", ...list.map((v) => v.replace("4", r.body.length)))(r)));
add("no length", post(set("Content-Length")));
for (const v of ["0", "5", "-1", "x"]) add(`a GET with length ${v}`, bare((r) => set("Content-Length", v)({ ...r, body: v === "5" ? "hello" : "" })));
add("a GET with chunks", bare((r) => chunks({ ...r, body: "hello" }, "chunked")));
for (const list of [["chunked"], ["Chunked"], ["gzip, chunked"], ["identity"], ["chunked, identity"], ["xchunked"], ["chunked", "chunked"], [" chunked"], [""]]) add(`encoding ${list.map((v) => JSON.stringify(v)).join(" and ")}`, post((r) => chunks(r, ...list)));
add("length and chunks", post((r) => set("Content-Length", "5")(chunks(r, "chunked"))));
add("chunk extensions", post((r) => { const c = chunks(r, "chunked"); return { ...c, body: c.body.replace("\r\n", ";a=b\r\n") }; }));
add("chunks with a trailer", post((r) => { const c = chunks(r, "chunked"); return { ...c, body: c.body.replace(/0\r\n\r\n$/, "0\r\nX: y\r\n\r\n") }; }));
for (const v of ["100-continue", "100-Continue", "foo", ""]) add(`Expect: ${v}`, post(set("Expect", v)));
for (const list of [[], ["chat.example", "chat.example"], ["chat.example", "other"], [""], ["a b"], ["user@chat.example"], ["chat.example:"], ["chat.example:80:80"], ["[::1]:80"], ["chat/example"], ["\u00e9"], ["chat_1"], ["CHAT.example"]]) add(`Host: ${list.map((v) => JSON.stringify(v)).join(" and ") || "none"}`, set("Host", ...list));
for (const [name, h] of Object.entries({ "a space before a colon": ["X-Odd", "y", " : "], "a space before the colon of the length": null, folding: ["X-Odd", "y\r\n z"], "a line without a colon": ["X-Odd", "", ""], "an empty name": ["", "y"], "no space behind a colon": ["X-Odd", "y", ":"],
  "tabs around a value": ["X-Odd", "\ty\t "], "a value in Latin-1": ["X-Odd", "\u00e9"], "NUL in a value": ["X-Odd", "a\0b"], "a control in a value": ["X-Odd", "a\x01b"], "DEL in a value": ["X-Odd", "a\x7fb"], "a CR in a value": ["X-Odd", "a\rb"], "an LF in a value": ["X-Odd", "a\nb: c"], "a parenthesis in a name": ["X(", "y"], "an at in a name": ["X@y", "z"],
  "a name in Latin-1": ["X-\u00e9", "y"], "an underscore in a name": ["X_Odd", "y"], "a long field": ["X-Odd", "y".repeat(9000)], "a leading space": [" X-Odd", "y"], "the first line folded": null, "TE: trailers": ["TE", "trailers"], Trailer: ["Trailer", "X-Odd"],
  "an Origin with an odd byte": ["Origin", "http://a\x80"], "Origin: null": ["Origin", "null"], "two Origins": null, "an empty Origin": ["Origin", ""], "an empty User-Agent": ["User-Agent", ""], "Keep-Alive": ["Keep-Alive", "timeout=5"], "Proxy-Connection": ["Proxy-Connection", "keep-alive"] })) {
  if (h) add(name, (r) => ({ ...r, headers: [...r.headers, h] }));
}
add("a space before the colon of the length", post((r) => ({ ...r, headers: r.headers.map(([k, v]) => (k === "Content-Length" ? [k, v, " : "] : [k, v])) })));
add("the first line folded", (r) => ({ ...r, version: r.version + "\r\n X" }));
add("two Origins", (r) => ({ ...r, headers: [...r.headers, ["Origin", "http://a"], ["Origin", "http://b"]] }));
add("70 fields", (r) => ({ ...r, headers: [...r.headers, ...Array.from({ length: 70 }, (_, i) => ["X-" + i, "y"])] }));
add("300 fields", (r) => ({ ...r, headers: [...r.headers, ...Array.from({ length: 300 }, (_, i) => ["X-" + i, "y"])] }));
add("names in capitals", (r) => ({ ...r, headers: r.headers.map(([k, v]) => [k.toUpperCase(), v]) }));
add("names in small letters", (r) => ({ ...r, headers: r.headers.map(([k, v]) => [k.toLowerCase(), v]) }));
add("fields in reverse", (r) => ({ ...r, headers: [...r.headers].reverse() }));
for (const v of ["Application/Octet-Stream", "application/octet-stream; x", "text/plain", "", "application/x-www-form-urlencoded", "application/json"]) add(`Content-Type: ${JSON.stringify(v)}`, post(set("Content-Type", v)));
add("no Content-Type", post(set("Content-Type")));
add("a preflight", plain((r) => ({ ...r, method: "OPTIONS", body: "", headers: [["Host", "chat.example"], ["Origin", "http://a"], ["Access-Control-Request-Method", "POST"]] })));
add("frames behind it", upgrade((r) => ({ ...r, after: "\x81\x82\0\0\0\x004x" })));

// More changes, which are drawn several at once: what a query, a target or a body may say twice, or in another spelling. PSID stands for the id with each
// character escaped.
const more = {}, moreBases = {
  ...bases,
  "a JSONP poll": [3, get("/engine.io/?EIO=3&transport=polling&sid=SID&j=0")],
  "a JSONP POST": [3, { ...get("/engine.io/?EIO=3&transport=polling&sid=SID&j=0"), method: "POST", body: "d=2%3A4x",
    headers: [["Host", "chat.example"], ["Content-Type", "application/x-www-form-urlencoded"], ["Content-Length", "8"]] }],
  "a binary POST": [3, { ...get("/engine.io/?EIO=3&transport=polling&sid=SID"), method: "POST", body: "\x00\x02\xff4x",
    headers: [["Host", "chat.example"], ["Content-Type", "application/octet-stream"], ["Content-Length", "5"]] }],
  "a handshake of protocol 4": [0, get("/engine.io/?EIO=4&transport=polling")],
  "a WebSocket of protocol 4": [0, socket({ target: "/engine.io/?EIO=4&transport=websocket" })],
  "an upgrade of protocol 4": [4, socket({ target: "/engine.io/?EIO=4&transport=websocket&sid=SID" })],
};
const addMore = (name, f) => { if (more[name]) throw name; more[name] = f; };
const swap = (from, to) => (r) => (r.target.includes(from) ? { ...r, target: r.target.replace(from, to) } : null);
const body = (text) => post((r) => set("Content-Length", String(text.length))({ ...r, body: text }));
for (const [from, to] of [["EIO=3", "EIO=4"], ["EIO=4", "EIO=3"], ["EIO=3", "EIO=3&EIO=3"], ["EIO=4", "EIO=4&EIO=4"], ["EIO=3", "EIO=3.0"], ["EIO=4", "EIO=04"], ["EIO=4", "EIO=4&EIO=3"], ["EIO=4", "EIO[]=4"],
  ["&transport=polling", ""], ["transport=polling", "transport=websocket"], ["transport=websocket", "transport=polling"], ["transport=polling", "transport=flashsocket"], ["transport=polling", "transport=jsonp"], ["transport=polling", "transport=constructor"],
  ["transport=polling", "transport=polling&transport=polling"], ["transport=websocket", "transport=websocket&transport=websocket"], ["transport=websocket", "transport=WebSocket"], ["transport=", "transport[]="], ["transport=polling", "transport=webtransport"],
  ["sid=SID", "sid=SID&sid=SID"], ["sid=SID", "sid=&sid=SID"], ["sid=SID", "sid=SID&sid="], ["sid=SID", "sid=other&sid=SID"], ["sid=SID", "sid=PSID"], ["sid=SID", "sid=SID%00"], ["sid=SID", "sid=SID%20"], ["sid=SID", "sid=+SID"], ["sid=SID", "SID=SID"],
  ["sid=SID", "sid[]=SID"], ["sid=SID", "sid[0]=SID"], ["sid=SID", "s%69d=SID"], ["sid=SID", "sid=SID#&sid=other"], ["sid=SID", "sid"], ["sid=SID", "sid=SID%26x=1"], ["sid=SID", "sid=__proto__"], ["sid=SID", "sid=SID;"],
  ["/engine.io/?", "/engine.io/?&"], ["/engine.io/", "/engine.io/;x"], ["/engine.io/", "/engine.io/."], ["/engine.io/", "/engine.io/%3F"], ["/engine.io/?", "/engine.io/%3f"], ["/engine.io/", "/engine.io/engine.io.js.map"], ["/engine.io/", "/engine.io%2F"], ["/engine.io/", "/engine.iox/"],
  ["/engine.io/", "//chat.example/engine.io/"], ["/engine.io/", "HTTP://chat.example/engine.io/"], ["/engine.io/", "https://other:1/engine.io/"], ["/engine.io/", "http://u:p@chat.example/engine.io/"], ["/engine.io/", "*"], ["/engine.io/", "/./engine.io/"], ["/engine.io/", "\\engine.io\\"]]) addMore(`${from} as ${to || "nothing"}`, swap(from, to));
for (const q of ["&j=1&j=2", "&j[]=1", "&j=x1y2", "&j=-1", "&j=1e3", "&j=%00", "&j=1;alert(1)", "&b64", "&b64=0", "&b64=1", "&b64=1&b64=0", "&t=1&t=2", "&EIO=", "&transport=", "&a=1&a=2&a[]=3", "&%73id=SID", "&constructor=1", "&toString"]) addMore(`the query ${q}`, query(q));
for (const text of ["", "4x\x1e4x", "\x1e", "4x\x1e", "\x1e4x", "b4x", "bNHg=", "2:4x2:4x", "02:4x", "2:4xx", ":4x", "3:4x", "+2:4x", "2 :4x", "2:4x\n", "1:2", "2", "3", "6", "9", "7:4\xec\x95\x88x", "2:b4", "6:b4NHg=", "d=2:4x", "d=", "x=1&d=2:4x", "d=2%3A4x&d=2%3A4x", "d=4x", "\x00\x02\xff4x", "\x00\x02\xff4x\x00\x02\xff4x", "\x00\x02\xff4", "\x01\x02\xff\x04x", "\x00\xff4x", "\x00\x02\x0b\xff4x"]) addMore(`the body ${JSON.stringify(text)}`, body(text));
for (const list of [[` ${KEY} `], [KEY.toLowerCase()], [KEY.toUpperCase()], ["A".repeat(22) + "=="], ["A".repeat(24)], [KEY + "=="], [KEY, "x"], ["dGhlIHNhbXBsZSBub25jZQ=="], ["dGhlIHNhbXBsZSBub25jZQ==,"], ["dGhlIHNhbXBsZSBub25jZQ= ="], ["-_hlIHNhbXBsZSBub25jZQ=="]]) addMore(`the key ${list.map((v) => JSON.stringify(v)).join(" and ")}`, upgrade(set("Sec-WebSocket-Key", ...list)));
for (const m of ["POST", "HEAD", "OPTIONS", "get"]) addMore(`a WebSocket by ${m}`, upgrade((r) => ({ ...r, method: m })));
addMore("no Upgrade", upgrade(set("Upgrade")));
addMore("no Connection", upgrade(set("Connection")));
addMore("no Upgrade and no Connection", upgrade((r) => set("Connection")(set("Upgrade")(r))));
addMore("only what a proxy passes on", upgrade((r) => ({ ...r, headers: r.headers.filter(([k]) => !/^(Upgrade|Connection|Sec-)/.test(k)) })));
addMore("a length on a WebSocket", upgrade(set("Content-Length", "0")));
addMore("a body on a WebSocket", upgrade((r) => set("Content-Length", "2")({ ...r, body: "hi" })));
addMore("a POST as HEAD", post((r) => ({ ...r, method: "HEAD" })));
addMore("a POST as PUT", post((r) => ({ ...r, method: "PUT" })));
addMore("Expect: on a GET", bare(set("Expect", "100-continue")));
addMore("chunks and a length behind them", post((r) => { const c = chunks(r, "chunked"); return { ...c, headers: [...c.headers, ["Content-Length", String(c.body.length)]] }; }));
addMore("chunks of HTTP/1.0", post((r) => ({ ...chunks(r, "chunked"), version: "HTTP/1.0" })));
addMore("an empty chunk", post((r) => chunks({ ...r, body: "" }, "chunked")));
addMore("a chunk size in capitals with zeros", post((r) => { const c = chunks(r, "chunked"); return { ...c, body: "000" + c.body.toUpperCase() }; }));
for (const v of ["io=SID", "io=other", "io=\u00e9", ";;=", "a=b; io="]) addMore(`Cookie: ${v}`, set("Cookie", v));
for (const v of ["gzip", "identity;q=0", "*;q=0", "br, gzip"]) addMore(`Accept-Encoding: ${v}`, set("Accept-Encoding", v));
for (const [k, v] of [["X-Forwarded-For", "1.2.3.4, bad"], ["Forwarded", "for=;;"], ["Range", "bytes=0-0"], ["If-None-Match", "*"], ["If-Modified-Since", "now"], ["X-HTTP-Method-Override", "POST"], ["Content-Encoding", "gzip"], ["Accept", "text/html"], ["Authorization", "Basic \u00ff"], ["Max-Forwards", "0"], ["Upgrade-Insecure-Requests", "1"], ["HTTP2-Settings", "AAMAAABkAARAAAAAAAIAAAAA"]]) addMore(`${k}: ${v}`, set(k, v));

// Several requests on one connection.
const sid = "/engine.io/?EIO=3&transport=polling&sid=SID";
const one = (r) => write(r);
const say = (text) => write({ ...bases["a POST"][1], body: text, headers: [["Host", "chat.example"], ["Content-Type", "text/plain"], ["Content-Length", String(text.length)]] });
const several = {
  "two polls, one waits": [3, one(get(sid)) + one(get(sid))],
  "a POST behind a poll that has its answer": [3, one(get(sid)) + say("2:4x")],
  "a POST behind a poll that waits": [3, one(get(sid)) + one(get(sid)).replace("keep-alive", "Keep-Alive") + say("2:4x")],
  "a POST and its poll": [3, say("2:4x") + one(get(sid))],
  "three POSTs": [3, say("2:4a") + say("2:4b") + say("2:4c")],
  "two POSTs with a CRLF between": [3, say("2:4a") + "\r\n" + say("2:4b")],
  "two POSTs with three CRLF between": [3, say("2:4a") + "\r\n\r\n\r\n" + say("2:4b")],
  "two handshakes": [0, one(bases["a handshake"][1]) + one(bases["a handshake"][1])],
  "two handshakes with a CRLF between": [0, one(bases["a handshake"][1]) + "\r\n" + one(bases["a handshake"][1])],
  "a poll with a CRLF behind it, then a POST": [3, one(get(sid)) + "\r\n" + say("2:4x")],
  "a WebSocket behind a POST": [3, say("2:4x") + one(socket())],
  "a WebSocket behind a POST and a CRLF": [3, say("2:4x") + "\r\n" + one(socket())],
};

// ---- who answers

async function start(engine) {
  const server = http.createServer((req, res) => res.writeHead(404).end("elsewhere"));
  engine.attach(server, { allowEIO3: true }).on("connection", (client) => {
    client.send("hi");
    client.on("message", (m) => client.send(m));
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return server;
}

// The first word of an answer says whether it was let in, the second what it got.
function tell(head, body) {
  const status = head.slice(9, 12);
  const code = /"code":(\d)/.exec(body);
  const kind = status === "101" ? "" : /"sid"/.test(body) ? "open" : code ? `code ${code[1]}` : body === "ok" ? "ok" : /hi/.test(body) ? "hi" : /4[abcx]/.test(body) ? "echo" : body === "elsewhere" ? "elsewhere" : "";
  return kind ? `${status} ${kind}` : status;
}

// Splits what has come into whole answers; the rest stays.
function answers(text) {
  const list = [];
  for (;;) {
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) return [list, text];
    const head = text.slice(0, end);
    let body = text.slice(end + 4), size = 0;
    if (/^HTTP\/1.1 1\d\d/.test(head)) { list.push(tell(head, "")); if (/^HTTP\/1.1 101/.test(head)) return [list, ""]; text = body; continue; }
    const length = /\r\ncontent-length: (\d+)/i.exec(head);
    if (/\r\ntransfer-encoding: chunked/i.test(head)) {
      let whole = "", at = 0;
      for (;;) {
        const m = /^([0-9a-f]+)\r\n/i.exec(body.slice(at));
        if (!m) return [list, text];
        const n = parseInt(m[1], 16);
        if (body.length < at + m[0].length + n + 2) return [list, text];
        whole += body.slice(at + m[0].length, at + m[0].length + n);
        at += m[0].length + n + 2;
        if (!n) break;
      }
      list.push(tell(head, whole));
      text = body.slice(at);
      continue;
    }
    if (length) size = Number(length[1]);
    else if (!/^HTTP\/1.1 (204|304)/.test(head)) size = body.length; // to the end of the connection
    if (body.length < size) return [list, text];
    list.push(tell(head, body.slice(0, size)));
    text = body.slice(size);
  }
}

const ANOTHER = "GET /another HTTP/1.1\r\nHost: chat.example\r\nConnection: close\r\n\r\n";

// Sends the request, then after a pause another one, and tells what came.
function talk(port, request) {
  return new Promise((done) => {
    let text = "", asked = false;
    const nc = net.connect(port, "127.0.0.1", () => nc.write(Buffer.from(request, "latin1")));
    const pause = setTimeout(() => { asked = true; nc.end(ANOTHER); }, 400);
    const end = setTimeout(() => nc.destroy(), 4000);
    nc.on("data", (d) => (text += d.toString("latin1"))).on("error", () => {}).on("close", () => {
      clearTimeout(pause); clearTimeout(end);
      const [list] = answers(text);
      if (list.at(-1) === "404 elsewhere" && asked) list.splice(-1, 1, "…");
      done(list);
    });
  });
}

async function verdict(server, engine, session, request) {
  let sid = "none";
  const port = server.address().port;
  if (session) {
    const body = await (await fetch(`http://127.0.0.1:${port}/engine.io/?EIO=${session}&transport=polling`)).text();
    sid = /"sid":"([^"]+)"/.exec(body)[1];
  }
  const escaped = [...sid].map((c) => "%" + c.charCodeAt(0).toString(16)).join("");
  return talk(port, request.replaceAll("PSID", escaped).replaceAll("SID", sid));
}

function random(seed) { // mulberry32
  return () => { seed = (seed + 0x6d2b79f5) | 0; let t = Math.imul(seed ^ (seed >>> 15), 1 | seed); t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t; return ((t ^ (t >>> 14)) >>> 0) / 4294967296; };
}

function* cases() {
  for (const [base, [session, r]] of Object.entries(bases)) {
    yield [base, session, write(r)];
    for (const [name, change] of Object.entries(changes)) {
      const changed = change(r);
      if (changed && (session !== 4 || /EIO=%34|length|POST|octet|Content|CRLF/.test(name))) yield [`${base}: ${name}`, session, write(changed)];
    }
  }
  const next = random(1), pick = (o) => Object.entries(o)[Math.floor(next() * Object.keys(o).length)];
  for (let n = 0; n < 250; ) { // two changes at once
    const [base, [session, r]] = pick(bases), [a, f] = pick(changes), [b, g] = pick(changes);
    const once = f(r), twice = once && a !== b && g(once);
    if (!twice) continue;
    n++;
    yield [`${base}: ${a}; ${b}`, session, write(twice)];
  }
  for (const [name, [session, request]] of Object.entries(several)) yield [name, session, request];
  const pool = Object.entries({ ...changes, ...more }), list = Object.entries(moreBases), again = random(2), any = (l) => l[Math.floor(again() * l.length)];
  for (const [base, [session, r]] of list) {
    if (!bases[base]) yield [base, session, write(r)];
    for (const [name, change] of Object.entries(more)) {
      const changed = change(r);
      if (changed) yield [`${base}: ${name}`, session, write(changed)];
    }
  }
  for (let n = 0; n < 500; ) { // two or three at once
    const [base, [session, r]] = any(list), some = Array.from({ length: 2 + Math.floor(again() * 2) }, () => any(pool));
    const changed = new Set(some).size === some.length && some.reduce((q, [, f]) => q && f(q), r);
    if (!changed) continue;
    n++;
    yield [`${base}: ${some.map(([name]) => name).join("; ")}`, session, write(changed)];
  }
}

(async () => {
  process.on("uncaughtException", (e) => process.stderr.write(`${e}\n`));
  const servers = { v3: await start(engines.v3), v4: await start(engines.v4) };
  // What an earlier recording has, with the same request, stays: it is named as an argument.
  const known = new Map((process.argv[2] ? fs.readFileSync(process.argv[2], "utf8").trim().split("\n") : []).map((line) => [JSON.parse(line).name, line]));
  const all = [...cases()];
  const lines = new Array(all.length);
  let at = 0;
  await Promise.all(Array.from({ length: 16 }, async () => {
    while (at < all.length) {
      const i = at++, [name, session, request] = all[i];
      if (known.has(name) && JSON.parse(known.get(name)).request === request) { lines[i] = known.get(name); continue; }
      const line = { name, session, request };
      if (session !== 4) line.v3 = await verdict(servers.v3, "v3", session, request);
      line.v4 = await verdict(servers.v4, "v4", session, request);
      lines[i] = JSON.stringify(line).replace(/[\u007f-\uffff]/g, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
    }
  }));
  process.stdout.write(lines.join("\n") + "\n");
  process.exit();
})();
