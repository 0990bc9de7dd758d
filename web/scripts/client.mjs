// Copies the Socket.IO client bundles out of the npm package into dist/client, where the
// Go package embeds them, and writes the package's version beside them. The source maps
// are copied too: each bundle names its own in its last line.
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';

const from = new URL('../node_modules/socket.io-client/', import.meta.url);
const to = new URL('../dist/client/', import.meta.url);
const bundles = ['socket.io.js', 'socket.io.min.js', 'socket.io.esm.min.js', 'socket.io.msgpack.min.js'];

const { version } = JSON.parse(await readFile(new URL('package.json', from), 'utf8'));
await rm(to, { recursive: true, force: true });
await mkdir(to, { recursive: true });
for (const name of bundles.flatMap((bundle) => [bundle, `${bundle}.map`])) {
  await copyFile(new URL(`dist/${name}`, from), new URL(name, to));
}
await writeFile(new URL('../dist/client.version', import.meta.url), `${version}\n`);
console.log(`dist/client: ${bundles.length} bundles of socket.io-client ${version}`);
