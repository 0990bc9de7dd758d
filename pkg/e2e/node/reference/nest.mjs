// The seed itself: its NestJS 7 gateway and Redis adapter, decorators applied by hand instead of by TypeScript.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { SubscribeMessage, WebSocketGateway, WebSocketServer } from '@nestjs/websockets';
import redisIoAdapter from 'socket.io-redis';
import { announce, settings } from './gateway.mjs';

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
    const server = super.createIOServer(port, options);
    server.adapter(redisIoAdapter(at.redis));
    return server;
  }
}

const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
if (at.redis) app.useWebSocketAdapter(new RedisIoAdapter(app));
await app.listen(at.port, at.host);
announce('NestJS 7', at);
