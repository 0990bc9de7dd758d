// The chat contract: what a client sends goes to everybody, and each newcomer is announced.
'use strict';

module.exports = function chat(io, { joinNotice }) {
  const nsp = io.of('/chat');
  nsp.on('connection', (socket) => {
    if (joinNotice) nsp.emit('msgToClient', { name: 'admin', text: 'join chat.' });
    socket.on('msgToServer', (...args) => {
      if (typeof args[args.length - 1] === 'function') args.pop();
      const payload = args.length > 1 ? args : args[0];
      nsp.emit('msgToClient', payload === undefined ? null : payload);
    });
  });
};
