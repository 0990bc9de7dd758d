import { io } from 'socket.io-client';
import { createApp } from 'vue';
import App from './App.vue';
import { Chat } from './chat/chat';
import { openMemory } from './chat/memory';
import { readRefusal } from './chat/refusal';
import { fetchToken } from './chat/renewal';
import { joinSiblings } from './chat/siblings';
import { keepRenewal, keepToken, keptRenewal, keptToken, tokenOf } from './chat/token';
import { followDays } from './ui/clock';
import { rememberedName } from './ui/identity';
import { followLanguage } from './ui/language';
import { followNotifying } from './ui/notify';
import { followTheme } from './ui/theme';
import './styles/index.css';

followLanguage(() => localStorage);
// The server writes the operator's title into the page, CHAT_TITLE.
const operatorTitle = document.querySelector<HTMLMetaElement>('meta[name=application-name]')?.content ?? '';

followDays();
followTheme(() => localStorage);
followNotifying(() => localStorage);

const store = () => sessionStorage;
/** Takes a token out of the page's address; empty: there is none. */
function takeToken(): string {
  const { token, renew, rest } = tokenOf(location.href);
  if (rest !== location.href) {
    history.replaceState(null, '', rest);
  }
  if (token) {
    keepToken(store, token);
    keepRenewal(store, renew);
  }
  return token;
}
takeToken();

// The server beside the page, wherever a proxy may have put both. It notes the name it is
// given here in its log, as it does for any client.
const name = rememberedName(() => localStorage);
const socket = io('/chat', {
  path: new URL('socket.io', document.baseURI).pathname,
  autoConnect: false,
  query: name ? { username: name } : {},
});
socket.io.on('reconnect_attempt', () => {
  const now = rememberedName(() => localStorage);
  socket.io.opts.query = now ? { username: now } : {};
});
// A server may be set to offer WebSocket alone, which the library's first request is not.
socket.on('connect_error', (error) => {
  if (readRefusal(error).kind === 'transport') {
    socket.io.opts.transports = ['websocket'];
  }
});

const tabs = typeof BroadcastChannel === 'function' ? new BroadcastChannel(`chat ${document.baseURI}`) : undefined;
const renewal = keptRenewal(store);
const chat = new Chat(socket, {
  siblings: joinSiblings(tabs),
  memory: openMemory(() => localStorage, new URL(document.baseURI).pathname),
  token: keptToken(store),
  keepToken: (fresh) => keepToken(store, fresh),
  fetchToken: renewal ? () => fetchToken(renewal) : undefined,
});
// A link with another token, opened in this tab, loads nothing anew.
addEventListener('hashchange', () => {
  const token = takeToken();
  if (token) {
    chat.signIn(token);
  }
});
createApp(App, { chat, rememberedName: name, operatorTitle }).mount('#app');
