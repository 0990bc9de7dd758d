// socket.io 4.8 on Bun with its own engine, as its documentation sets it up.
'use strict';

const { Server: Engine } = require('@socket.io/bun-engine');
const { Server } = require('socket.io');
const settings = require('./settings');
const chat = require('./chat');

const io = new Server();
const engine = new Engine({ path: '/socket.io/' });
io.bind(engine);
chat(io, settings);
// Longer than the pings' distance: an idle connection is not closed.
const server = Bun.serve({ ...engine.handler(), port: settings.port, hostname: settings.host || '0.0.0.0', idleTimeout: 30 });
console.error('listening on', server.port);
