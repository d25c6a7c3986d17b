// Dates of a header (RFC 5322 §3.3): written in the one modern form, read in every form that mail has had, with the
// obsolete ones of §4.3. A date is a moment and the zone that it was told in; there is no clock here.

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/** A Date field longer than this is not read; characters. */
const LONGEST = 200;
/** RFC 5322 §3.3: any numeric year 1900 or later. */
const FIRST_YEAR = 1900;

/** obs-zone (RFC 5322 §4.3), minutes east. Military letters and unknown names mean -0000: UTC, place unknown. */
const ZONES: Readonly<Record<string, number>> = {
  EST: -300,
  EDT: -240,
  CST: -360,
  CDT: -300,
  MST: -420,
  MDT: -360,
  PST: -480,
  PDT: -420,
};

/** A moment (ms since the epoch) and the offset of the zone it was told in (minutes east of UTC). */
export interface ZonedTime {
  readonly time: number;
  readonly zone: number;
}

const two = (value: number): string => (value < 10 ? `0${value}` : `${value}`);

/** `±HHMM` */
export function formatZone(zone: number): string {
  const size = Math.abs(zone);
  return `${zone < 0 ? '-' : '+'}${two(Math.trunc(size / 60))}${two(size % 60)}`;
}

/** `Tue, 1 Jul 2003 10:52:37 +0200` (RFC 5322 §3.3). `time` in ms since the epoch, `zone` in minutes east of UTC. */
export function formatDate(time: number, zone: number): string {
  const local = new Date(time + zone * 60_000);
  const date = `${local.getUTCDate()} ${MONTHS[local.getUTCMonth()]} ${`${local.getUTCFullYear()}`.padStart(4, '0')}`;
  const hour = `${two(local.getUTCHours())}:${two(local.getUTCMinutes())}:${two(local.getUTCSeconds())}`;
  return `${DAYS[local.getUTCDay()]}, ${date} ${hour} ${formatZone(zone)}`;
}

// day month year, in the RFC's order or with hyphens, and the month first (asctime, and some mail programs).
const DAY_FIRST = /(\d{1,2})[\s-]+([A-Za-z]{3})[a-z]*\.?[\s-]+(\d{2,4})\b(?![:.]\d)/;
const MONTH_FIRST = /([A-Za-z]{3})[a-z]*\.?\s+(\d{1,2})(?:,?\s+(\d{4})(?![:.\d]))?/;
const ISO = /(\d{4})-(\d{2})-(\d{2})/;
const TIME = /(\d{1,2})\s*[:.]\s*(\d{2})(?:\s*[:.]\s*(\d{2})(?:\.\d+)?)?\s*([AaPp][Mm]\b)?/;
const YEAR_LAST = /\b(\d{4})\s*$/;

/**
 * Reads a Date field, tolerantly: comments, missing seconds or day name, two and three digit years, zone names, the
 * order of asctime. The day name is not checked against the date.
 * @returns null where no date can be made of it
 */
export function parseDate(text: string): ZonedTime | null {
  if (text.length > LONGEST) return null;
  const bare = withoutComments(text).trim();
  const date = calendarDate(bare);
  if (date === null || date.year < FIRST_YEAR) return null;
  const time = TIME.exec(date.rest);
  let hour = Number(time?.[1] ?? 0);
  const minute = Number(time?.[2] ?? 0);
  const second = Number(time?.[3] ?? 0);
  const half = time?.[4]?.toLowerCase();
  if (half !== undefined && hour <= 12) hour = (hour % 12) + (half === 'pm' ? 12 : 0);
  // 60 is a leap second.
  if (hour > 23 || minute > 59 || second > 60) return null;
  const zone = time === null ? 0 : parseZone(date.rest.slice(time.index + time[0].length));
  const moment = Date.UTC(date.year, date.month, date.day, hour, minute, second);
  // Date.UTC takes 30 February for 2 March.
  if (date.day < 1 || new Date(Date.UTC(date.year, date.month, date.day)).getUTCDate() !== date.day) return null;
  return { time: moment - zone * 60_000, zone };
}

interface CalendarDate {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  /** What of the text may hold time and zone. */
  readonly rest: string;
}

function calendarDate(text: string): CalendarDate | null {
  const dayFirst = DAY_FIRST.exec(text);
  if (dayFirst !== null) {
    const month = monthNumber(dayFirst[2]);
    if (month >= 0) {
      const rest = text.slice(dayFirst.index + dayFirst[0].length);
      return { year: fullYear(dayFirst[3] ?? ''), month, day: Number(dayFirst[1]), rest };
    }
  }
  const iso = ISO.exec(text);
  if (iso !== null) {
    const month = Number(iso[2]) - 1;
    if (month > 11) return null;
    return { year: Number(iso[1]), month, day: Number(iso[3]), rest: text.slice(iso.index + iso[0].length) };
  }
  for (const match of text.matchAll(new RegExp(MONTH_FIRST, 'g'))) {
    const month = monthNumber(match[1]);
    if (month < 0) continue;
    const rest = text.slice(match.index + match[0].length);
    const year = match[3] ?? YEAR_LAST.exec(rest)?.[1] ?? /\b(\d{4})\b(?!:)/.exec(rest)?.[1];
    return year === undefined ? null : { year: Number(year), month, day: Number(match[2]), rest };
  }
  return null;
}

/** obs-year (RFC 5322 §4.3): two digits 00 to 49 are 2000 to 2049, 50 to 99 are 19xx; three digits count from 1900. */
function fullYear(digits: string): number {
  const year = Number(digits);
  if (digits.length === 2) return year < 50 ? 2000 + year : 1900 + year;
  return digits.length === 3 ? 1900 + year : year;
}

function monthNumber(name: string | undefined): number {
  const wanted = name?.toLowerCase();
  return MONTHS.findIndex((month) => month.toLowerCase() === wanted);
}

/** Minutes east of UTC. */
function parseZone(text: string): number {
  const numeric = /^\s*(?:GMT|UTC?)?\s*([+-])(\d{2}):?(\d{2})/i.exec(text);
  if (numeric !== null) {
    const size = Number(numeric[2]) * 60 + Number(numeric[3]);
    // Nothing on earth is farther than a day away: such a zone is junk.
    return size >= 24 * 60 ? 0 : numeric[1] === '-' ? -size || 0 : size;
  }
  const name = /^\s*([A-Za-z]+)/.exec(text)?.[1]?.toUpperCase();
  return name === undefined ? 0 : (ZONES[name] ?? 0);
}

function withoutComments(text: string): string {
  if (!text.includes('(')) return text;
  let out = '';
  let depth = 0;
  for (const character of text) {
    if (character === '(') depth += 1;
    else if (character === ')' && depth > 0) {
      depth -= 1;
      out += ' ';
    } else if (depth === 0) out += character;
  }
  return out;
}
