// socket.io 4.8 on uWebSockets.js, as its documentation sets it up.
'use strict';

const { App } = require('@trufflesuite/uws-js-unofficial');
const { Server } = require('socket.io');
const settings = require('./settings');
const chat = require('./chat');

// Without a binary for this Node.js the package falls back to slow JavaScript, which is nobody's peer.
if (!Object.keys(require.cache).some((file) => /[\\/]uws_[^\\/]*\.node$/.test(file))) {
  console.error(`uWebSockets.js has no binary for Node.js ${process.version}: use version 16, 18 or 20`);
  process.exit(1);
}

const app = App();
const io = new Server({ allowEIO3: true });
io.attachApp(app);
chat(io, settings);
app.listen(settings.host || '0.0.0.0', settings.port, (listening) => {
  if (listening) return console.error('listening on', settings.port);
  console.error('cannot listen on', settings.port);
  process.exit(1);
});
