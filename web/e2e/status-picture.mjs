// Takes pictures of the status page under load, to be looked at after a change of its design:
// node e2e/status-picture.mjs FOLDER, with CHAT_SERVER as for the tests and CHAT_LOAD, the path of
// chat-load. FOLDER/status.png is the README's: docs/status.png, after pngquant. Takes five minutes.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { startBrowser } from './lib/browser.mjs';
import { startInstance, startRedis } from './lib/servers.mjs';

const folder = process.argv[2] ?? 'pictures';
const seconds = Number(process.argv[3] ?? 290);
await mkdir(folder, { recursive: true });
const browser = await startBrowser(['--font-render-hinting=none']);
const redis = await startRedis();
const env = { LOG_FORMAT: 'json', CHAT_JOIN_NOTICE: 'false', DRAIN_SECONDS: '0', RECOVERY_SECONDS: '120' };
const servers = [await startInstance({ redis, env }), await startInstance({ redis, env }), await startInstance({ redis, env })];
const status = `http://${/"metrics":"([^"]+)"/.exec(servers[0].output())[1]}/status`;

/** A crowd that comes after some time and stays for some. */
async function crowd(after, stay, ...args) {
  await new Promise((resolve) => setTimeout(resolve, after * 1000));
  const urls = servers.flatMap(({ url }) => ['--server', url]);
  await once(spawn(process.env.CHAT_LOAD, [...urls, '--plain', '--duration', `${stay}s`, ...args], { stdio: 'ignore' }), 'close');
}
const part = seconds / 10;
void crowd(part, 9 * part, '--clients', '120', '--senders', '20', '--rate', '12', '--transport', 'upgrade', '--ramp', `${2 * part}s`);
void crowd(part, 9 * part, '--clients', '45', '--senders', '6', '--rate', '2', '--transport', 'polling', '--protocol', '3', '--ramp', `${part}s`);
void crowd(3 * part, 2 * part, '--clients', '90', '--senders', '30', '--rate', '30', '--protocol', '3');
void crowd(6 * part, 4 * part, '--clients', '210', '--senders', '40', '--rate', '20', '--ramp', `${part}s`);
await new Promise((resolve) => setTimeout(resolve, seconds * 1000));

const shots = {
  'desk-light': { viewport: { width: 1180, height: 850 }, colorScheme: 'light' },
  'desk-dark': { viewport: { width: 1180, height: 850 }, colorScheme: 'dark' },
  'phone-light': { viewport: { width: 390, height: 800 }, deviceScaleFactor: 2, colorScheme: 'light', isMobile: true },
  'phone-dark': { viewport: { width: 390, height: 800 }, deviceScaleFactor: 2, colorScheme: 'dark', isMobile: true },
};
const look = async (suffix) => {
  for (const [name, options] of Object.entries(shots)) {
    const page = await (await browser.newContext(options)).newPage();
    await page.goto(status);
    await page.locator('[data-series=clients] path.line').waitFor({ state: 'attached' });
    await page.screenshot({ path: `${folder}/${name}${suffix}.png` });
    await page.screenshot({ path: `${folder}/${name}${suffix}-whole.png`, fullPage: true });
    await page.context().close();
  }
};
await look('');

// The README's picture: a desktop and a phone side by side.
const together = await (await browser.newContext({ viewport: { width: 1400, height: 900 } })).newPage();
const image = async (name) => `data:image/png;base64,${(await readFile(`${folder}/${name}.png`)).toString('base64')}`;
await together.setContent(`<style>
  body { margin: 0; height: 900px; display: flex; align-items: center; justify-content: center; background: #dfe5df }
  .desktop { width: 1040px; border-radius: 12px; margin-right: -34px; box-shadow: 0 10px 30px rgb(20 40 30 / 18%) }
  .phone { width: 346px; border: 9px solid #0a0c0b; border-radius: 40px; box-shadow: 0 18px 40px rgb(20 40 30 / 30%) }
</style><img class="desktop" src="${await image('desk-light')}"><img class="phone" src="${await image('phone-dark')}">`);
await together.screenshot({ path: `${folder}/status.png` });

await redis.stop();
await new Promise((resolve) => setTimeout(resolve, 3000));
await look('-without-redis');
await browser.close();
await Promise.all(servers.map((s) => s.stop()));
process.exit(0);
