// Dates and times on IMAP's wire (RFC 3501 §9). Pure.

import { bad } from '../completion.ts';
import type { Scanner } from './scanner.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;
const DAY = 86_400_000;

export interface ZonedTime {
  /** ms since the epoch. */
  readonly at: number;
  /** Minutes east of UTC. */
  readonly zone: number;
}

/** ms since the epoch of a day that exists, or null. */
function utc(day: number, month: string, year: number): number | null {
  const index = MONTHS.findIndex((name) => name.toLowerCase() === month.toLowerCase());
  const date = new Date(0);
  date.setUTCFullYear(year, index, day);
  return index === -1 || date.getUTCDate() !== day || date.getUTCMonth() !== index ? null : date.getTime();
}

/** date = date-text / DQUOTE date-text DQUOTE; date-text = date-day "-" date-month "-" date-year
 * @returns days since 1970-01-01 */
export function date(scanner: Scanner): number {
  const text = scanner.astring().toString('latin1');
  const parts = /^(\d{1,2})-([A-Za-z]{3})-(\d{4})$/.exec(text);
  const at = parts ? utc(Number(parts[1]), parts[2] ?? '', Number(parts[3])) : null;
  if (at === null) throw bad('A date is not one: it looks like 1-Feb-1994');
  return at / DAY;
}

/** date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE
 * More lenient than RFC 3501 §9: a day of one digit without its space is taken. */
export function dateTime(scanner: Scanner): ZonedTime {
  const text = scanner.string().toString('latin1');
  const parts = /^ ?(\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})$/.exec(text);
  const day = parts ? utc(Number(parts[1]), parts[2] ?? '', Number(parts[3])) : null;
  const [hour, minute, second, zoneHour, zoneMinute] = [4, 5, 6, 8, 9].map((i) => Number(parts?.[i]));
  if (
    day === null ||
    hour === undefined ||
    minute === undefined ||
    second === undefined ||
    zoneHour === undefined ||
    zoneMinute === undefined ||
    hour > 23 ||
    minute > 59 ||
    second > 60 ||
    zoneHour > 14 ||
    zoneMinute > 59
  ) {
    throw bad('A date-time is not one: it looks like "17-Jul-1996 02:44:25 -0700"');
  }
  const zone = (parts?.[7] === '-' ? -1 : 1) * (zoneHour * 60 + zoneMinute);
  return { at: day + ((hour * 60 + minute - zone) * 60 + second) * 1000, zone };
}

function two(value: number): string {
  return value < 10 ? `0${value}` : `${value}`;
}

/** date-time with its quotes, for INTERNALDATE. */
export function dateTimeText({ at, zone }: ZonedTime): string {
  const local = new Date(at + zone * 60_000);
  const day = local.getUTCDate();
  const month = MONTHS[local.getUTCMonth()];
  const year = `${local.getUTCFullYear()}`.padStart(4, '0');
  const time = `${two(local.getUTCHours())}:${two(local.getUTCMinutes())}:${two(local.getUTCSeconds())}`;
  const east = Math.abs(zone);
  const offset = `${zone < 0 ? '-' : '+'}${two(Math.floor(east / 60))}${two(east % 60)}`;
  return `"${day < 10 ? ' ' : ''}${day}-${month}-${year} ${time} ${offset}"`;
}
