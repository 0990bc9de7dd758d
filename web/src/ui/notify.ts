// Notifications of messages that come while nobody can see the page. The browser is asked for
// them only when the reader switches them on.

import { shallowRef } from 'vue';
import { shorten } from '../chat/message';

const KEY = 'chat.notify';
const TEXT_LIMIT = 160;

/** off: not wanted. denied: the browser does not allow them. absent: it has none. */
export const notifying = shallowRef<'on' | 'off' | 'denied' | 'absent'>('absent');

/** Takes up what was chosen before; nothing is asked. */
export function followNotifying(store: () => Storage): void {
  if (typeof Notification !== 'function' || !isSecureContext) {
    return;
  }
  let wanted = false;
  try {
    wanted = store().getItem(KEY) === 'on';
  } catch {
    // Private windows: off.
  }
  const { permission } = Notification;
  notifying.value = permission === 'denied' ? 'denied' : wanted && permission === 'granted' ? 'on' : 'off';
}

/** Switches them on or off, on the reader's click: browsers ask for permission then only. */
export async function chooseNotifying(store: () => Storage, on: boolean): Promise<void> {
  const permission = on ? await Notification.requestPermission() : 'default';
  notifying.value = permission === 'granted' ? 'on' : permission === 'denied' ? 'denied' : 'off';
  try {
    notifying.value === 'on' ? store().setItem(KEY, 'on') : store().removeItem(KEY);
  } catch {
    // It lasts as long as the page.
  }
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
