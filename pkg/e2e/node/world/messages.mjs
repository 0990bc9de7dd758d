// What people say: the texts and payloads that must arrive as they were sent.

/** Texts, each as the `text` of a message. Node's adapters spoil some between instances: `spoilt` says how. */
export const TEXTS = [
  ['plain', 'hello'],
  ['empty', ''],
  ['Korean', '안녕하세요, 누가 언제 어디서 무엇을 어떻게 왜'],
  ['Korean as combining letters', '한글'],
  ['emoji', '👍🏽 👨‍👩‍👧‍👦 🇰🇷'],
  ['outside the basic plane', '𝒳𠮷'],
  ['control characters', Array.from({ length: 32 }, (_, code) => String.fromCharCode(code)).join('') + '\x7f\x80\x9f'],
  ['record separator of EIO4 payloads', 'a\x1eb\x1e'],
  ['digits and colons of EIO3 payloads', '4:abc5:12345'],
  ['line separators', 'a\u2028b\u2029c\r\n\0'],
  ['byte order mark and noncharacters', '\ufeff\ufffe\uffff\ufffd'],
  ['right to left', 'שלום ‮abc‬'],
  ['HTML', '<script>alert("1")</script>&amp;&lt;<!-- -->'],
  ['quotes and backslashes', '"\\"\\\\n\'`${}'],
  ['JSON in text', '{"a":[1,2,{"b":null}]}'],
  ['a placeholder in text', '{"_placeholder":true,"num":0}'],
  ['lone high surrogate', 'a\ud800b', { spoilt: 'mangled by notepack.io' }],
  ['lone low surrogate', '\udc00', { spoilt: 'mangled by notepack.io' }],
  ['surrogates in the wrong order', '\udc00\ud800', { spoilt: 'mangled by notepack.io' }],
];

const nested = (depth) => {
  let value = 'core';
  for (let i = 0; i < depth; i++) value = i % 2 ? [value] : { in: value };
  return value;
};

/** Whether a value is ASCII once it is JSON; see `garbles` in clients.mjs. */
export const isAscii = (value) => !/[^\0-\x7f]/.test(JSON.stringify(value));

/** Whole payloads: anything JSON has, not just the page's {name, text}. */
export const PAYLOADS = [
  ['null', null],
  ['true', true],
  ['false', false],
  ['zero', 0],
  ['a float', 0.1],
  ['a negative float', -273.15],
  ['a tiny number', 5e-324],
  ['a huge number', 1.7976931348623157e308, { spoilt: 'notepack.io writes it as an integer modulo 2^64' }],
  ['1e21', 1e21, { spoilt: 'notepack.io writes it as an integer modulo 2^64' }],
  ['2^53', 2 ** 53],
  ['-2^53', -(2 ** 53)],
  ['2^63', 2 ** 63],
  ['2^64', 2 ** 64, { spoilt: 'notepack.io writes it as an integer modulo 2^64' }],
  ['limits of integers', [127, 128, 255, 256, 32767, 32768, 65535, 65536, 2147483647, 2147483648, 4294967295, 4294967296, -1, -32, -33, -128, -129, -32768, -32769, -2147483648, -2147483649]],
  ['an empty string', ''],
  ['a string', 'just text'],
  ['an empty array', []],
  ['an array in an array', [[]]],
  ['an array of one', ['one']],
  ['a mixed array', [1, 'two', null, [3], { four: 4 }, false]],
  ['an empty object', {}],
  ['the order of keys', { z: 1, a: 2, m: { y: 1, b: 2 } }],
  ['an empty key', { '': '' }],
  ['null in an object', { a: null, b: [null] }],
  ['__proto__ as a key', JSON.parse('{"__proto__":{"admin":true},"a":1}'), { spoilt: 'notepack.io assigns it' }],
  ['names of methods as keys', { constructor: 1, toString: 2, valueOf: 'x', then: 3, length: 4 }],
  ['keys in Korean and emoji', { 이름: '홍길동', '👍': 1, '\u2028': 2 }],
  ['many keys', Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`key${99 - i}`, i]))],
  ['strings at the length limits of msgpack', [31, 32, 255, 256, 65535, 65536].map((length) => 'x'.repeat(length))],
  ['arrays at the length limits of msgpack', [15, 16, 300].map((length) => Array(length).fill(0))],
  ['something like an event', ['msgToServer', { name: 'a' }]],
  ['something like a placeholder', { _placeholder: true, num: 0 }],
  ['200 levels', nested(200)],
];

const ack = () => {};

/**
 * Arguments of emit('msgToServer', …) and the one payload that Nest makes of them; `ack` stands for an
 * acknowledgement callback, which the seed's handler, returning nothing, never calls.
 */
export const ARGUMENTS = [
  ['none', [], null],
  ['undefined', [undefined], null],
  ['null', [null], null],
  ['two', ['a', { b: 1 }], ['a', { b: 1 }]],
  ['three', [1, null, [2]], [1, null, [2]]],
  ['two nulls', [null, undefined], [null, null]],
  ['an array', [['a', 'b']], ['a', 'b']],
  ['an array of one', [['a']], ['a']],
  ['an empty array', [[]], []],
  ['only an acknowledgement', [ack], null],
  ['one and an acknowledgement', ['a', ack], 'a'],
  ['two and an acknowledgement', ['a', 'b', ack], ['a', 'b']],
  ['an array and an acknowledgement', [['a', 'b'], ack], ['a', 'b']],
  ['an array of one and an acknowledgement', [['a'], ack], ['a']],
  ['an empty array and an acknowledgement', [[], ack], []],
  ['null and an acknowledgement', [null, ack], null],
];
export const isAck = (argument) => argument === ack;

const bytes = (length) => Buffer.from(Array.from({ length }, (_, i) => (i * 7 + 13) & 255));

/** Payloads with binary parts. */
export const BINARIES = [
  ['a buffer', bytes(256)],
  ['an empty buffer', Buffer.alloc(0)],
  ['a buffer in an object', { name: 'photo.png', data: bytes(1000) }],
  ['nested buffers', { files: [{ data: bytes(3) }, { data: bytes(4), meta: [bytes(5), null] }], n: 1 }],
  ['ten buffers', Array.from({ length: 10 }, (_, i) => bytes(i + 1))],
  ['bytes that look like text frames', { a: Buffer.from('42/chat,["x"]'), b: Buffer.from([0, 255, 1, 0x1e, 4]) }],
  ['200 KB', { data: bytes(200_000) }],
];

export const isBinary = (value) => Buffer.isBuffer(value) || (value !== null && typeof value === 'object' && Object.values(value).some(isBinary));
