// HAProxy as people run it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './deadline.mjs';
import { freePort, Program } from './processes.mjs';

/**
 * `affinity`: by a cookie of its own (true), or by the session's own cookie of that name, before whose value it puts the
 * server's name.
 */
export class HAProxy extends Program {
  static async before(servers, { affinity = false } = {}) {
    const dir = mkdtempSync(join(tmpdir(), 'chat-e2e-haproxy-'));
    const port = await freePort();
    writeFileSync(join(dir, 'haproxy.cfg'), configuration(port, servers, affinity));
    const proxy = new HAProxy(port, dir, affinity);
    await eventually(() => listens(port), `HAProxy to listen:\n${proxy.tail()}`);
    return proxy;
  }

  constructor(port, dir, affinity) {
    // A master and a worker: on SIGUSR2 the master starts another worker, and the old one serves what it has to its end.
    super(`haproxy:${port}`, process.env.HAPROXY ?? 'haproxy', ['-W', '-f', join(dir, 'haproxy.cfg')]);
    Object.assign(this, { host: '127.0.0.1', port, url: `http://127.0.0.1:${port}`, dir, affinity });
    this.exit.then(() => rmSync(dir, { recursive: true, force: true }));
  }

  /** Serves from now on with these servers, as `systemctl reload haproxy` does. */
  async reload(servers) {
    writeFileSync(join(this.dir, 'haproxy.cfg'), configuration(this.port, servers, this.affinity));
    const from = this.lines.length;
    this.process.kill('SIGUSR2');
    await this.says(/Loading success/, from);
  }

  /** With SIGTERM: a master that is killed leaves its workers behind. */
  kill(signal = 'SIGTERM') {
    return super.kill(signal);
  }
}

/** timeout check: a busy machine may be slow to answer a check; a server that drains says so, and one that ended refuses. */
function configuration(port, servers, affinity) {
  const modern = typeof affinity === 'string' ? servers.filter(({ kind }) => kind === 'ours') : [];
  return `
defaults
    mode http
    option redispatch
    retries 3
    retry-on conn-failure
    http-reuse always
    timeout connect 2s
    timeout client 60s
    timeout server 60s
    timeout tunnel 1h
    timeout check 10s
frontend public
    bind 127.0.0.1:${port}
    ${modern.length ? 'use_backend modern if { url_param(EIO) 4 }' : ''}
    default_backend chat
backend chat
    balance roundrobin
    ${sticky(affinity)}
${servers.map(line).join('\n')}
${modern.length ? `
backend modern
    balance roundrobin
    option httpchk GET /readyz
${modern.map(line).join('\n')}
` : ''}`;
}

/** A server is called by its port, so that it keeps its name when others come and go. */
const line = ({ port }) => `    server s${port} 127.0.0.1:${port} check inter 200ms fall 1 rise 1 cookie s${port}`;

/** A Node server has no health check of its own: that it listens must do. */
function sticky(affinity) {
  if (typeof affinity === 'string') return `cookie ${affinity} prefix indirect nocache`;
  return `option httpchk GET /readyz${affinity ? '\n    cookie CHAT insert indirect nocache httponly' : ''}`;
}

export function listens(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => resolve(true) ?? socket.destroy());
    socket.on('error', () => resolve(false));
  });
}
