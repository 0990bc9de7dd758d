// The client bundles that an instance serves beside our page, in a browser.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startBrowser } from './lib/browser.mjs';
import { startInstance } from './lib/servers.mjs';

// With recovery each event of the server has one more argument.
for (const [mode, env] of [['', {}], [' with recovery', { RECOVERY_SECONDS: '120' }]]) {
  describe(`the client bundles${mode}`, () => bundleTests(env));
}

function bundleTests(env) {
  let browser;
  let server;

  before(async () => {
    server = await startInstance({ env });
    browser = await startBrowser();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  test('run in a browser', async () => {
    const page = await browser.newPage();
    await page.goto(`${server.url}/`);
    const versions = {};
    for (const bundle of ['socket.io.js', 'socket.io.min.js', 'socket.io.msgpack.min.js']) {
      await page.addScriptTag({ url: `${server.url}/socket.io/${bundle}` });
      versions[bundle] = await page.evaluate(() => [typeof io, typeof io.Manager]);
    }
    await page.addScriptTag({ url: `${server.url}/socket.io/socket.io.min.js` });
    const heard = await page.evaluate(async (base) => {
      const module = await import(`${base}/socket.io/socket.io.esm.min.js`);
      return Promise.all([window.io, module.io].map((connect) => new Promise((resolve) => {
        connect(`${base}/chat`, { forceNew: true }).on('msgToClient', (message) => resolve(message.text));
      })));
    }, server.url);
    assert.deepEqual(Object.values(versions), Array(3).fill(['function', 'function']));
    assert.deepEqual(heard, ['join chat.', 'join chat.']);
    await page.close();
  });
}
