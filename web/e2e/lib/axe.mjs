// What a machine can see of a page's accessibility.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** The rules that page breaks, each with the elements that break it. */
export async function violations(page) {
  await page.evaluate(axe);
  const { violations, incomplete } = await page.evaluate(() => window.axe.run());
  // Of contrasts of what is scrolled out of view it says that it cannot tell.
  const open = incomplete.filter(({ id }) => id !== 'color-contrast');
  return [...violations, ...open].map(({ id, impact, nodes }) => `${id} (${impact}): ${nodes.map(({ html }) => html.slice(0, 120)).join(' ')}`);
}
