// Every word the page says, in the languages it speaks.

import type { LinkState } from '../chat/link';
import type { RefusalKind } from '../chat/refusal';

export interface Texts {
  lang: string;
  title: string;
  conversation: string;
  empty: string;
  anyName: string;
  name: string;
  namePlaceholder: string;
  message: string;
  messagePlaceholder: string;
  send: string;
  keys: string;
  keysTouch: string;
  you: string;
  nobody: string;
  link: Record<LinkState, string>;
  connectAgain: string;
  joined(count: number): string;
  gap: string;
  cut(units: number): string;
  newMessages(count: number): string;
  unread: string;
  opensElsewhere: string;
  toNewest: string;
  outbox: string;
  sending: string;
  doubtful: string;
  sendAgain: string;
  discard: string;
  edit: string;
  refused(why: string): string;
  slowed: string;
  complained(why: string): string;
  longestText(limit: string): string;
  longestName(limit: string): string;
  /** Why there is no connection. */
  why: Record<RefusalKind, string>;
  serverSays(sentence: string): string;
  tokenRefused: string;
  token: string;
  tokenHint: string;
  signIn: string;
  signOut: string;
  signedIn: string;
  close: string;
  nameMissing: string;
  nameTooLong(length: number, limit: number): string;
  notConnected: string;
  tooLong(length: number, limit: number): string;
}

const english: Texts = {
  lang: 'en',
  title: 'Chat',
  conversation: 'Conversation',
  empty: 'Nothing has been said yet.',
  anyName: 'Names are not checked here: anybody can use any name.',
  name: 'Name',
  namePlaceholder: 'Your name',
  message: 'Message',
  messagePlaceholder: 'Write a message',
  send: 'Send',
  keys: 'Enter sends, Shift+Enter starts a new line',
  keysTouch: 'Enter starts a new line',
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
  unread: 'New',
  opensElsewhere: 'opens in a new tab',
  toNewest: 'To the newest message',
  outbox: 'Not delivered yet',
  sending: 'Sending…',
  doubtful: 'May not have been delivered',
  sendAgain: 'Send again',
  discard: 'Discard',
  edit: 'Edit',
  refused: (why) => `Not sent. ${why}`,
  slowed: 'You are writing faster than this chat allows. Your messages are delivered with a delay.',
  complained: (why) => `The server says: ${why}`,
  longestText: (limit) => `A message may have at most ${limit} characters here.`,
  longestName: (limit) => `A name may have at most ${limit} characters here.`,
  why: {
    unreachable: 'The chat server does not answer. Trying again…',
    absent: 'There is no chat server at this address. Trying again…',
    transport: 'Trying another kind of connection…',
    full: 'The chat is full. Trying again until there is room…',
    busy: 'Many people are connecting right now. Trying again…',
    address: 'Too many connections from your network. Trying again…',
    origin: 'The server does not accept connections from this page’s address. Its operator can allow it with CORS_ORIGINS.',
    signIn: 'This chat asks for a sign-in.',
    refused: 'The server refused the connection.',
    ended: 'The server ended the connection.',
  },
  serverSays: (sentence) => `Server: ${sentence}`,
  tokenRefused: 'That token was not accepted.',
  token: 'Token',
  tokenHint: 'Paste the token that the operator of this chat gave you. It is kept until you close this tab.',
  signIn: 'Sign in',
  signOut: 'Sign out',
  signedIn: 'Signed in',
  close: 'Close',
  nameMissing: 'Enter your name first.',
  nameTooLong: (length, limit) => `The name is too long: ${length.toLocaleString('en')} of at most ${limit.toLocaleString('en')} characters.`,
  notConnected: 'Not connected. Your text is kept.',
  tooLong: (length, limit) => `Too long: ${length.toLocaleString('en')} of at most ${limit.toLocaleString('en')} characters.`,
};

const korean: Texts = {
  lang: 'ko',
  title: '채팅',
  conversation: '대화',
  empty: '아직 주고받은 메시지가 없습니다.',
  anyName: '이름은 확인하지 않습니다. 누구나 어떤 이름이든 쓸 수 있습니다.',
  name: '이름',
  namePlaceholder: '이름을 입력하세요',
  message: '메시지',
  messagePlaceholder: '메시지를 입력하세요',
  send: '보내기',
  keys: 'Enter로 보내고, Shift+Enter로 줄을 바꿉니다',
  keysTouch: 'Enter로 줄을 바꿉니다',
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
  unread: '새 메시지',
  opensElsewhere: '새 탭에서 열림',
  toNewest: '최신 메시지로 이동',
  outbox: '아직 전달되지 않은 메시지',
  sending: '보내는 중…',
  doubtful: '전달되지 않았을 수 있습니다',
  sendAgain: '다시 보내기',
  discard: '지우기',
  edit: '고치기',
  refused: (why) => `보내지 못했습니다. ${why}`,
  slowed: '이 채팅이 허용하는 것보다 빠르게 쓰고 있습니다. 메시지가 늦게 전달됩니다.',
  complained: (why) => `서버 응답: ${why}`,
  longestText: (limit) => `이 채팅에서 메시지는 최대 ${limit}자입니다.`,
  longestName: (limit) => `이 채팅에서 이름은 최대 ${limit}자입니다.`,
  why: {
    unreachable: '채팅 서버가 응답하지 않습니다. 다시 시도하는 중…',
    absent: '이 주소에는 채팅 서버가 없습니다. 다시 시도하는 중…',
    transport: '다른 방식으로 연결하는 중…',
    full: '채팅 인원이 가득 찼습니다. 자리가 날 때까지 다시 시도합니다…',
    busy: '지금 많은 분이 접속하고 있습니다. 다시 시도하는 중…',
    address: '같은 네트워크에서 연결이 너무 많습니다. 다시 시도하는 중…',
    origin: '서버가 이 페이지의 주소를 허용하지 않습니다. 운영자가 CORS_ORIGINS로 허용할 수 있습니다.',
    signIn: '로그인이 필요한 채팅입니다.',
    refused: '서버가 연결을 거절했습니다.',
    ended: '서버가 연결을 끊었습니다.',
  },
  serverSays: (sentence) => `서버: ${sentence}`,
  tokenRefused: '이 토큰으로는 들어갈 수 없습니다.',
  token: '토큰',
  tokenHint: '채팅 운영자에게 받은 토큰을 붙여 넣으세요. 이 탭을 닫을 때까지 보관됩니다.',
  signIn: '로그인',
  signOut: '로그아웃',
  signedIn: '로그인됨',
  close: '닫기',
  nameMissing: '먼저 이름을 입력하세요.',
  nameTooLong: (length, limit) => `이름이 너무 깁니다: ${length.toLocaleString('ko')}자 (최대 ${limit.toLocaleString('ko')}자).`,
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
