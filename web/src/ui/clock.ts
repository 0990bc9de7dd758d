import { computed, shallowRef } from 'vue';
import { t } from './texts';

/** How times are written in the page's language. */
const format = computed(() => {
  const { lang } = t.value;
  return {
    timeOfDay: new Intl.DateTimeFormat(lang, { hour: 'numeric', minute: '2-digit' }),
    whole: new Intl.DateTimeFormat(lang, { dateStyle: 'full', timeStyle: 'medium' }),
    thisYear: new Intl.DateTimeFormat(lang, { weekday: 'long', day: 'numeric', month: 'long' }),
    otherYear: new Intl.DateTimeFormat(lang, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }),
    relative: new Intl.RelativeTimeFormat(lang, { numeric: 'auto' }),
  };
});

/** The time of day at `at` (milliseconds since the epoch), as the reader writes it. */
export function clock(at: number): string {
  return format.value.timeOfDay.format(at);
}

/** The same with its day and its seconds. */
export function dayAndClock(at: number): string {
  return format.value.whole.format(at);
}

/** Any moment of the day that it is now; it changes at midnight. */
export const today = shallowRef(Date.now());

/** The day of `at` as one speaks of it on the day of `now`: today, yesterday, or its date. */
export function dayOf(at: number, now: number): string {
  // Noon to noon: a day of 23 or 25 hours does not matter then.
  const noon = (moment: number) => new Date(moment).setHours(12, 0, 0, 0);
  const days = Math.round((noon(at) - noon(now)) / 86_400_000);
  if (days === 0 || days === -1) {
    const word = format.value.relative.format(days, 'day');
    return word.charAt(0).toLocaleUpperCase(t.value.lang) + word.slice(1);
  }
  return (new Date(at).getFullYear() === new Date(now).getFullYear() ? format.value.thisYear : format.value.otherYear).format(at);
}

function turn() {
  today.value = Date.now();
  setTimeout(turn, new Date(today.value).setHours(24, 0, 1, 0) - today.value);
}

/** Lets `today` change at midnight, and when a machine wakes up on another day. */
export function followDays(): void {
  turn();
  document.addEventListener('visibilitychange', () => (today.value = Date.now()));
}
