// Takes pictures of the page in a lively conversation, to be looked at after a change of its
// design: node e2e/picture.mjs FOLDER, with CHAT_SERVER as for the tests. The machine needs a
// Korean font (fonts-nanum) and emoji (fonts-noto-color-emoji). FOLDER/page.png is the README's: docs/page.png, after pngquant.
import { mkdir, readFile } from 'node:fs/promises';
import { startBrowser } from './lib/browser.mjs';
import { openChat } from './lib/chat-page.mjs';
import { startInstance } from './lib/servers.mjs';

const folder = process.argv[2] ?? 'pictures';
await mkdir(folder, { recursive: true });

const talk = [
  ['지우', '다들 오셨나요? 오늘 배포 얘기 조금만 할게요'],
  ['me', '네, 들어왔어요 🙋'],
  ['Alice', 'Hi! I am on the second instance and see you all.'],
  ['지우', '오, 서로 다른 서버인데도 바로 보이네요'],
  ['지우', 'Redis 하나로 묶은 거 맞죠?'],
  ['me', '맞아요. 인스턴스 두 개, Redis 하나.\n하나씩 교체해도 대화는 끊기지 않습니다.'],
  ['민준', '저는 예전 페이지로 접속했는데 한글도 잘 나옵니다 👍'],
  ['Alice', 'Same here with my old 2.x script. Nothing to change 🎉'],
  ['me', '좋습니다! 그럼 오후에 운영에 올릴게요.'],
  ['지우', '수고하셨습니다 🙌'],
];

const browser = await startBrowser(['--font-render-hinting=none']);
const server = await startInstance();
const sizes = {
  desktop: { viewport: { width: 1000, height: 880 } },
  phone: { viewport: { width: 390, height: 780 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
};
const looks = {};
for (const [size, options] of Object.entries(sizes)) {
  for (const colorScheme of ['light', 'dark']) {
    const locale = size === 'phone' ? 'ko-KR' : 'en-US';
    looks[`${size}-${colorScheme}`] = { ...options, colorScheme, locale, timezoneId: 'Asia/Seoul' };
  }
}

for (const [look, options] of Object.entries(looks)) {
  const me = await openChat(browser, server.url, '서연', options);
  await me.page.clock.setFixedTime('2026-11-23T01:24:00Z'); // 10:24 in Seoul
  const others = {};
  for (const name of ['지우', 'Alice', '민준']) {
    others[name] = await openChat(browser, server.url, name);
  }
  for (const [name, text] of talk) {
    await (name === 'me' ? me : others[name]).says(text);
    await me.page.getByRole('log').getByText(text.split('\n')[0]).first().waitFor();
  }
  await me.text.fill('다음 주에 봬요');
  await me.page.screenshot({ path: `${folder}/${look}.png` });
  await me.scrollBy(-160);
  await others.Alice.says('One more thing…');
  await me.page.getByRole('button', { name: /1 new message|새 메시지 1개/ }).waitFor();
  await me.text.fill('');
  await me.page.screenshot({ path: `${folder}/${look}-scrolled.png` });
  for (const chat of [me, ...Object.values(others)]) {
    await chat.close();
  }
}

// The README's picture: a desktop and a phone side by side.
const together = await (await browser.newContext({ viewport: { width: 1320, height: 900 } })).newPage();
const image = async (look) => `data:image/png;base64,${(await readFile(`${folder}/${look}.png`)).toString('base64')}`;
await together.setContent(`<style>
  body { margin: 0; height: 900px; display: flex; align-items: center; justify-content: center; background: #e8ede8 }
  .desktop { margin: 0 -75px 0 -133px }
  .phone { width: 370px; height: 740px; border: 9px solid #0a0c0b; border-radius: 40px; box-shadow: 0 18px 40px rgb(20 40 30 / 28%) }
</style><img class="desktop" src="${await image('desktop-light')}"><img class="phone" src="${await image('phone-dark')}">`);
await together.screenshot({ path: `${folder}/page.png` });

// Odd and sad moments, once each.
const chat = await openChat(browser, server.url, '', looks['desktop-light']);
const script = await openChat(browser, server.url, 'script', looks['phone-dark']);
await chat.says('no name yet');
await chat.page.screenshot({ path: `${folder}/no-name.png` });
await chat.name.fill('서연');
for (const [name, text] of [['A'.repeat(60), 'a very long name'], ['김', 'https://example.invalid/'.padEnd(300, 'x')], ['김', '<b>markup</b> & more'], ['شخص', 'مرحبا بالعالم']]) {
  await script.name.fill(name);
  await script.says(text);
}
await chat.sees('مرحبا بالعالم');
await server.stop();
await chat.state('Reconnecting…');
await chat.page.screenshot({ path: `${folder}/reconnecting.png` });
await script.page.screenshot({ path: `${folder}/reconnecting-phone.png` });
await browser.close();
process.exit(0);
