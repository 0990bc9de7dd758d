// The small servers that the suites talk to: named by the environment, as host:port; see pkg/e2e/suites.
const at = (name) => {
  const [host, port] = (process.env[name] ?? '').split(':');
  if (!port) throw new Error(`${name} must name a server, host:port; go test ./pkg/e2e/suites starts them`);
  return { name, host, port: Number(port), url: `http://${host}:${port}` };
};

/** Engine.IO alone: it sends every message back. Heartbeat: 300 ms, 200 ms. */
export const echo = () => at('SUITE_ECHO');
/** Socket.IO: namespaces / and /custom of the protocol's suite, CONNECT within a second; same heartbeat. */
export const protocol = () => at('SUITE_PROTOCOL');
/** Socket.IO: what the tests of socket.io-client expect. */
export const stage = () => at('SUITE_STAGE');

export const PING_INTERVAL = 300;
export const PING_TIMEOUT = 200;
