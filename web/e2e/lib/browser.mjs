// Debian's Chromium, driven by Playwright.
import { chromium } from 'playwright-core';

/** Starts a headless Chromium; CHROMIUM names another executable than Debian's. */
export function startBrowser(args = []) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      // Newer Chromium keeps pages without an address of their own away from localhost.
      '--disable-features=LocalNetworkAccessChecks',
      ...args,
    ],
  });
}

/**
 * Opens url in a context of its own, so with storage of its own, and notes whatever must
 * not happen: errors, requests to other hosts, violations of the security policy.
 */
export async function open(browser, url, options = {}) {
  const context = await browser.newContext({ locale: 'en-US', ...options });
  const page = await context.newPage();
  const faults = [];
  const origin = new URL(url).host;
  page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
  page.on('request', (request) => {
    const { host, protocol } = new URL(request.url());
    if (host !== origin || protocol !== 'http:') {
      faults.push(`request to ${request.url().slice(0, 200)}`);
    }
  });
  page.on('websocket', (socket) => {
    if (new URL(socket.url()).host !== origin) {
      faults.push(`websocket to ${socket.url()}`);
    }
  });
  page.on('console', (message) => {
    // A line that breaks, in whatever way, is the test's own doing; what the browser blocks is not.
    if (message.type() === 'error' && !/net::ERR_(?!BLOCKED)|WebSocket connection to|status of (400|403|429|503)/.test(message.text())) {
      faults.push(`console: ${message.text()}`);
    }
  });
  await page.goto(url);
  return { context, page, faults };
}
