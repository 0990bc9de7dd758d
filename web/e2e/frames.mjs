// How smooth the page is: node e2e/frames.mjs, with CHAT_SERVER as for the tests, on a quiet machine.
// It prints how many frames a second are drawn while one types and 1,000 messages a second arrive,
// and what a frame takes while one scrolls through 50,000 messages.
import { io } from 'socket.io-client';
import { startBrowser } from './lib/browser.mjs';
import { openChat } from './lib/chat-page.mjs';
import { freePort } from './lib/ports.mjs';
import { startReference } from './lib/reference.mjs';
import { startInstance } from './lib/servers.mjs';

const SECONDS = 10;
const RATE = 1000;

const browser = await startBrowser();
const connected = (socket) => new Promise((resolve, reject) => socket.once('connect', resolve).once('connect_error', reject));
/** Notes the time between frames, in milliseconds, until it is asked for them. */
const watchFrames = (page) =>
  page.evaluate(() => {
    window.frames = [];
    let last = performance.now();
    const frame = (now) => (window.frames.push(now - last), (last = now), requestAnimationFrame(frame));
    requestAnimationFrame(frame);
  });
const report = (what, times) => {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (part) => sorted[Math.floor(part * (sorted.length - 1))].toFixed(1);
  const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
  console.log(`${what}: ${(1000 / mean).toFixed(1)} frames/s; ms a frame: median ${at(0.5)}, p95 ${at(0.95)}, most ${at(1)}`);
};

{
  const server = await startInstance({ env: { CHAT_HISTORY: '1000' } });
  const sender = io(`${server.url}/chat`, { transports: ['websocket'] });
  await connected(sender);
  const chat = await openChat(browser, server.url, '지우');
  let sent = 0;
  let heard = 0;
  sender.on('msgToClient', () => heard++);
  const began = performance.now();
  const timer = setInterval(() => {
    for (const due = ((performance.now() - began) / 1000) * RATE; sent < due; sent++) {
      sender.emit('msgToServer', { name: `n${sent % 7}`, text: `message ${sent}` });
    }
  }, 10);
  await watchFrames(chat.page);
  const typed = 'a line that takes a while to write '.repeat(10);
  for (let i = 0; performance.now() - began < SECONDS * 1000; i++) {
    await chat.text.press(typed[i % typed.length]);
  }
  report(`${(heard / SECONDS).toFixed(0)} messages/s while typing`, await chat.page.evaluate(() => window.frames));
  clearInterval(timer);
  await chat.close();
  sender.close();
  await server.stop();
}

{
  const mood = { speaks: { kept: 50_000 } };
  const port = await freePort();
  const server = await startReference(port, undefined, mood);
  for (let i = 1; i <= 50_000; i++) {
    mood.talk.keep({ name: `n${i % 5}`, text: `message ${i}` }, '', Date.now() - (50_000 - i) * 1000);
  }
  const chat = await openChat(browser, `http://127.0.0.1:${port}`, '지우');
  await chat.sees('message 50000');
  const steps = await chat.log.evaluate(async (log) => {
    const box = log.closest('[tabindex="0"]');
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    const first = () => [...log.querySelectorAll('p[dir=auto]')].some((row) => row.textContent === 'message 1');
    for (let steps = 0; ; steps++) {
      if (first()) return steps; // all of it is loaded
      box.scrollTop -= 20_000;
      await frame();
    }
  });
  await watchFrames(chat.page);
  await chat.log.evaluate(async (log, seconds) => {
    const box = log.closest('[tabindex="0"]');
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    for (const began = performance.now(); performance.now() - began < seconds * 1000; ) {
      box.scrollTop += 120; // a quick wheel: some 7,000 pixels a second
      await frame();
    }
  }, SECONDS);
  report(`scrolling through 50,000 messages (read back in ${steps} frames)`, await chat.page.evaluate(() => window.frames));
  await chat.close();
  await server.stop();
}
await browser.close();
