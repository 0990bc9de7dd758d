// socket.io 2.4.1, the version of the NestJS chat; with Redis, through socket.io-redis 5.4.0.
'use strict';

const http = require('http');
const socketio = require('socket.io2');
const settings = require('./settings');
const chat = require('./chat');

const server = http.createServer();
const io = socketio(server);
if (settings.redis) io.adapter(require('socket.io-redis')(settings.redis));
chat(io, settings);
server.listen(settings.port, settings.host, () => console.error('listening on', server.address().port));
