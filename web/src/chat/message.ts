// What the server sends with `msgToClient` becomes text to show. The server relays
// whatever a client sent, so nothing about its shape is certain: {name, text} from a page
// like this one, anything at all from a script. Nothing is ever treated as HTML.

/** A chat message, ready to be shown. */
export interface Message {
  kind: 'message';
  /** The sender's name; empty when the sender gave no name. */
  name: string;
  /** What is said, at most TEXT_LIMIT UTF-16 units of it. */
  text: string;
  /** text is not what somebody wrote but the JSON of what came instead. */
  raw: boolean;
  /** UTF-16 units that were cut off the end of text. */
  cut: number;
}

/** The server's announcement that somebody came. */
export interface Joined {
  kind: 'joined';
}

/** The longest text that is shown, and that this page sends, in UTF-16 units. */
export const TEXT_LIMIT = 10_000;

/** The longest complaint of a server that is shown, in UTF-16 units. */
const EXCEPTION_LIMIT = 300;

/** The longest name that is shown, and that this page sends, in UTF-16 units. */
export const NAME_LIMIT = 40;

/**
 * Reads the arguments of one `msgToClient` event. It never throws. The message is the first
 * argument; none is shown as null. With recovery on, a server sends the offset of the event
 * as one more argument, which the client library leaves there.
 *
 * What one has said oneself (`own`) is a message, even if it reads like the join notice; that of
 * others cannot be told from it.
 */
export function readMessage(args: readonly unknown[], own = false): Message | Joined {
  const payload = args[0] ?? null;

  if (typeof payload === 'string') {
    return message('', payload, false);
  }
  if (!isPlainObject(payload) || !('text' in payload || 'name' in payload)) {
    return message('', toJSON(payload), true);
  }

  // Own properties only: "text" must not be found on a prototype.
  const name = Object.hasOwn(payload, 'name') ? payload.name : undefined;
  const text = Object.hasOwn(payload, 'text') ? payload.text : undefined;
  if (name === 'admin' && text === 'join chat.' && !own) {
    return { kind: 'joined' };
  }
  const shownName = typeof name === 'string' ? name : name == null ? '' : toJSON(name);
  if (typeof text === 'string') {
    return message(shownName, text, false);
  }
  return message(shownName, toJSON(text ?? null), true);
}

/**
 * Reads what the server says of an event that it refused, {status, message}, as NestJS sends it
 * with `exception` and this server also as the event's acknowledgement.
 */
export function readException(payload: unknown): string {
  const said = isPlainObject(payload) && Object.hasOwn(payload, 'message') ? payload.message : payload;
  const list = Array.isArray(said) ? said : [said];
  return shorten(list.map((part) => (typeof part === 'string' ? part : toJSON(part ?? null))).join(', '), EXCEPTION_LIMIT);
}

/** Shortens text to limit UTF-16 units without leaving half of a surrogate pair. */
export function shorten(text: string, limit: number): string {
  if (text.length <= limit) {
    return text;
  }
  const last = text.charCodeAt(limit - 1);
  const splitsPair = last >= 0xd800 && last <= 0xdbff;
  return text.slice(0, splitsPair ? limit - 1 : limit);
}

function message(name: string, text: string, raw: boolean): Message {
  const shown = shorten(text, TEXT_LIMIT);
  // A name is one line, whatever was sent as one.
  const oneLine = shorten(name, NAME_LIMIT * 4).replace(/\s+/gu, ' ').trim();
  return {
    kind: 'message',
    name: oneLine.length > NAME_LIMIT ? `${shorten(oneLine, NAME_LIMIT)}…` : oneLine,
    text: shown,
    raw,
    cut: text.length - shown.length,
  };
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isBinary(value);
}

function isBinary(value: unknown): value is ArrayBuffer | ArrayBufferView {
  return value instanceof ArrayBuffer || ArrayBuffer.isView(value);
}

/** JSON for the eye: binary parts as their size. Too deep a nesting is said, not thrown. */
function toJSON(value: unknown): string {
  try {
    return JSON.stringify(value, (_key, part) => (isBinary(part) ? `[${part.byteLength} bytes]` : part)) ?? String(value);
  } catch {
    return '[unreadable]';
  }
}
