// What a machine can see of a page's accessibility.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** The rules that page breaks, each with the elements that break it, once what slides or fades into it is there. */
export async function violations(page) {
  // Half transparent, a panel has no contrast. What goes on for ever is never over, and what is removed meanwhile is cancelled.
  await page.evaluate(() => Promise.allSettled(document.getAnimations().filter((one) => one.effect.getComputedTiming().endTime < Infinity).map((one) => one.finished)));
  await page.evaluate(axe);
  const { violations, incomplete } = await page.evaluate(() => window.axe.run());
  // Of contrasts of what is scrolled out of view it says that it cannot tell.
  const open = incomplete.filter(({ id }) => id !== 'color-contrast');
  return [...violations, ...open].map(({ id, impact, nodes }) => `${id} (${impact}): ${nodes.map(({ html }) => html.slice(0, 120)).join(' ')}`);
}
