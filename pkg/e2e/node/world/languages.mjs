// Chatters in other languages, each a process; see pkg/e2e/languages.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual, promisify } from 'node:util';
import { Log } from './deadline.mjs';
import { Program } from './processes.mjs';

const folder = fileURLToPath(new URL('../../languages/', import.meta.url));
const execute = promisify(execFile);

/** Debian's, which has the modules that apt-get installs; a python3 found first may be another. */
const PYTHON = process.env.PYTHON ?? '/usr/bin/python3';

/**
 * Which kinds of chatters this machine can run: [{ name, command, args, unordered }]. `end` removes what was built for them.
 */
export async function languages() {
  const kinds = [];
  const missing = [];
  const { stdout } = await execute(PYTHON, ['-c', 'import socketio, requests, websocket, aiohttp; print(socketio.__version__ if hasattr(socketio, "__version__") else "")']).catch((error) => (missing.push(`python-socketio: ${error.message}`), {}));
  if (stdout !== undefined) {
    for (const how of ['sync', 'async']) {
      for (const transport of ['polling', 'websocket', 'default']) {
        // The sync client runs each handler on a thread of its own, in whatever order they come.
        kinds.push({ name: `python ${how} on ${transport}`, unordered: how === 'sync', command: PYTHON, args: (url) => [join(folder, 'python/chat.py'), url, transport, how] });
      }
    }
  }
  const built = mkdtempSync(join(tmpdir(), 'chat-e2e-languages-'));
  const program = join(built, 'go-chatter');
  await execute('go', ['build', '-o', program, '.'], { cwd: join(folder, 'go') }).then(
    () => {
      // On polling v3.0.6 only hears, and now and then does not even connect, with Node neither: not here.
      kinds.push({ name: 'go on websocket', command: program, args: (url) => [url, 'websocket'] });
    },
    (error) => missing.push(`the Go client: ${error.stderr || error.message}`),
  );
  if (missing.length > 0 && process.env.CI) throw new Error(`not installed here: ${missing.join('; ')}`);
  return { kinds, missing, end: () => rmSync(built, { recursive: true, force: true }) };
}

const packed = (value) => {
  if (Buffer.isBuffer(value)) return { $bytes: value.toString('base64') };
  if (Array.isArray(value)) return value.map(packed);
  return value && typeof value === 'object' ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, packed(item)])) : value;
};
const unpacked = (value) => {
  if (typeof value?.$bytes === 'string') return Buffer.from(value.$bytes, 'base64');
  if (Array.isArray(value)) return value.map(unpacked);
  return value && typeof value === 'object' ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, unpacked(item)])) : value;
};

/** One chatter in another language, with the part of a Chatter's interface that the tests need. */
export class Foreigner extends Program {
  connects = new Log();
  disconnects = new Log();
  inbox = new Log();

  constructor(server, { name, command, args, unordered = false }) {
    super(name, command, args(server.url), { stdio: ['pipe', 'pipe', 'pipe'] });
    this.unordered = unordered;
    this.process.stdin.on('error', () => {}); // it may be gone
    let rest = '';
    this.process.stdout.on('data', (chunk) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop();
      lines.filter((line) => line.startsWith('{')).forEach((line) => this.#hear(JSON.parse(line)));
    });
  }

  #hear(told) {
    if ('connect' in told) this.connects.add(Date.now());
    if ('disconnect' in told) this.disconnects.add(told.disconnect);
    if ('heard' in told) this.inbox.add([unpacked(told.heard)]);
  }

  emit(payload) {
    this.process.stdin.write(`${JSON.stringify(packed(payload))}\n`);
  }

  async connected(times = 1) {
    await this.connects.until((all) => all.length >= times, () => `${this.name} to connect (${times}.):\n${this.tail()}`);
    return this;
  }

  /** Waits until it has heard a payload equal to this one. */
  hears(payload) {
    return this.inbox.until((all) => all.some(([heard]) => isDeepStrictEqual(heard, payload)), () => `${this.name} to hear ${JSON.stringify(payload)?.slice(0, 200)}; heard ${JSON.stringify(this.inbox.slice(-3))?.slice(0, 300)}\n${this.tail(5)}`);
  }

  /** Says goodbye. */
  async leave() {
    this.process.stdin.end();
    await Promise.race([this.exit, new Promise((resolve) => setTimeout(resolve, 3000).unref())]);
    if (!this.ended) await this.kill();
  }
}
