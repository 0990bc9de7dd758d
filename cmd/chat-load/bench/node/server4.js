// socket.io 4.8 as its documentation sets it up; with Redis, through @socket.io/redis-adapter.
'use strict';

const http = require('http');
const { Server } = require('socket.io');
const settings = require('./settings');
const chat = require('./chat');

async function main() {
  const server = http.createServer();
  const io = new Server(server, { allowEIO3: true });
  if (settings.redis) {
    const { createClient } = require('redis');
    const { createAdapter } = require('@socket.io/redis-adapter');
    const pub = createClient({ socket: settings.redis });
    const sub = pub.duplicate();
    await Promise.all([pub.connect(), sub.connect()]);
    io.adapter(createAdapter(pub, sub));
  }
  chat(io, settings);
  server.listen(settings.port, settings.host, () => console.error('listening on', server.address().port));
}

main().catch((err) => {
  console.error(err);
  process.exit(1);
});
