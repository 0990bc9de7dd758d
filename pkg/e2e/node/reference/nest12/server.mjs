// The seed's gateway on the newest NestJS, with socket.io 4.8 and @socket.io/redis-adapter 8: what a team has that kept its
// chat up to date. It serves protocol 3 clients too.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { SubscribeMessage, WebSocketGateway, WebSocketServer } from '@nestjs/websockets';
import { createAdapter } from '@socket.io/redis-adapter';
import { createClient } from 'redis';
import { announce, settings } from '../gateway.mjs';

const at = settings();

class ChatGateway {
  handleConnection(client) {
    console.error(`${client.id}(${client.handshake.query.username}) is connected!`);
    this.server.emit('msgToClient', { name: 'admin', text: 'join chat.' });
  }

  handleDisconnect() {}

  handleMessage(client, payload) {
    this.server.emit('msgToClient', payload);
  }
}
const method = Object.getOwnPropertyDescriptor(ChatGateway.prototype, 'handleMessage');
WebSocketServer()(ChatGateway.prototype, 'server');
SubscribeMessage('msgToServer')(ChatGateway.prototype, 'handleMessage', method);
WebSocketGateway({ namespace: 'chat' })(ChatGateway);

class AppModule {}
Module({ providers: [ChatGateway] })(AppModule);

class RedisIoAdapter extends IoAdapter {
  createIOServer(port, options) {
    const server = super.createIOServer(port, { ...options, allowEIO3: true });
    if (this.adapter) server.adapter(this.adapter);
    return server;
  }
}

const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
const adapter = new RedisIoAdapter(app);
if (at.redis) {
  const [pub, sub] = [createClient({ url: at.redis }), createClient({ url: at.redis })];
  for (const client of [pub, sub]) client.on('error', (error) => console.error('redis:', error.code));
  await Promise.all([pub.connect(), sub.connect()]);
  adapter.adapter = createAdapter(pub, sub);
}
app.useWebSocketAdapter(adapter);
await app.listen(at.port, at.host);
announce('NestJS 12', at);
