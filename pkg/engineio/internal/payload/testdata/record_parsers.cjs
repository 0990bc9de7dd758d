// Records what the parsers of the Node server make of the inputs below, as lines of JSON. README.md says how to run it.
//
// Every POST goes through the transport classes themselves (Polling and JSONP), so that character decoding, the
// parser, and the rule "a close packet or an error ends the payload" are recorded together.
"use strict";
const { StringDecoder } = require("string_decoder");
const { join, dirname } = require("path");
const engineDir = dirname(require.resolve("engine.io", { paths: [process.cwd()] }));
const { Polling } = require(join(engineDir, "transports/polling"));
const { JSONP } = require(join(engineDir, "transports/polling-jsonp"));
const parserV3 = require(join(engineDir, "parser-v3"));
const parserV4 = require(require.resolve("engine.io-parser", { paths: [engineDir] }));

const hex = (data) => Buffer.from(data).toString("hex");
const bytes = (...parts) => Buffer.concat(parts.map((p) => (typeof p === "number" ? Buffer.from([p]) : Buffer.from(p))));
const print = (line) => console.log(JSON.stringify(line));

// ---- decoding

function packetLine({ type, data }) {
  const line = { type };
  if (Buffer.isBuffer(data)) return { ...line, binary: hex(data) };
  if (data && !data.isWellFormed()) line.lone = true; // half of a surrogate pair: cannot be written as UTF-8
  return { ...line, text: hex(data || "") };
}

function decode(form, body) {
  const query = { EIO: form === "v4" || form === "jsonp4" ? "4" : "3", j: "0" };
  const transport = form.startsWith("jsonp") ? new JSONP({ _query: query }) : new Polling({ _query: query });
  const line = { decode: form, body: hex(body), packets: [] };
  let ended = false;
  transport.onClose = () => {
    if (!ended) line.packets.push({ type: "close", text: "" });
    ended = true;
  };
  transport.onPacket = (packet) => {
    line.taken = true;
    if (ended) return;
    if (packet.type === "error") line.error = ended = true;
    else if (packet.type) line.packets.push(packetLine(packet)); // without a type: the socket ignores it
  };
  let data = body;
  if (form !== "v3binary") {
    const decoder = new StringDecoder("utf8"); // what request.setEncoding("utf8") uses
    data = decoder.write(body) + decoder.end();
  }
  transport.onData(data);
  delete line.taken;
  print(line);
}

// ---- encoding

function encode(form, packets) {
  const done = (out) => print({ encode: form, packets: packets.map(packetLine), body: hex(out) });
  if (form === "v4") parserV4.encodePayload(packets, done);
  if (form === "v3") parserV3.encodePayload(packets, false, done);
  if (form === "v3binary") parserV3.encodePayloadAsBinary(packets, done);
}

function script(j, text) {
  const transport = new JSONP({ _query: { EIO: "4", j } });
  transport.req = { headers: {} };
  transport.res = { writeHead() {}, end: (out) => print({ script: j, payload: hex(text), body: hex(out) }) };
  transport.doWrite(text, {}, () => {});
}

// ---- inputs

const texts = ["", "hello", "안녕하세요", "é", "😀", "a😀b안é\u0000\u001f", "\ufeffbom", "\u2028\u2029", "x".repeat(300)];
const message = (data) => ({ type: "message", data });
const lists = [
  [{ type: "open", data: '{"sid":"a"}' }],
  [{ type: "noop" }], [{ type: "pong", data: "probe" }], [{ type: "close" }],
  texts.map(message),
  [message(Buffer.from([]))], [message(Buffer.from([0, 1, 254, 255]))],
  [message("안"), message(Buffer.from("안")), message("b"), message(Buffer.alloc(100, 7)), { type: "ping" }],
];
for (const list of lists) for (const form of ["v4", "v3", "v3binary"]) encode(form, list);
encode("v3", []);

for (const text of [...texts, "\b\f\n\r\t\v\\\"/'</script>\u007f\u0080", "\u2027\u202a", "40:1\u001eb"]) script("0", text);
script("12];alert(1)//3", "x");
script("", "x");

const v4 = ["", "4", "4a", "0", "6", "7", "9x", "a", "4a\x1e4b", "4a\x1e", "\x1e4a", "4a\x1e\x1e4b", "1", "1x\x1e4a", "4a\x1e1\x1e9", "2probe", "5",
  "b", "bYQ==", "bYQ", "bYWI", "bYWJj", "bY", "b=", "bYQ==YQ==", "bY Q = =", "b-_-_", "b+/+/", "béYQ==", "bYQ==안", "b*YWJj*", "bYW\nJj", "bY=WJj", "b=YWJj",
  "bYWJ=jZGVm", "bYWJjZA==ZGVm", "bYWJjZ", "bYWJjZGU", "4안\x1e4😀", " 4a", "\ufeff4a", "4\ufeffa"];
for (const body of v4) decode("v4", Buffer.from(body));

const bad = [[0xff], [0xc3], [0xc0, 0x80], [0xe3, 0x81], [0xe3, 0x81, 0x41], [0xed, 0xa0, 0x80], [0xed, 0xb0, 0x80, 0x61], [0xf0, 0x9f, 0x98], [0xf0, 0x80, 0x80, 0x80],
  [0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80], [0x80, 0x80], [0xe0, 0x9f, 0x80], [0xe1, 0x80, 0xe1, 0x80, 0x80], [0xf1, 0x80, 0x80, 0x61], [0xf0, 0x9f, 0xc3, 0xa9], [0xef, 0xbf, 0xbe]];
for (const b of bad) {
  decode("v4", bytes("4", Buffer.from(b)));
  decode("v4", bytes("4", Buffer.from(b), "z\x1e4", Buffer.from(b)));
  for (let n = 1; n <= 6; n++) decode("v3", bytes(n + ":4", Buffer.from(b)));
  decode("v3binary", bytes(0, 1 + b.length, 255, "4", Buffer.from(b)));
  decode("v3binary", bytes(0, 2, 255, "4a", 0, 1 + b.length, 255, "4", Buffer.from(b), 0, 2, 255, "4c"));
  decode("v3binary", bytes(0, 1 + b.length, 255, "b", Buffer.from(b)));
}

const v3 = ["", ":", "0:", "0:0:0:", "1:4", "2:4a", "2:4a2:4b", "2:4a2:4", "2:4a3:4b", "2:4a2", "2:4a:", "x:4a", "2:4a2:9b2:4c", "2:4a0:2:4b", "1:1", "2:4a1:12:4b", "1:12:9x", "2:1x:",
  " 2:4a", "2 :4a", "\n2\t:4a", "\u00a02\ufeff:4a", "\u180e2:4a", "\u00852:4a", " :", " :2:4a", "02:4a", "+2:4a", "-2:4a", "-0:2:4a", "+0:2:4a", "2.0:4a", "2.:4a", ".2e1:4a", "2e0:4a", "0.2e1:4a", "20e-1:4a", "2.5:4abc",
  "0x2:4a", "0X2:4a", "0b10:4a", "0o2:4a", "0x:4a", "0xg:4a", "-0x2:4a", "0x2p0:4a", "2_0:4a", "1_0:4aaaaaaaaa", "Infinity:4a", "inf:4a", "NaN:4a", "nan:4a", "e:4a", "1e:4", ".:4a", "+:4", "1e400:4a", "1e-400:2:4a", "5e-324:2:4a",
  "99999999999999999999:4a", "4294967298:4a", "0000000000000000000000000000000000000002:4a", "2n:4a", "2:4a\x1e4b", "٢:4a", "1:a", "2: 4", "1:b", "2:b4", "2:b1", "3:b1x", "4:b4YQ", "6:b4YQ==", "6:b9YQ==2:4a", "6:bxYQ==2:4a", "6:b1YQ==2:4a", "6:b2YQ==", "3:b안a2:4a",
  "2:4안", "4:4안", "3:4😀", "2:4😀", "4:4😀", "2:4😀:", "2:4😀2:4b", "5:4a😀b2:4c", "3:4éé2:4é", "11:4안녕하세요 hi!", "10:4안녕하세요 hi!", "1:😀", "2:😀", "8:4b:c:d:e2:4f", "2:4:2:4:"];
for (const body of v3) decode("v3", Buffer.from(body));

const frames = [[], [0], [1], [0, 255], [1, 255], [0, 0, 255], [1, 0, 255], [0, 1], [0, 1, 255], [0, 1, 255, "4"], [0, 2, 255, "4a"], [0, 2, 255, "4"], [0, 3, 255, "4a"],
  [0, 2, 255, "4a", 0, 2, 255, "4b"], [0, 2, 255, "4a", 0], [0, 2, 255, "4a", 0, 2], [0, 2, 255, "4a", 0, 2, 255], [0, 2, 255, "4a", 7],
  [1, 2, 255, 4, 1], [1, 1, 255, 4], [1, 1, 255, 9], [1, 1, 255, 9, 0, 2, 255, "4a"], [1, 2, 255, 2, 1], [1, 1, 255, 1, 0, 2, 255, "4a"], [7, 2, 255, 4, 1], [255, 2, 255, 4, 1], [255, 255, 255],
  [0, 2, 255, "4a", 255, 255, 0, 2, 255, "4b"], [0, 255, 2, 255, 4, 1], [0, 1, 2, 255, "4abcdefghijk", 0, 2, 255, "4b"], [0, 0, 0, 2, 255, "4a", 0, 2, 255, "4b"],
  [0, 10, 255, "4abcdefghijkl"], [0, 12, 255, "4abcdefghijklmnop"], [0, 50, 255, "4a"], [1, 254, 255, 4, 1, 2, 3], [0, 1, 200, 255, "4a", 0, 2, 255, "4b"],
  [0, 2, 255, "9a", 0, 2, 255, "4b"], [0, 1, 255, "1", 0, 2, 255, "9b"], [0, 1, 255, "1", 0, 2], [0, 6, 255, "b4YQ=="], [0, 4, 255, "4안"], [0, 5, 255, "4😀"], [0, 3, 255, "4안"], [0, 7, 255, "4안안", 0, 2, 255, "4c"],
  [0, 3, 1, 0, 255, Buffer.from("4".padEnd(310, "y")), 0, 2, 255, "4b"], [0, ...new Array(309).fill(0), 2, 255, "4a"], [0, ...new Array(310).fill(0), 2, 255, "4a"], [0, ...new Array(311).fill(0), 2, 255, "4a"], [0, ...new Array(320).fill(0)],
  [0, ...new Array(309).fill(9), 255, "4a"], [0, ...new Array(310).fill(200), 255, "4a"], [0, ...new Array(103).fill(200), 2, 255, "4a"], [0, ...new Array(104).fill(200), 255, "4a"]];
for (const f of frames) decode("v3binary", bytes(...f));

const forms = ["", "d=", "d", "x=1", "d=4a", "d=2:4a", "d=2%3A4a", "%64=4a", "d=4a&d=4b", "x=1&d=4a", "d=4a&x", "&&d=4a&", "d=4+a", "d=4%2Ba", "d=4%EC%95%88", "d=4안", "d=4%ff", "d=4%EC%95", "d=4%e", "d=4%zz%41", "d=4%ff%41", "d=4a=b=c",
  "d=4%5Cn", "d=4%5C%5Cn", "d=4%5C%5C%5Cn", "d=4%5C%5C%5C%5Cn", "d=4\\n\\n", "d=4\\\\n\\n", "d=4n\\n\\\\\\\\n\\nn", "d=\\n", "d=4\\", "d=4\\\\", "d=4a%1E4b", "d=4a%0D%0A", "d=3:4안a", "D=4a", "d%3D4a", "d=4;d=5", "=4&d=4a", "d[]=4a", "+d=4", "d=4%00", "d=4%C3%ACx%80"];
for (const f of forms) for (const form of ["jsonp3", "jsonp4"]) decode(form, Buffer.from(f));

// Combinations nobody thought of, the same at every run.
//
// Base64 and characters beyond U+00FF are not mixed: Node then reads the low byte of each (of 안, U+C548, an H), which
// nobody wants to copy. Nor are close packets and those characters: the transport does not show what it closed on.
let seed = 20240229;
const random = (n) => ((seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) >>> 16) % n;
const pick = (list) => list[random(list.length)];
for (let i = 0; i < 200; i++) {
  const soup = (list) => bytes(...Array.from({ length: 1 + random(9) }, () => pick(list)));
  decode("v4", soup(["4", "4a", "\x1e", "\x1e", "1", "b", "YQ", "=", "é", "7", "2", Buffer.from([0x80]), Buffer.from([0xe3, 0x81])]));
  decode("v3", soup(["2:4a", "1:", "2:", "3:", "4:", "4", "a", "b", "4é", "4é", ":", "0:", "1:6", "6:b4YQ==", Buffer.from([0xc3]), Buffer.from([0xe3, 0x81])]));
  decode("v3", soup(["2:4a", "3:", "2:", "3:", "4:", "4", "a", "4안", "4😀", "😀", ":", "0:", "2:6"]));
  decode("v3binary", soup([0, 0, 1, 2, 255, 255, "4", 4, "a", "안", 10, bytes(0, 2, 255, "4a"), bytes(0, 3, 255, "4é"), bytes(1, 2, 255, 4, 8)]));
  decode("jsonp4", bytes("d=4", soup(["\\", "\\", "n", "%5C", "+", "\\n", "a", "%EC%95%88", "안"])));
}
