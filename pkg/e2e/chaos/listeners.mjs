// Real npm clients that listen. Prints what happens to them, a line each, for the Go test that started this:
//
//	c N recovered   client N has connected (recovered: 1 if the server says that it missed nothing)
//	d N             it has lost its connection
//	h N who what    it heard somebody say something
//
// Arguments: generation,transport,url of each client. The packages are those of ../node.
import { createRequire } from 'node:module';

const require = createRequire(new URL('../node/package.json', import.meta.url));

process.argv.slice(2).forEach((spec, n) => {
  const [generation, transport, url] = spec.split(',');
  const socket = require(`client-${generation}`)(`${url}/chat`, {
    forceNew: true,
    transports: [transport],
    reconnectionDelay: 20,
    reconnectionDelayMax: 100,
  });
  socket.on('connect', () => console.log(`c ${n} ${socket.recovered ? 1 : 0}`));
  socket.on('disconnect', () => console.log(`d ${n}`));
  socket.on('msgToClient', (message) => console.log(`h ${n} ${message.name} ${message.text}`));
});

process.stdin.resume().on('end', () => process.exit(0)); // the test is over
