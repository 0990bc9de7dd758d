// A reverse proxy as many people have one: it serves another server below a path of its own
// and takes that path off. Its lines can be cut, as a network does it.
import { once } from 'node:events';
import { createServer, request } from 'node:http';

/**
 * Serves target (http://host:port) below prefix ('/team', or '' for the root). Returns
 * { url, cut(), mend(), stop() }: cut ends all connections and refuses new ones until mend.
 * With `ownHost` it asks in its own name, as some do by default: the server does not learn
 * what its page was asked for as.
 */
export async function startProxy(target, prefix = '', { ownHost = false } = {}) {
  const lines = new Set();
  let broken = false;

  /** The request for the server behind; undefined for what is not below the prefix. */
  const onward = ({ url, method, headers }) =>
    url.startsWith(`${prefix}/`) ? request(new URL(url.slice(prefix.length), target), { method, headers: ownHost ? { ...headers, host: new URL(target).host } : headers }) : undefined;

  const server = createServer((incoming, outgoing) => {
    const upstream = onward(incoming);
    if (!upstream) {
      outgoing.writeHead(404).end('the proxy has nothing here');
      return;
    }
    upstream.on('response', (answer) => {
      outgoing.writeHead(answer.statusCode, answer.headers);
      answer.pipe(outgoing);
    });
    upstream.on('error', () => outgoing.destroy());
    outgoing.on('close', () => upstream.destroy());
    incoming.pipe(upstream);
  });
  server.on('upgrade', (incoming, line) => {
    const upstream = onward(incoming);
    if (!upstream) {
      line.destroy();
      return;
    }
    upstream.on('upgrade', ({ statusCode, statusMessage, rawHeaders }, far, head) => {
      const fields = rawHeaders.reduce((text, part, i) => text + part + (i % 2 ? '\r\n' : ': '), '');
      line.write(`HTTP/1.1 ${statusCode} ${statusMessage}\r\n${fields}\r\n`);
      line.write(head);
      far.pipe(line).pipe(far);
      far.on('error', () => line.destroy()).on('close', () => line.destroy());
      line.on('close', () => far.destroy());
    });
    upstream.on('response', () => line.destroy());
    upstream.on('error', () => line.destroy());
    upstream.end();
  });
  server.on('connection', (line) => {
    if (broken) {
      line.destroy();
      return;
    }
    lines.add(line);
    line.on('error', () => {}).on('close', () => lines.delete(line));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const cut = () => {
    broken = true;
    lines.forEach((line) => line.destroy());
  };
  return {
    url: `http://127.0.0.1:${server.address().port}${prefix}`,
    cut,
    mend: () => (broken = false),
    async stop() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}
