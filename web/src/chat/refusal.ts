// Why a connection did not come about, out of what the client library knows of it: an error of
// the transport with the answer of the server, or the server's own refusal of the namespace.

/**
 * unreachable: no answer at all. absent: something answers, but no chat server. transport: this
 * transport is not offered. signIn: a token is missing or not accepted. ended: the server ended
 * the connection and gave no reason. refused: any other reason, in the server's words.
 */
export type RefusalKind = 'unreachable' | 'absent' | 'transport' | 'full' | 'busy' | 'address' | 'origin' | 'signIn' | 'refused' | 'ended';

export interface Refusal {
  readonly kind: RefusalKind;
  /** The server's own sentence; empty when it said none. */
  readonly detail: string;
}

export const ENDED: Refusal = { kind: 'ended', detail: '' };

/** The longest sentence of a server that is shown, in UTF-16 units. */
const DETAIL_LIMIT = 300;

/** The Engine.IO error codes that are told apart here. */
const UNKNOWN_TRANSPORT = 0;
const FORBIDDEN = 4;

/** What the library passes on; none of it is certain. */
interface Failure {
  message?: unknown;
  /** Of a refused namespace: what the server added. */
  data?: { code?: unknown };
  /** Of a transport: the HTTP status, and the request with its answer. */
  type?: unknown;
  description?: unknown;
  context?: { responseText?: unknown };
}

/** Reads the argument of a `connect_error` event, or the details of a `disconnect` event. */
export function readRefusal(error: unknown): Refusal {
  const failure = (error ?? {}) as Failure;
  return failure.type === 'TransportError' ? ofTransport(failure) : ofNamespace(failure);
}

function ofNamespace({ message, data }: Failure): Refusal {
  const code = typeof data?.code === 'string' ? data.code : '';
  return { kind: code.startsWith('token_') ? 'signIn' : 'refused', detail: sentence(message) };
}

function ofTransport({ description: status, context }: Failure): Refusal {
  if (typeof status !== 'number' || status === 0) {
    return { kind: 'unreachable', detail: '' };
  }
  const answer = parse(context?.responseText);
  if (!answer) {
    // Proxies answer so for a server that is not there now.
    return { kind: status >= 500 ? 'unreachable' : 'absent', detail: '' };
  }
  const detail = sentence(answer.message);
  if (status === 503) {
    return { kind: /full/.test(detail) ? 'full' : 'busy', detail };
  }
  if (status === 429) {
    return { kind: 'address', detail };
  }
  switch (answer.code) {
    case UNKNOWN_TRANSPORT:
      return { kind: 'transport', detail };
    case FORBIDDEN:
      return { kind: 'origin', detail };
  }
  return { kind: 'refused', detail };
}

/** An Engine.IO server says what is wrong as {"code":…,"message":…}. */
function parse(body: unknown): { code: unknown; message: unknown } | undefined {
  try {
    const answer = JSON.parse(String(body));
    return typeof answer === 'object' && answer !== null && 'code' in answer ? answer : undefined;
  } catch {
    return undefined;
  }
}

function sentence(message: unknown): string {
  return typeof message === 'string' ? message.slice(0, DETAIL_LIMIT) : '';
}
