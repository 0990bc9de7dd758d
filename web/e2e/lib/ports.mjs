// Ports and processes of a test run.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** A port that was free a moment ago. */
export async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}

/**
 * Starts a program and waits until `ready()` resolves to true. What it prints is kept and
 * becomes part of the error when it ends early or is not ready in time.
 *
 * Returns stop(), which ends it with SIGTERM and resolves to its exit code.
 */
export async function start(command, args, { env = {}, ready, seconds = 20 }) {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let failure;
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (output += chunk));
  child.on('error', (error) => (failure = error));
  const ended = new Promise((resolve) => child.on('close', (code) => resolve(code)));

  const deadline = Date.now() + seconds * 1000;
  while (!(await ready().catch(() => false))) {
    const why = failure?.message ?? (child.exitCode !== null ? `exit code ${child.exitCode}` : Date.now() > deadline ? 'not ready in time' : '');
    if (why) {
      child.kill('SIGKILL');
      throw new Error(`${command} ${args.join(' ')}: ${why}\n${output}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    output: () => output,
    async stop() {
      // A server that does not end by itself would hold up the whole run.
      const last = setTimeout(() => child.kill('SIGKILL'), 15_000);
      child.kill('SIGTERM');
      const code = await ended;
      clearTimeout(last);
      return code;
    },
  };
}
