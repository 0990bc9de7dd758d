// The page that this server's predecessor came with, unmodified (seed-page/), as its users
// open it: from an origin of its own, with Vue 2 and Socket.IO client 1.4.5 from CDNs, and a
// chat server at http://localhost:3000 that it insists on.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { startBrowser } from './browser.mjs';
import { startFiles } from './files.mjs';

const require = createRequire(import.meta.url);
const folder = new URL('../seed-page/', import.meta.url);

// The same files from npm in place of the CDNs. Bootstrap's is the very one: the page gives
// its hash.
const cdn = {
  'https://maxcdn.bootstrapcdn.com/bootstrap/4.0.0-alpha.6/css/bootstrap.min.css': ['bootstrap/dist/css/bootstrap.min.css', 'text/css'],
  'https://cdn.jsdelivr.net/npm/vue/dist/vue.js': ['vue-2/dist/vue.js', 'text/javascript'],
  'https://cdn.socket.io/socket.io-1.4.5.js': ['socket.io-client-1/socket.io.js', 'text/javascript'],
};

/**
 * Opens the seed's page, called name, so that its localhost:3000 is the instance at port.
 * The browser does that for every kind of connection, so whatever else listens on 3000 of
 * this machine plays no part. Without `webSocket` the browser has none, as behind some
 * company proxies, and the page stays with polling. Returns the page and what a person does
 * with it.
 */
export async function openSeedPage(port, name, { webSocket = true } = {}) {
  const files = await startFiles(folder);
  const browser = await startBrowser([`--host-resolver-rules=MAP localhost:3000 127.0.0.1:${port}`]);
  const page = await browser.newPage({ viewport: { width: 900, height: 700 } });
  const faults = [];
  page.on('pageerror', (error) => faults.push(error.message));
  const transports = new Set();
  page.on('websocket', () => transports.add('websocket'));
  page.on('request', (request) => request.url().includes('transport=polling') && transports.add('polling'));
  for (const [url, [file, contentType]] of Object.entries(cdn)) {
    const body = await readFile(require.resolve(file));
    await page.route(url, (route) => route.fulfill({ body, contentType, headers: { 'access-control-allow-origin': '*' } }));
  }
  if (!webSocket) {
    await page.addInitScript(() => delete window.WebSocket);
  }
  await page.goto(`${files.url}/index.html`);
  await page.locator('#username').fill(name);
  return {
    page,
    faults,
    transports,
    /** Waits for a line of the list that reads exactly so. */
    sees: (line) => page.locator('#messages li').getByText(line, { exact: true }).first().waitFor(),
    lines: async () => (await page.locator('#messages li').allTextContents()).map((line) => line.trim()),
    async says(text) {
      await page.locator('#textarea').fill(text);
      await page.locator('#send').click();
    },
    async close() {
      await browser.close();
      await files.stop();
    },
  };
}
