import { io } from 'socket.io-client';
import { createApp } from 'vue';
import App from './App.vue';
import { readRefusal } from './chat/refusal';
import { openRoom } from './chat/room';
import { joinSiblings } from './chat/siblings';
import { keepToken, keptToken, tokenOf } from './chat/token';
import { followDays } from './ui/clock';
import { rememberedName } from './ui/identity';
import { t } from './ui/texts';
import './styles/index.css';

document.documentElement.lang = t.lang;
// The server writes the operator's title into the page, CHAT_TITLE.
const title = document.querySelector<HTMLMetaElement>('meta[name=application-name]')?.content || t.title;
document.title = title;

followDays();

const store = () => sessionStorage;
const { token, rest } = tokenOf(location.href);
if (rest !== location.href) {
  history.replaceState(null, '', rest);
}
if (token) {
  keepToken(store, token);
}

// The server beside the page, wherever a proxy may have put both. It notes the name it is
// given here in its log, as it does for any client.
const name = rememberedName(() => localStorage);
const socket = io('/chat', {
  path: new URL('socket.io', document.baseURI).pathname,
  autoConnect: false,
  query: name ? { username: name } : {},
});
// A server may be set to offer WebSocket alone, which the library's first request is not.
socket.on('connect_error', (error) => {
  if (readRefusal(error).kind === 'transport') {
    socket.io.opts.transports = ['websocket'];
  }
});

const tabs = typeof BroadcastChannel === 'function' ? new BroadcastChannel(`chat ${document.baseURI}`) : undefined;
const room = openRoom(socket, joinSiblings(tabs), keptToken(store));
createApp(App, { room, rememberedName: name, title }).mount('#app');
