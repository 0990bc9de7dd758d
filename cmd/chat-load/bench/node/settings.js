// The environment that the Go server reads, read the same way.
'use strict';

const env = process.env;

if (!env.REDIS_HOST !== !env.REDIS_PORT) {
  console.error('set both REDIS_HOST and REDIS_PORT, or neither');
  process.exit(2);
}

module.exports = {
  port: Number(env.NODE_PORT || 3000),
  host: env.HOST || undefined,
  redis: env.REDIS_HOST ? { host: env.REDIS_HOST, port: Number(env.REDIS_PORT) } : null,
  joinNotice: env.CHAT_JOIN_NOTICE !== 'false',
};
