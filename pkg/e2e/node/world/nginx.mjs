// nginx as people put it before several Socket.IO servers: a client stays with a server by its address.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './deadline.mjs';
import { listens } from './haproxy.mjs';
import { freePort, Program } from './processes.mjs';

export class Nginx extends Program {
  static async before(servers) {
    const dir = mkdtempSync(join(tmpdir(), 'chat-e2e-nginx-'));
    const port = await freePort();
    mkdirSync(join(dir, 'tmp'));
    writeFileSync(join(dir, 'nginx.conf'), configuration(port, servers, dir));
    const proxy = new Nginx(port, dir);
    await eventually(() => listens(port), () => `nginx to listen:\n${proxy.tail()}`);
    return proxy;
  }

  constructor(port, dir) {
    super(`nginx:${port}`, process.env.NGINX ?? 'nginx', ['-p', dir, '-c', join(dir, 'nginx.conf'), '-e', 'stderr']);
    Object.assign(this, { host: '127.0.0.1', port, url: `http://127.0.0.1:${port}` });
    this.exit.then(() => rmSync(dir, { recursive: true, force: true }));
  }
}

// The addresses of a test's clients are told in X-Forwarded-For: all of them come from the loopback.
function configuration(port, servers, dir) {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${dir}/tmp/${name};`);
  return `
daemon off;
master_process off;
pid ${dir}/nginx.pid;
error_log stderr warn;
events { worker_connections 512; }
http {
  access_log off;
  ${paths.join('\n  ')}
  set_real_ip_from 127.0.0.1;
  real_ip_header X-Forwarded-For;
  upstream chat {
    ip_hash;
${servers.map((server) => `    server 127.0.0.1:${server.port};`).join('\n')}
    keepalive 16;
  }
  map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://chat;
      proxy_http_version 1.1;
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_buffering off;
      proxy_read_timeout 60s;
    }
  }
}
`;
}
