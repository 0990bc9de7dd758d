// The operators' status page in a browser: what it shows equals what runs.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { once } from 'node:events';
import { io } from 'socket.io-client';
import { open, startBrowser } from './lib/browser.mjs';
import { isReference, startInstance, startRedis } from './lib/servers.mjs';

describe('the status page', { skip: isReference && 'a page of our server' }, () => {
  let browser, redis, one, two, view;
  const clients = [];

  before(async () => {
    [browser, redis] = await Promise.all([startBrowser(), startRedis()]);
    const env = { LOG_FORMAT: 'json', CHAT_JOIN_NOTICE: 'false', DRAIN_SECONDS: '0' };
    [one, two] = await Promise.all([startInstance({ redis, env }), startInstance({ redis, env })]);
  });
  after(async () => {
    clients.forEach((c) => c.disconnect());
    await browser?.close();
    await Promise.all([one?.stop(), two?.stop(), redis?.stop()]);
  });

  /** The operators' address, from the line that says that the server listens. */
  const operators = (server) => `http://${/"metrics":"([^"]+)"/.exec(server.output())[1]}`;
  const join = async (server, transport) => {
    const client = io(`${server.url}/chat`, { transports: [transport], forceNew: true });
    clients.push(client);
    await once(client, 'connect');
    return client;
  };
  const shows = (id, text) => view.page.locator(`#${id}`).getByText(text, { exact: true }).waitFor();
  const event = (name) => view.page.locator('#events tbody tr', { hasText: name }).locator('td').allTextContents();

  test('shows clients, deliveries and the cluster as they are', async () => {
    view = await open(browser, `${operators(one)}/status`);
    const here = [await join(one, 'websocket'), await join(one, 'websocket'), await join(one, 'polling')];
    const there = await join(two, 'websocket');
    await shows('clients', '3');
    await shows('websocket', '2');
    await shows('polling', '1');
    await shows('protocol4', '3');
    await shows('instances', '2');

    const all = Promise.all([...here, there].map((c) => new Promise((resolve) => {
      let left = 7;
      c.on('msgToClient', () => --left === 0 && resolve());
    })));
    for (let i = 0; i < 5; i++) here[0].emit('msgToServer', { name: 'a', text: `<b>${i}</b>` });
    for (let i = 0; i < 2; i++) there.emit('msgToServer', { name: 'b', text: 'from the other instance' });
    here[1].emit('<img src=x onerror=alert(1)>', 1);
    await all;
    await shows('deliveries', '21');
    await view.page.locator('#events').getByText('msgToServer').waitFor();
    assert.deepEqual((await event('msgToClient')).filter((_, i) => i === 2 || i === 4), ['msgToClient', '21']);
    assert.deepEqual((await event('msgToServer')).filter((_, i) => i === 2 || i === 6), ['msgToServer', '5']);
    assert.deepEqual((await event('other')).filter((_, i) => i === 2 || i === 6), ['other', '1']);
    await shows('state', 'all is well');

    const answered = await (await fetch(`${operators(one)}/metrics`)).text();
    assert.match(answered, /^socket_io_connected 3$/m);
    assert.match(answered, /^chat_deliveries_total\{namespace="\/chat"\} 21$/m);
    assert.deepEqual(view.faults, []);
  });

  test('draws what was, on a phone and in the dark as well', async () => {
    const phone = await open(browser, `${operators(one)}/status`, { viewport: { width: 360, height: 740 }, colorScheme: 'dark', isMobile: true, hasTouch: true });
    await phone.page.locator('[data-series=clients] path.line').waitFor({ state: 'attached' });
    await phone.page.waitForFunction(() => document.querySelector('[data-series=deliveries] .line').getAttribute('d').includes('L'));
    const { wide, back } = await phone.page.evaluate(() => ({
      wide: document.documentElement.scrollWidth > document.documentElement.clientWidth,
      back: getComputedStyle(document.body).backgroundColor,
    }));
    assert.equal(wide, false, 'the page scrolls sideways');
    assert.match(back, /rgb\((\d|[1-4]\d), /, 'the page is not dark');
    // The last column of the events is a swipe away, or a few presses of a key.
    const table = phone.page.getByRole('region', { name: 'Events, sent and received' });
    await table.focus();
    for (let i = 0; i < 12; i++) await phone.page.keyboard.press('ArrowRight');
    await phone.page.waitForFunction(() => {
      const box = document.querySelector('.scroll').getBoundingClientRect();
      return [...document.querySelectorAll('#events th')].at(-1).getBoundingClientRect().right <= box.right + 1;
    });
    // A tap on a word leads to what it means.
    await phone.page.getByText('Go memory', { exact: true }).first().tap();
    await phone.page.getByText('GOMEMLIMIT bounds it').waitFor();
    const resident = await phone.page.locator('#resident').textContent();
    assert.match(resident, /^\d+ MB$/);
    assert.deepEqual(phone.faults, []);
    await phone.context.close();
  });

  test('says that Redis is gone, and that the server is', async () => {
    await redis.stop();
    await shows('state', 'needs attention');
    await view.page.locator('#problems').getByText('Not joined to the other instances').waitFor();
    await shows('instances', '–');
    clients.forEach((c) => c.disconnect());
    await one.stop();
    await shows('state', 'no answer');
  });
});
