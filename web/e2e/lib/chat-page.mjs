// Our page as a person uses it: by its labels and roles, never by its classes.
import { open } from './browser.mjs';

/** A reader of our page at url, called name; `state` is what the page comes to, if not connected. */
export async function openChat(browser, url, name, { state, hash = '', ...options } = {}) {
  const { context, page, faults } = await open(browser, `${url}/${hash}`, options);
  const korean = options?.locale?.startsWith('ko');
  const words = korean
    ? { connected: '연결됨', name: '이름', message: '메시지' }
    : { connected: 'Connected', name: 'Name', message: 'Message' };
  const chat = {
    context,
    page,
    faults,
    status: page.getByRole('banner').getByRole('status'),
    log: page.getByRole('log'),
    name: page.getByRole('textbox', { name: words.name, exact: true }),
    text: page.getByRole('textbox', { name: words.message, exact: true }),
    /** The panel of a wide page that tells who is here. */
    people: page.getByRole('complementary', { name: 'People' }),
    /** Opens the menu, which is a drawer. */
    async menu() {
      await page.getByRole('button', { name: /^Menu/ }).click();
      return page.getByRole('dialog', { name: 'Menu' });
    },
    /** Waits for the state of the connection to read so. */
    state: (words) => page.getByRole('banner').getByText(words, { exact: true }).waitFor(),
    /** Waits for a message with exactly this text in the conversation. */
    sees: (text, timeout = 15_000) => page.getByRole('log').getByText(text, { exact: true }).first().waitFor({ timeout }),
    async says(text) {
      await chat.text.fill(text);
      // On glass, Enter starts a new line.
      await (options.hasTouch ? page.locator('button[type=submit]').click() : chat.text.press('Enter'));
    },
    /** The messages, oldest first, as their visible text. Only those near the eye are there: so it scrolls past all of them. */
    messages: () => page.getByRole('log').evaluate(async (log) => {
      const box = log.closest('[tabindex="0"]');
      const drawn = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      const found = new Map();
      const collect = () => log.querySelectorAll('li[data-id]').forEach((li) => {
        const text = li.querySelector('p[dir=auto]');
        if (text) found.set(Number(li.dataset.id), text.textContent);
      });
      for (box.scrollTop = 0; ; box.scrollTop += 0.8 * box.clientHeight) {
        await drawn();
        collect();
        if (box.scrollTop + box.clientHeight >= box.scrollHeight - 1) break;
      }
      return [...found].sort(([a], [b]) => a - b).map(([, text]) => text);
    }),
    /** How far the conversation is scrolled from its end, in CSS pixels. */
    fromEnd: () => page.getByRole('log').evaluate((log) => {
      const box = log.closest('[tabindex="0"]');
      return box.scrollHeight - box.clientHeight - box.scrollTop;
    }),
    scrollBy: (y) => page.getByRole('log').evaluate((log, y) => log.closest('[tabindex="0"]').scrollBy(0, y), y),
    close: () => context.close(),
  };
  await chat.state(state ?? words.connected);
  if (name) {
    await chat.name.fill(name);
  }
  return chat;
}
