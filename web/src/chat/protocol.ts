// The chat's own protocol, as far as the page speaks it: events that are asked for with an
// acknowledgement (pkg/chat/PROTOCOL.md). A server without it never answers; nothing that one
// answers is taken for granted.

/** The part of the library's Socket that is used here. */
export interface Askable {
  timeout(ms: number): { emit(event: string, argument: unknown, ack: (overdue: Error | null, answer?: unknown) => void): unknown };
}

/** So long an answer is waited for, in milliseconds. */
export const ANSWER_MS = 8000;
/** So long it takes to conclude that a server does not know the protocol. */
export const FEATURES_MS = 4000;

/** A question that was answered with an error, or not at all (code `silent`). */
export class Refused extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

type Fields = Record<string, unknown>;

/** Asks the server; resolves to the fields of its answer. Throws Refused. */
export function ask(socket: Askable, event: string, argument: object, ms = ANSWER_MS): Promise<Fields> {
  return new Promise((resolve, reject) => {
    socket.timeout(ms).emit(event, argument, (overdue, answer) => {
      if (overdue) {
        reject(new Refused('silent', overdue.message));
        return;
      }
      const fields = fieldsOf(answer);
      const error = fieldsOf(fields.error);
      if ('code' in error) {
        reject(new Refused(text(error.code), text(error.message)));
      } else if (fields.status === 'error') {
        reject(new Refused('refused', text(fields.message))); // as NestJS says it
      } else {
        resolve(fields);
      }
    });
  });
}

/** What a server offers. */
export interface Features {
  /** It speaks the protocol at all: messages go by `send`. */
  readonly any: boolean;
  /** It keeps messages: so many, for so long. */
  readonly history: { readonly limit: number; readonly hours: number } | false;
  readonly presence: boolean;
  readonly typing: boolean;
  readonly rooms: boolean;
  readonly private: boolean;
  /** The name that goes with the token; empty: none. */
  readonly name: string;
}

export const NOTHING: Features = { any: false, history: false, presence: false, typing: false, rooms: false, private: false, name: '' };

export function readFeatures(answer: Fields): Features {
  const history = fieldsOf(answer.history);
  return {
    any: true,
    history: answer.history ? { limit: count(history.limit), hours: count(history.hours) } : false,
    presence: answer.presence === true,
    typing: answer.typing === true,
    rooms: answer.rooms === true,
    private: answer.private === true,
    name: text(answer.name),
  };
}

/** A message that the server has kept. */
export interface Kept {
  readonly id: string;
  /** When it was relayed, by the server's clock, in milliseconds since the epoch. */
  readonly time: number;
  readonly payload: unknown;
  /** The name of the token that it was sent with; empty: none. */
  readonly from: string;
}

/** One answer to `history`: messages, oldest first. */
export interface HistoryPage {
  readonly messages: readonly Kept[];
  readonly more: boolean;
  /** What was asked for is no longer kept. */
  readonly gap: boolean;
  /** The server could not look everywhere. */
  readonly partial: boolean;
  /** The server's clock when it answered; 0: it did not say. */
  readonly now: number;
}

export function readHistory(answer: Fields): HistoryPage {
  const messages = list(answer.messages).flatMap((one): Kept[] => {
    const { id, time, payload, from } = fieldsOf(one);
    return typeof id === 'string' && id !== '' ? [{ id, time: count(time), payload, from: text(from) }] : [];
  });
  return { messages, more: answer.more === true, gap: answer.gap === true, partial: answer.partial === true, now: count(answer.now) };
}

/** Someone in the chat, and with how many connections. */
export interface Person {
  readonly name: string;
  readonly connections: number;
}

/** What `presence` answers, or what `presence:change` adds to it. */
export interface Presence {
  readonly people: readonly Person[];
  readonly left: readonly string[];
  /** People with a name, and connections of everybody. */
  readonly count: number;
  readonly connections: number;
  /** There are more people than are named. */
  readonly more: boolean;
  /** Too much changed to be listed. */
  readonly reset: boolean;
}

export function readPresence(answer: unknown): Presence {
  const fields = fieldsOf(answer);
  const people = list(fields.people ?? fields.joined).flatMap((one): Person[] => {
    const { name, connections } = fieldsOf(one);
    return typeof name === 'string' && name !== '' ? [{ name, connections: Math.max(1, count(connections)) }] : [];
  });
  const left = list(fields.left).filter((name) => typeof name === 'string');
  return { people, left, count: count(fields.count), connections: count(fields.connections), more: fields.more === true, reset: fields.reset === true };
}

/** Where a message belongs, as the second argument of `msgToClient` says it; a lobby's has none. */
export interface Place {
  readonly room?: string;
  /** A private message: between these two. */
  readonly from?: string;
  readonly to?: string;
  readonly time?: number;
}

export function readPlace(argument: unknown): Place {
  const fields = fieldsOf(argument);
  const time = typeof fields.time === 'number' ? { time: fields.time } : {};
  if (fields.private === true && typeof fields.from === 'string' && typeof fields.to === 'string') {
    return { from: fields.from, to: fields.to, ...time };
  }
  return typeof fields.room === 'string' ? { room: fields.room, ...time } : {};
}

export function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function count(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0;
}
