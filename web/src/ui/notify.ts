// Notifications of messages that come while nobody can see the page. The browser is asked for
// them only when the reader switches them on.

import { shallowRef } from 'vue';
import { shorten } from '../chat/message';
import { keep, kept } from '../chat/stored';

const KEY = 'chat.notify';
const TEXT_LIMIT = 160;

/** off: not wanted. denied: the browser does not allow them. absent: it has none. */
export const notifying = shallowRef<'on' | 'off' | 'denied' | 'absent'>('absent');

/** Takes up what was chosen before; nothing is asked. */
export function followNotifying(store: () => Storage): void {
  if (typeof Notification !== 'function' || !isSecureContext) {
    return;
  }
  const wanted = kept(store, KEY) === 'on';
  const { permission } = Notification;
  notifying.value = permission === 'denied' ? 'denied' : wanted && permission === 'granted' ? 'on' : 'off';
}

/** Switches them on or off, on the reader's click: browsers ask for permission then only. */
export async function chooseNotifying(store: () => Storage, on: boolean): Promise<void> {
  const permission = on ? await Notification.requestPermission() : 'default';
  notifying.value = permission === 'granted' ? 'on' : permission === 'denied' ? 'denied' : 'off';
  keep(store, KEY, notifying.value === 'on' ? 'on' : '');
}

/** Shows one, in place of an earlier one of the same conversation; `opened` runs when it is clicked. */
export function notify(conversation: string, title: string, text: string, opened: () => void): void {
  if (notifying.value !== 'on' || !document.hidden) {
    return;
  }
  try {
    const note = new Notification(title, { body: shorten(text, TEXT_LIMIT), tag: conversation, icon: new URL('icon-192.png', document.baseURI).href });
    note.onclick = () => {
      window.focus();
      opened();
      note.close();
    };
  } catch {
    notifying.value = 'absent'; // phones' browsers have them for installed pages only
  }
}
