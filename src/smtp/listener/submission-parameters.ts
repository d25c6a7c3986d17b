// Parameters of MAIL that only a user may say (RFC 6409): when the message is to leave (FUTURERELEASE, RFC 4865), by when it
// is to be there (DELIVERBY, RFC 2852), and before which others (MT-PRIORITY, RFC 6710).

import type { MailParameters } from '../../formats/envelope.ts';
import { Refusal } from '../../formats/refusal.ts';

/** What a moment is measured against. */
export interface SubmissionTime {
  /** ms since the epoch. */
  readonly now: number;
  /** The longest that a message is held, ms; 0: none is. */
  readonly maxHold: number;
}

/** What the parameters ask for. Those of other extensions, which are read elsewhere, are passed over. */
export function submissionParameters(
  said: ReadonlyMap<string, string | undefined>,
  time: SubmissionTime,
): Pick<MailParameters, 'holdUntil' | 'holdRequest' | 'deliverBy' | 'priority'> {
  const hold = release(said, time);
  const by = said.has('BY') ? deliverBy(said.get('BY'), time.now) : undefined;
  // RFC 4865 §5.2.2: one of the two could not be kept.
  if (by !== undefined && hold !== undefined && hold.holdUntil > by.at) throw bad('BY is over before the hold is');
  return {
    ...hold,
    ...(by === undefined ? {} : { deliverBy: by }),
    ...(said.has('MT-PRIORITY') ? { priority: priority(said.get('MT-PRIORITY')) } : {}),
  };
}

/** The names that submissionParameters knows. */
export function isSubmissionParameter(name: string, { maxHold }: SubmissionTime): boolean {
  if (name === 'HOLDFOR' || name === 'HOLDUNTIL') return maxHold > 0;
  return name === 'BY' || name === 'MT-PRIORITY';
}

/** hold-param (RFC 4865 §3): one of HOLDFOR and HOLDUNTIL. A moment that has passed is no reason to refuse: the message
 * leaves at once. */
function release(
  said: ReadonlyMap<string, string | undefined>,
  { now, maxHold }: SubmissionTime,
): { readonly holdUntil: number; readonly holdRequest: string } | undefined {
  const kind = said.has('HOLDFOR') ? 'HOLDFOR' : 'HOLDUNTIL';
  if (!said.has(kind)) return undefined;
  if (said.has('HOLDFOR') && said.has('HOLDUNTIL')) throw bad('HOLDFOR and HOLDUNTIL exclude each other');
  const value = said.get(kind) ?? '';
  const until = kind === 'HOLDFOR' ? now + interval(value) : dateTime(value);
  if (until > now + maxHold) throw bad(`No message is held for more than ${maxHold / 1_000} seconds`);
  return { holdUntil: until, holdRequest: `${kind.slice(4).toLowerCase()};${value}` };
}

/** future-release-integer = %x31-39 *8DIGIT, in seconds. */
function interval(value: string): number {
  if (!/^[1-9]\d{0,8}$/.test(value)) throw malformed('HOLDFOR');
  return Number(value) * 1_000;
}

/** date-time of RFC 3339 §5.6, in UTC. */
function dateTime(value: string): number {
  const match = /^(\d{4})-(\d\d)-(\d\d)T\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]00:00)$/i.exec(value);
  if (match === null) throw malformed('HOLDUNTIL');
  const time = Date.parse(match[0].toUpperCase());
  const days = new Date(Date.UTC(Number(match[1]), Number(match[2]), 0)).getUTCDate();
  if (Number.isNaN(time) || Number(match[3]) > days) throw malformed('HOLDUNTIL');
  return time;
}

/** by-value = by-time ";" by-mode [ by-trace ]; by-time = [ "-" / "+" ] 1*9digit, which must be more than 0 with by-mode R
 * (RFC 2852 §4). */
function deliverBy(value: string | undefined, from: number): NonNullable<MailParameters['deliverBy']> {
  const match = /^([+-]?\d{1,9});([NR])(T?)$/i.exec(value ?? '');
  if (match === null) throw malformed('BY');
  const seconds = Number(match[1]);
  const mode = match[2]?.toUpperCase() === 'R' ? 'R' : 'N';
  if (mode === 'R' && seconds <= 0) throw malformed('BY');
  return { at: from + seconds * 1_000, mode, trace: match[3] !== '' };
}

/** priority-value = (["-"] NZDIGIT) / "0" (RFC 6710 §7). */
function priority(value: string | undefined): number {
  if (value === undefined || !/^(?:-?[1-9]|0)$/.test(value)) throw malformed('MT-PRIORITY');
  return Number(value);
}

function malformed(name: string): Refusal {
  return bad(`Parameter ${name} has a bad value`);
}

function bad(text: string): Refusal {
  return new Refusal(501, '5.5.4', text);
}
