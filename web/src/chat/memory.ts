// What this browser remembers of earlier visits: which kept messages are its own, how far its
// reader has read, and the rooms that were joined.

/** So many own messages and so many conversations are remembered. */
const MOST_OWN = 500;
const MOST_SEEN = 100;

export interface Memory {
  isOwn(id: string): boolean;
  own(id: string): void;
  /** The last moment, by the server's clock in milliseconds, of which all was seen; 0: none. */
  seenUntil(conversation: string): number;
  see(conversation: string, time: number): void;
  rooms(): readonly string[];
  keepRooms(rooms: readonly string[]): void;
}

/** The memory of the chat at `path` of this origin. Where the browser keeps nothing it lasts as long as the page. */
export function openMemory(store: () => Storage, path = '/'): Memory {
  const read = <T>(key: string, sound: (value: unknown) => value is T, otherwise: T): T => {
    try {
      const value: unknown = JSON.parse(store().getItem(`chat.${key} ${path}`) ?? 'null');
      return sound(value) ? value : otherwise;
    } catch {
      return otherwise;
    }
  };
  const write = (key: string, value: unknown) => {
    try {
      store().setItem(`chat.${key} ${path}`, JSON.stringify(value));
    } catch {
      // Private windows and full disks.
    }
  };
  const own = new Set(read('own', isTexts, []));
  const seen = new Map(read('seen', isTimes, []));
  let rooms: readonly string[] = read('rooms', isTexts, []);
  return {
    isOwn: (id) => own.has(id),
    own(id) {
      if (id !== '') {
        own.add(id);
        if (own.size > MOST_OWN) {
          own.delete(own.values().next().value!);
        }
        write('own', [...own]);
      }
    },
    seenUntil: (conversation) => seen.get(conversation) ?? 0,
    see(conversation, time) {
      seen.delete(conversation);
      seen.set(conversation, time);
      write('seen', [...seen].slice(-MOST_SEEN));
    },
    rooms: () => rooms,
    keepRooms(next) {
      rooms = next;
      write('rooms', next);
    },
  };
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

function isTimes(value: unknown): value is [string, number][] {
  return Array.isArray(value) && value.every((one) => Array.isArray(one) && typeof one[0] === 'string' && typeof one[1] === 'number');
}
