import { t } from './texts';

const format = new Intl.DateTimeFormat(t.lang, { hour: 'numeric', minute: '2-digit' });

/** The time of day at `at` (milliseconds since the epoch), as the reader writes it. */
export function clock(at: number): string {
  return format.format(at);
}
