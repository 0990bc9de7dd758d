// Records what Node's parsers make of the messages below, for decode_test.go:
//
//   npm install parser-3@npm:socket.io-parser@3.4.5 parser-4@npm:socket.io-parser@4.2.7
//   node record.mjs > decode.json
//
// A message is text, or {"b64":…} for binary. A result is the packets that were decoded, binary data
// in them as {"$b64":…}, and the error that ended it.
import { createRequire } from "node:module";
const require = createRequire(import.meta.url);
const parsers = { v3: require("parser-3"), v4: require("parser-4") };

const b = (s) => ({ b64: Buffer.from(s, "latin1").toString("base64") });
const ph = (n) => `{"_placeholder":true,"num":${n}}`;
const rows = {
  // CONNECT
  "connect root": ["0"],
  "connect": ["0/chat,"],
  "connect without comma": ["0/chat"],
  "connect with auth": ['0/chat,{"token":"x","nested":{"a":[1,null]}}'],
  "connect with empty auth": ["0/chat,{}"],
  "connect with query": ["0/chat?username=%EC%95%88&b=c,"],
  "connect with query without comma": ["0/chat?username=x"],
  "connect with text": ['0/chat,"x"'],
  "connect with array": ["0/chat,[]"],
  "connect with null": ["0/chat,null"],
  "connect with broken json": ['0/chat,{"a":'],
  "connect root with auth": ['0{"token":"x"}'],
  "connect with comma in the name": ["0/a,b,"],
  // DISCONNECT
  "disconnect": ["1/chat,"],
  "disconnect root": ["1"],
  "disconnect with payload": ["1/chat,{}"],
  "disconnect with null": ["1/chat,null"],
  // EVENT
  "event": ['2/chat,["msgToServer",{"name":"a","text":"b"}]'],
  "event root": ['2["hello",1]'],
  "event with id": ['2/chat,12["hello"]'],
  "event root with id": ['2456["hello"]'],
  "event with long id": ['2/chat,9007199254740991["hello"]'],
  "event with all values": ['2["x",null,true,false,0,-0,1.50,1e3,-1.5E-7,"",[],{},[[]],{"a":{"b":[{}]}}]'],
  "event with big number": ['2["x",123456789012345678901234567890]'],
  "event with escapes": ['2["x","\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud800"]'],
  "event with unicode": ['2["x","안녕 😀 \u2028"]'],
  "event name with escape": ['2["\\u0068ello",1]'],
  "event with spaces": ['2/chat,[ "x" ,\t1 , {"a" : [ ] } ]\r\n'],
  "event with proto": ['2["x",{"__proto__":{"a":1}}]'],
  "event with placeholder": [`2["x",${ph(0)}]`],
  "event number": ["2[1,2]"],
  "event negative number": ["2[-1]"],
  "event without payload": ["2/chat,"],
  "event root without payload": ["2"],
  "event with id without payload": ["2/chat,1"],
  "event empty array": ["2[]"],
  "event null name": ["2[null]"],
  "event true name": ["2[true]"],
  "event object name": ["2[{}]"],
  "event array name": ['2[["x"]]'],
  "event object": ['2{"a":1}'],
  "event text": ['2"x"'],
  "event null": ["2null"],
  "event reserved connect": ['2["connect"]'],
  "event reserved connect_error": ['2["connect_error"]'],
  "event reserved disconnect": ['2["disconnect"]'],
  "event reserved disconnecting": ['2["disconnecting","x"]'],
  "event reserved newListener": ['2["newListener"]'],
  "event reserved removeListener": ['2["removeListener"]'],
  "event reserved with escape": ['2["\\u0063onnect"]'],
  "event error": ['2["error","x"]'],
  "event trailing garbage": ['2["x"]y'],
  "event second array": ['2["x"]["y"]'],
  "event unclosed": ['2["x"'],
  "event trailing comma": ['2["x",]'],
  "event missing comma": ['2["x" 1]'],
  "event single quotes": ["2['x']"],
  "event bad escape": ['2["x","\\x"]'],
  "event control character": ['2["x","\u0001"]'],
  "event leading zero": ['2["x",01]'],
  "event bare dot": ['2["x",1.]'],
  "event plus": ['2["x",+1]'],
  "event NaN": ['2["x",NaN]'],
  "event nsp without comma": ['2/chat["x"]'],
  "event id then nsp": ['21/chat,["x"]'],
  "event negative id": ['2-1["x"]'],
  "event fraction id": ['21.5["x"]'],
  "event space before json": ['2/chat, ["x"]'],
  "event with byte order mark": ['2\ufeff["x"]'],
  // ACK
  "ack": ['3/chat,12["x",1]'],
  "ack root": ['30[]'],
  "ack without payload": ["3/chat,12"],
  "ack without id": ['3/chat,["x"]'],
  "ack object": ['3/chat,1{"a":1}'],
  "ack null": ["3/chat,1null"],
  // CONNECT_ERROR
  "connect_error": ['4/chat,{"message":"no"}'],
  "connect_error text": ['4/chat,"no"'],
  "connect_error array": ["4/chat,[]"],
  "connect_error bare": ["4"],
  // BINARY_EVENT, BINARY_ACK
  "binary event": [`51-/chat,["x",${ph(0)}]`, b("\x01\x02")],
  "binary event root": [`51-["x",${ph(0)}]`, b("\x01\x02")],
  "binary event with id": [`51-/chat,7["x",${ph(0)}]`, b("\x01\x02")],
  "binary event two": [`52-["x",{"b":${ph(1)},"a":[${ph(0)}]}]`, b("A"), b("B")],
  "binary event used twice": [`51-["x",${ph(0)},${ph(0)}]`, b("A")],
  "binary event unused": ['51-["x"]', b("A")],
  "binary event empty attachment": [`51-["x",${ph(0)}]`, b("")],
  "binary event ten": [`510-["x",${[...Array(10).keys()].map(ph)}]`, ..."0123456789".split("").map(b)],
  "binary event eleven": [`511-["x",${[...Array(11).keys()].map(ph)}]`],
  "binary event other keys": ['51-["x",{"num":0,"more":[1],"_placeholder":true}]', b("A")],
  "binary event escaped key": ['51-["x",{"_place\\u0068older":true,"num":0}]', b("A")],
  "binary event repeated key": ['51-["x",{"_placeholder":false,"_placeholder":true,"num":7,"num":0}]', b("A")],
  "binary event placeholder false": ['51-["x",{"_placeholder":false,"num":9}]', b("A")],
  "binary event placeholder 1": ['51-["x",{"_placeholder":1,"num":9}]', b("A")],
  "binary event num too big": [`51-["x",${ph(1)}]`, b("A")],
  "binary event num negative": [`51-["x",${ph(-1)}]`, b("A")],
  "binary event num fraction": [`51-["x",${ph(0.5)}]`, b("A")],
  "binary event num text": ['51-["x",{"_placeholder":true,"num":"0"}]', b("A")],
  "binary event num missing": ['51-["x",{"_placeholder":true}]', b("A")],
  "binary event num spelled oddly": ['51-["x",{"_placeholder":true,"num":0.0e5}]', b("A")],
  "binary event placeholder deep": [`51-["x",[[[{"a":{"b":${ph(0)}}}]]]]`, b("A")],
  "binary event zero": ['50-["x"]'],
  "binary event no count": ['5-["x"]'],
  "binary event no dash": ['51["x"]'],
  "binary event only count": ["51"],
  "binary event count and dash": ["51-", b("A")],
  "binary event negative count": ['5-1-["x"]'],
  "binary event leading zero": ['501-["x"]', b("A")],
  "binary event fraction count": ['51.5-["x"]'],
  "binary event exponent count": ['51e0-["x"]', b("A")],
  "binary event huge count": ['599999999999999999999-["x"]'],
  "binary event text instead": [`51-["x",${ph(0)}]`, '2["y"]'],
  "binary event reserved": [`51-["connect",${ph(0)}]`, b("A")],
  "binary event null payload": ["51-null", b("A")],
  "binary ack": [`61-/chat,5[${ph(0)}]`, b("A")],
  "binary ack without id": [`61-[${ph(0)}]`, b("A")],
  "binary alone": [b("A")],
  "two packets": ['2["x"]', '2["y"]'],
  "binary then event": [`51-["x",${ph(0)}]`, b("A"), '2["y"]'],
  // no packet
  "empty": [""],
  "unknown type 7": ['7["x"]'],
  "unknown type 9": ["9"],
  "unknown type letter": ['x["x"]'],
  "unknown type space": [' 2["x"]'],
  "unknown type minus": ["-1"],
};

const show = (v) =>
  Buffer.isBuffer(v) ? { $b64: v.toString("base64") }
  : Array.isArray(v) ? v.map(show)
  : v && typeof v === "object" ? Object.fromEntries(Object.keys(v).map((k) => [k, show(v[k])]))
  : v;

function run(parser, messages) {
  const result = { packets: [] };
  const decoder = new parser.Decoder();
  decoder.on("decoded", (p) => result.packets.push({ type: p.type, nsp: p.nsp, id: p.id, data: show(p.data) }));
  try {
    for (const m of messages) decoder.add(typeof m === "string" ? m : Buffer.from(m.b64, "base64"));
  } catch (e) {
    result.error = e.message;
  }
  return result;
}

const out = Object.entries(rows).map(([name, messages]) => ({
  name, messages, v3: run(parsers.v3, messages), v4: run(parsers.v4, messages),
}));
console.log("[\n" + out.map((r) => JSON.stringify(r)).join(",\n") + "\n]");
