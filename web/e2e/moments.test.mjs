// Sad moments that the chat server has no switch for, played by Node's Socket.IO server.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { startBrowser } from './lib/browser.mjs';
import { openChat } from './lib/chat-page.mjs';
import { freePort } from './lib/ports.mjs';
import { startReference } from './lib/reference.mjs';

describe('the page in sad moments', () => {
  let browser, server, mood, chat;

  before(async () => {
    browser = await startBrowser();
  });
  after(() => browser?.close());
  beforeEach(async () => {
    mood = {};
    const port = await freePort();
    server = await startReference(port, undefined, mood);
    chat = await openChat(browser, `http://127.0.0.1:${port}`, '수아');
  });
  afterEach(async () => {
    await chat?.close();
    await server?.stop();
  });

  test('a message that may be lost is kept, to be sent again or discarded', async () => {
    mood.deaf = true;
    await chat.says('first');
    await chat.says('second');
    const waiting = chat.page.getByRole('list', { name: 'Not delivered yet' }).getByRole('listitem');
    await waiting.getByText('Sending…').first().waitFor();
    await server.stop();
    await chat.page.getByText('May not have been delivered').first().waitFor();
    assert.equal(await waiting.count(), 2);
    const again = waiting.getByRole('button', { name: 'Send again' });
    assert.equal(await again.first().isDisabled(), true);

    mood.deaf = false;
    await server.restart();
    await chat.state('Connected');
    await again.first().click();
    await chat.sees('first');
    await waiting.getByRole('button', { name: 'Discard' }).click();
    await waiting.waitFor({ state: 'detached' });
    assert.deepEqual(await chat.messages(), ['first']);
  });

  test('comes back when the server throws it out once', async () => {
    server.throwOut();
    await chat.state('Reconnecting…');
    await chat.state('Connected');
    await chat.says('back again');
    await chat.sees('back again');
  });

  test('gives up when it is refused again and again, and connects when asked to', async () => {
    mood.refusing = true;
    server.throwOut();
    await chat.state('Disconnected');
    await chat.says('kept');
    assert.equal(await chat.text.inputValue(), 'kept');
    mood.refusing = false;
    await chat.page.getByRole('button', { name: 'Connect again' }).click();
    await chat.state('Connected');
    await chat.text.press('Enter');
    await chat.sees('kept');
  });
});
