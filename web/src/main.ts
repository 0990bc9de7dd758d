import { io } from 'socket.io-client';
import { createApp } from 'vue';
import App from './App.vue';
import { openRoom } from './chat/room';
import { rememberedName } from './ui/identity';
import { t } from './ui/texts';
import './styles/index.css';

document.documentElement.lang = t.lang;
document.title = t.title;

// The page's own origin, the library's default transports. The server notes the name it
// is given here in its log, as it does for any client.
const name = rememberedName(() => localStorage);
const socket = io('/chat', { autoConnect: false, query: name ? { username: name } : {} });

createApp(App, { room: openRoom(socket), rememberedName: name }).mount('#app');
