// Our page and the seed's own page in one room of a server that keeps messages: ours uses that, the
// seed's sees nothing of it.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startBrowser } from './lib/browser.mjs';
import { openChat } from './lib/chat-page.mjs';
import { startProxy } from './lib/proxy.mjs';
import { openSeedPage } from './lib/seed-page.mjs';
import { isReference, startInstance } from './lib/servers.mjs';

describe('a server that keeps messages, our page and the seed\'s', { skip: isReference && 'a setting of our server' }, () => {
  let server, proxy, browser, ours, seed;
  const said = [];

  before(async () => {
    server = await startInstance({ env: { CHAT_HISTORY: '200' } });
    proxy = await startProxy(server.url);
    browser = await startBrowser();
    ours = await openChat(browser, proxy.url, '지우');
    seed = await openSeedPage(server.port, '민준');
    await seed.sees('admin: join chat.');
  });
  after(async () => {
    await seed?.close();
    await browser?.close();
    await proxy?.stop();
    await server?.stop();
  });
  const lines = async () => (await seed.lines()).filter((line) => line !== 'admin: join chat.');
  const both = async (text) => {
    await seed.says(`seed ${text}`);
    await ours.sees(`seed ${text}`);
    await ours.says(`ours ${text}`);
    await seed.sees(`지우: ours ${text}`);
    said.push(`seed ${text}`, `ours ${text}`);
  };

  test('they talk, and after a reload our page has it all, the seed\'s what it heard', async () => {
    for (const text of ['안녕하세요', 'Hello <b>no markup</b>', '😀 漢字', '끝']) {
      await both(text);
    }
    assert.deepEqual(await ours.messages(), said);
    await ours.page.reload();
    await ours.state('Connected');
    await ours.sees('ours 끝');
    assert.deepEqual(await ours.messages(), said);
    assert.equal(await ours.log.getByText('지우 (you)').count(), 4, 'one\'s own words are still one\'s own');
    await both('again');
    assert.deepEqual(await ours.messages(), said);
    assert.deepEqual(await lines(), said.map((text) => (text.startsWith('seed') ? `민준: ${text}` : `지우: ${text}`)));
  });

  test('after a broken line our page shows what was missed, once, and no gap', async () => {
    proxy.cut();
    await ours.state('Reconnecting…');
    for (const text of ['missed', 'missed', 'missed too']) {
      await seed.says(text);
      said.push(text);
    }
    await seed.page.waitForFunction(() => document.querySelectorAll('#messages li').length && [...document.querySelectorAll('#messages li')].at(-1).textContent.includes('missed too'));
    proxy.mend();
    await ours.sees('missed too');
    await both('after it');
    assert.deepEqual(await ours.messages(), said);
    assert.equal(await ours.page.getByText('Connection restored.').count(), 0);
  });

  test('a server that was restarted has forgotten: a gap is told', async () => {
    await server.stop();
    await ours.state('Reconnecting…');
    await server.restart();
    await ours.state('Connected');
    await ours.page.getByText('Connection restored. Messages from in between are not shown.').waitFor();
    await ours.says('a new beginning');
    await ours.sees('a new beginning');
    said.push('a new beginning');
    assert.deepEqual(await ours.messages(), said);
  });

  test('without an error on either page', () => {
    assert.deepEqual(seed.faults, []);
    assert.deepEqual(ours.faults, []);
  });
});
