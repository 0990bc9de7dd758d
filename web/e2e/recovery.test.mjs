// A reader whose line breaks for a moment, with a server that remembers and with one that does not.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startBrowser } from './lib/browser.mjs';
import { openChat } from './lib/chat-page.mjs';
import { startProxy } from './lib/proxy.mjs';
import { startInstance } from './lib/servers.mjs';

for (const seconds of [120, 0]) {
  describe(`a broken line, RECOVERY_SECONDS=${seconds}`, () => {
    let browser, server, proxy, alice, jiwoo;

    before(async () => {
      server = await startInstance({ env: { RECOVERY_SECONDS: String(seconds) } });
      proxy = await startProxy(server.url);
      browser = await startBrowser();
      alice = await openChat(browser, server.url, 'Alice');
      jiwoo = await openChat(browser, proxy.url, '지우');
    });
    after(async () => {
      await browser?.close();
      await proxy?.stop();
      await server?.stop();
    });

    test('shows messages as messages', async () => {
      await alice.says('hello');
      await jiwoo.sees('hello');
      await jiwoo.says('안녕');
      await alice.sees('안녕');
      assert.deepEqual(await jiwoo.messages(), ['hello', '안녕']);
      assert.equal(await jiwoo.log.getByText('No name').count(), 0);
      await alice.page.getByText('joined the chat').first().waitFor();
    });

    test(seconds ? 'shows what was said meanwhile, and no gap' : 'says that something is missing', async () => {
      proxy.cut();
      await jiwoo.state('Reconnecting…');
      for (const text of ['one', 'two', 'three']) {
        await alice.says(text);
        await alice.sees(text);
      }
      proxy.mend();
      await jiwoo.state('Connected');
      await alice.says('four');
      await jiwoo.sees('four');
      const missed = seconds ? ['one', 'two', 'three'] : [];
      assert.deepEqual(await jiwoo.messages(), ['hello', '안녕', ...missed, 'four']);
      assert.equal(await jiwoo.page.getByText('Connection restored.').count(), seconds ? 0 : 1);
      assert.deepEqual([...jiwoo.faults, ...alice.faults], []);
    });

    test('says that something is missing when the server was restarted', async () => {
      await server.stop();
      await jiwoo.state('Reconnecting…');
      await server.restart();
      await jiwoo.state('Connected');
      await jiwoo.page.getByText('Connection restored.').nth(seconds ? 0 : 1).waitFor();
    });
  });
}
