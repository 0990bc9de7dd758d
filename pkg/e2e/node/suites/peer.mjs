// The small servers that the suites talk to: named by the environment, as host:port; see pkg/e2e/suites.
const at = (name) => {
  const [host, port] = (process.env[name] ?? '').split(':');
  if (!port) throw new Error(`${name} must name a server, host:port; go test ./pkg/e2e/suites starts them`);
  return { name, host, port: Number(port), url: `http://${host}:${port}` };
};

/** Engine.IO alone: it sends every message back. */
export const echo = () => at('SUITE_ECHO');
/** The same, with the heartbeat below: a ping may come between any two packets. */
export const beats = () => at('SUITE_BEATS');
/** Socket.IO: namespaces / and /custom of the protocol's suite, CONNECT within a second; the heartbeat below. */
export const protocol = () => at('SUITE_PROTOCOL');
/** Socket.IO: what the tests of socket.io-client expect. */
export const stage = () => at('SUITE_STAGE');

export const PING_INTERVAL = 300;
export const PING_TIMEOUT = 2_000;
