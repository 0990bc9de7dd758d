// Every word the page says, in the languages it speaks.

import type { LinkState } from '../chat/link';

export interface Texts {
  lang: string;
  title: string;
  conversation: string;
  empty: string;
  name: string;
  namePlaceholder: string;
  message: string;
  messagePlaceholder: string;
  send: string;
  keys: string;
  you: string;
  nobody: string;
  link: Record<LinkState, string>;
  connectAgain: string;
  joined(count: number): string;
  gap: string;
  cut(units: number): string;
  newMessages(count: number): string;
  toNewest: string;
  outbox: string;
  sending: string;
  doubtful: string;
  sendAgain: string;
  discard: string;
  nameMissing: string;
  notConnected: string;
  tooLong(length: number, limit: number): string;
}

const english: Texts = {
  lang: 'en',
  title: 'Chat',
  conversation: 'Conversation',
  empty: 'Nothing has been said yet.',
  name: 'Name',
  namePlaceholder: 'Your name',
  message: 'Message',
  messagePlaceholder: 'Write a message',
  send: 'Send',
  keys: 'Enter sends, Shift+Enter starts a new line',
  you: 'you',
  nobody: 'No name',
  link: {
    connecting: 'Connecting…',
    connected: 'Connected',
    reconnecting: 'Reconnecting…',
    disconnected: 'Disconnected',
  },
  connectAgain: 'Connect again',
  joined: (count) => (count === 1 ? 'Someone joined the chat' : `${count.toLocaleString('en')} people joined the chat`),
  gap: 'Connection restored. Messages from in between are not shown.',
  cut: (units) => `${units.toLocaleString('en')} more characters`,
  newMessages: (count) => (count === 1 ? '1 new message' : `${count.toLocaleString('en')} new messages`),
  toNewest: 'To the newest message',
  outbox: 'Not delivered yet',
  sending: 'Sending…',
  doubtful: 'May not have been delivered',
  sendAgain: 'Send again',
  discard: 'Discard',
  nameMissing: 'Enter your name first.',
  notConnected: 'Not connected. Your text is kept.',
  tooLong: (length, limit) => `Too long: ${length.toLocaleString('en')} of at most ${limit.toLocaleString('en')} characters.`,
};

const korean: Texts = {
  lang: 'ko',
  title: '채팅',
  conversation: '대화',
  empty: '아직 주고받은 메시지가 없습니다.',
  name: '이름',
  namePlaceholder: '이름을 입력하세요',
  message: '메시지',
  messagePlaceholder: '메시지를 입력하세요',
  send: '보내기',
  keys: 'Enter로 보내고, Shift+Enter로 줄을 바꿉니다',
  you: '나',
  nobody: '이름 없음',
  link: {
    connecting: '연결 중…',
    connected: '연결됨',
    reconnecting: '다시 연결 중…',
    disconnected: '연결 끊김',
  },
  connectAgain: '다시 연결',
  joined: (count) => (count === 1 ? '새로운 분이 들어왔습니다' : `${count.toLocaleString('ko')}명이 들어왔습니다`),
  gap: '다시 연결되었습니다. 그 사이의 메시지는 표시되지 않습니다.',
  cut: (units) => `${units.toLocaleString('ko')}자 더 있음`,
  newMessages: (count) => `새 메시지 ${count.toLocaleString('ko')}개`,
  toNewest: '최신 메시지로 이동',
  outbox: '아직 전달되지 않은 메시지',
  sending: '보내는 중…',
  doubtful: '전달되지 않았을 수 있습니다',
  sendAgain: '다시 보내기',
  discard: '지우기',
  nameMissing: '먼저 이름을 입력하세요.',
  notConnected: '연결되어 있지 않습니다. 입력한 내용은 그대로 남아 있습니다.',
  tooLong: (length, limit) => `너무 깁니다: ${length.toLocaleString('ko')}자 (최대 ${limit.toLocaleString('ko')}자).`,
};

/** The texts in the first of the reader's languages that the page speaks, else in English. */
export function textsFor(languages: readonly string[]): Texts {
  for (const language of languages) {
    const primary = language.toLowerCase().split('-', 1)[0];
    const texts = [english, korean].find(({ lang }) => lang === primary);
    if (texts) {
      return texts;
    }
  }
  return english;
}

/** The texts for this reader. */
export const t = textsFor(globalThis.navigator?.languages ?? []);
