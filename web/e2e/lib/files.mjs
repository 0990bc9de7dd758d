// A static file server for tests: as little as a browser needs.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname } from 'node:path';

/** What the front-end build left. */
export const dist = new URL('../../dist/', import.meta.url);

const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };

/** A request handler for the files under root (a URL that ends in a slash). */
export function serveFiles(root, headers = {}) {
  return async (request, response) => {
    const path = new URL(request.url, 'http://x').pathname;
    const file = new URL(`.${path.endsWith('/') ? `${path}index.html` : path}`, root);
    try {
      const content = await readFile(file);
      response.writeHead(200, { 'content-type': types[extname(file.pathname)] ?? 'application/octet-stream', ...headers });
      response.end(content);
    } catch {
      response.writeHead(404).end();
    }
  };
}

/** Serves root at an origin of its own. Returns { url, stop() }. */
export async function startFiles(root) {
  const server = createServer(serveFiles(root)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
