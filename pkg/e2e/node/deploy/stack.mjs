// The containers of deploy/docker-compose.yml on a real engine.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eventually } from '../world/deadline.mjs';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../../..', import.meta.url));

/** Starting a container takes long on a busy machine. */
const PATIENCE = 120_000;

export async function docker(...args) {
  const { stdout } = await run('docker', args, { cwd: root, maxBuffer: 1 << 26 });
  return stdout.trim();
}

export class Stack {
  #files;
  #settings;

  constructor({ files = ['deploy/docker-compose.yml'], ...settings } = {}) {
    this.#files = files;
    this.#settings = { ...process.env, COMPOSE_PROJECT_NAME: 'chat-test', PORT: '0', PROMETHEUS_PORT: '0', GRAFANA_PORT: '0', ...settings };
  }

  async compose(...args) {
    const files = this.#files.flatMap((file) => ['-f', file]);
    const { stdout } = await run(process.env.COMPOSE ?? 'docker-compose', [...files, ...args], { cwd: root, env: this.#settings, maxBuffer: 1 << 26 });
    return stdout.trim();
  }

  async up(...args) {
    await this.compose('up', '-d', '--no-build', ...args);
    const { port } = await this.address('proxy', 3000);
    /** Where clients connect; the form that Chatter takes. */
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
  }

  /** Changes settings and brings up what they concern. */
  async change(settings, ...args) {
    Object.assign(this.#settings, settings);
    await this.up(...args);
  }

  async down() {
    await this.compose('down', '--volumes', '--timeout', '1');
  }

  async address(service, port) {
    const published = await this.compose('port', service, String(port));
    const colon = published.lastIndexOf(':');
    return { host: published.slice(0, colon), port: Number(published.slice(colon + 1)) };
  }

  /** The ids of a service's running containers, oldest number first. */
  async containers(service = 'chat') {
    const lines = await docker('ps', '--filter', 'label=com.docker.compose.project=chat-test', '--filter', `label=com.docker.compose.service=${service}`,
      '--format', '{{.Label "com.docker.compose.container-number"}} {{.ID}}');
    return lines.split('\n').filter(Boolean).map((line) => line.split(' ')).sort((a, b) => a[0] - b[0]).map(([, id]) => id);
  }

  /** Waits until the proxy and Docker itself find this many instances well, and the others gone. */
  async serving(count) {
    await eventually(async () => {
      const states = await Promise.all((await this.containers()).map((id) => docker('inspect', '-f', '{{.State.Health.Status}}', id)));
      return states.length === count && states.every((state) => state === 'healthy');
    }, `${count} healthy instances`, PATIENCE);
    await eventually(async () => (await this.upstreams()) === count, `the proxy to spread over ${count} instances`, PATIENCE);
  }

  /** How many instances answer through the proxy: it goes round. */
  async upstreams() {
    const seen = new Set();
    for (let i = 0; i < 12; i++) {
      const answer = await fetch(`${this.url}/socket.io/?EIO=4&transport=polling`, { headers: { connection: 'close' } }).catch(() => null);
      if (!answer?.ok) return 0;
      // An id begins with the instance that made it.
      seen.add((await answer.text()).match(/"sid":"(.{8})/)?.[1]);
    }
    return seen.size;
  }

  /** The metrics of every instance added up, by name without labels. */
  async metrics() {
    const sums = new Map();
    for (const id of await this.containers()) {
      const ip = await docker('inspect', '-f', '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}', id);
      const text = await (await fetch(`http://${ip.trim().split(' ')[0]}:9464/metrics`)).text();
      for (const line of text.split('\n')) {
        const [, name, value] = line.match(/^([a-z_0-9]+)(?:\{.*\})? ([-+.e0-9]+)$/i) ?? [];
        if (name) sums.set(name, (sums.get(name) ?? 0) + Number(value));
      }
    }
    return sums;
  }
}
