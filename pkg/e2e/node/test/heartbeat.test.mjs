// Heartbeats: clients of protocol 3 ping, servers of protocol 4 ping; a client that falls silent is disconnected.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Chatter, GENERATIONS, modern, TRANSPORTS } from '../world/clients.mjs';
import { next } from '../world/deadline.mjs';
import { ChatServer, UNDER_TEST } from '../world/processes.mjs';
import { PollingSession, RawWebSocket } from '../world/wire.mjs';

const skip = UNDER_TEST === 'nest' && 'the seed has no setting for it';

describe('heartbeats', { skip, concurrency: true }, () => {
  let steady, strict;
  before(async () => {
    [steady, strict] = await Promise.all([
      ChatServer.start({ env: { PING_INTERVAL_MS: '150', PING_TIMEOUT_MS: '20000' } }),
      ChatServer.start({ env: { PING_INTERVAL_MS: '100', PING_TIMEOUT_MS: '200' } }),
    ]);
  });
  after(async () => {
    for (const server of [steady, strict]) server.assertWell();
    await Promise.all([steady, strict].map((server) => server.kill()));
  });

  for (const generation of GENERATIONS) {
    if (modern(generation) && UNDER_TEST === 's2') continue;
    for (const transport of Object.keys(TRANSPORTS)) {
      it(`keep ${generation} on ${transport} connected`, async (t) => {
        const alice = await Chatter.join(steady, { generation, transport });
        t.after(() => alice.leave());
        if (transport === 'default') await alice.upgraded();
        // Old clients say so when their ping is answered, new ones when they answer one.
        for (let beats = 0; beats < 4; beats++) await next(alice.engine, 'pong');
        alice.says('still here');
        await alice.wantMessage(alice, 'still here');
        assert.equal(alice.connects.length, 1);
      });
    }
  }

  for (const EIO of [3, 4]) {
    if (EIO === 4 && UNDER_TEST === 's2') continue;
    it(`let a silent WebSocket of protocol ${EIO} go`, async () => {
      // It joins nothing and reads on: on a busy machine its time may be over before a join is answered.
      const ws = await RawWebSocket.open(strict, { EIO });
      await ws.closeCode();
      ws.destroy();
    });

    it(`let a silent poller of protocol ${EIO} go`, async () => {
      const polls = await PollingSession.open(strict, { EIO });
      for (;;) {
        const { status, body } = await polls.get();
        if (status === 200) continue;
        assert.deepEqual([status, JSON.parse(body).code], [400, 1]);
        return;
      }
    });
  }
});
