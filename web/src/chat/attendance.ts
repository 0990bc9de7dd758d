// The people in the conversation that is open, and those who write there. Only that one is watched.

import type { Socket } from 'socket.io-client';
import { type Conversation, addressOf } from './conversation';
import { NOBODY, changed, everybody } from './people';
import { type Features, ask, fieldsOf, readPresence, text } from './protocol';
import { sayTyping } from './typing';

/** Where there are too many people for a change or a first answer, the list is asked for this much later. */
const AGAIN_MS = 2000;

export interface Attendance {
  /** From now on the people of talk are watched, those of no other; undefined: nobody's. */
  watch(talk: Conversation | undefined): void;
  /** The connection is lost; the next one has to be told what to watch. */
  lost(): void;
  /** The reader changes the text; `name` is the one in the box. */
  writes(name: string): void;
  sent(): void;
}

/** `find` gives the conversation that an event is about. */
export function followAttendance(socket: Socket, offered: () => Features, find: (room: string, person: string) => Conversation | undefined): Attendance {
  let watched: Conversation | undefined;
  let again: ReturnType<typeof setTimeout> | undefined;
  let writer = '';

  const tell = sayTyping(() => {
    if (watched && socket.connected) {
      socket.volatile.emit('typing', { ...addressOf(watched.place), name: writer });
    }
  });
  const stop = (talk: Conversation) => {
    clearTimeout(again);
    if (talk.place.kind !== 'person' && socket.connected && offered().presence) {
      ask(socket, 'presence:watch', { ...addressOf(talk.place), watch: false }).catch(() => {});
    }
  };
  /** Asks for the list later: where it is long, many come or go at once. */
  const whole = (talk: Conversation) => {
    clearTimeout(again);
    again = setTimeout(() => void list('presence', talk), AGAIN_MS);
  };
  const list = async (event: string, talk: Conversation) => {
    try {
      const answer = readPresence(await ask(socket, event, addressOf(talk.place)));
      if (talk === watched) {
        talk.people.value = everybody(answer);
        if (event === 'presence:watch' && answer.more) {
          whole(talk);
        }
      }
    } catch {
      // Nobody is shown then; the next connection tries again.
    }
  };

  socket.on('presence:change', (change: unknown) => {
    const talk = find(text(fieldsOf(change).room), '');
    if (!talk || talk !== watched) {
      return;
    }
    talk.people.value = changed(talk.people.value, readPresence(change));
    if (talk.people.value.stale) {
      whole(talk);
    }
  });
  socket.on('typing', (sign: unknown) => {
    const fields = fieldsOf(sign);
    const person = fields.private === true ? text(fields.from) || text(fields.name) : '';
    const ms = typeof fields.for === 'number' ? fields.for : 0;
    find(text(fields.room), person)?.typing.heard(text(fields.name) || person, ms);
  });

  return {
    watch(talk) {
      if (watched && watched !== talk) {
        stop(watched);
      }
      watched = talk;
      if (talk && talk.place.kind !== 'person' && offered().presence) {
        void list('presence:watch', talk);
      } else if (talk) {
        talk.people.value = NOBODY;
      }
    },
    lost() {
      clearTimeout(again);
    },
    writes(name) {
      writer = name;
      if (offered().typing && name !== '') {
        tell.writes();
      }
    },
    sent: () => tell.sent(),
  };
}
