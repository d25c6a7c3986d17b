// Entries of the queue as people and programs read them: a row of a table, a whole life in lines, a value in JSON.

import { formatAddress } from '../formats/address.ts';
import { systemClock } from '../platform/clock.ts';
import type { Attempt, TransitOrigin } from '../store/rows.ts';
import type { QueueStatus } from '../store/store.ts';
import type { QueueRow } from './administration.ts';
import { instant, octets, printable, span } from './columns.ts';
import { wishes } from './queue-wishes.ts';

export const HEADING = ['ID', 'FROM', 'TO', 'SIZE', 'AGE', 'TRIES', 'NEXT TRY', 'LAST ANSWER'];
/** Characters of the last answer in a table; `show` has it whole. */
const MAX_ANSWER = 100;

/** One line under HEADING. */
export function asCells(row: QueueRow): string[] {
  const { entry, transit } = row;
  const now = systemClock.now();
  return [
    String(entry.id),
    pathOf(row),
    formatAddress(entry.recipient),
    octets(transit.size),
    span(now - entry.createdAt),
    String(entry.attempts),
    entry.state !== 'waiting' ? entry.state : entry.nextAt <= now ? 'now' : `in ${span(entry.nextAt - now)}`,
    (entry.last?.text ?? '-').slice(0, MAX_ANSWER),
  ];
}

/** Without the octets of a prefix, and with addresses as text. */
export function asJson(row: QueueRow): object {
  const { prefix: _, ...transit } = row.transit;
  return {
    ...row.entry,
    recipient: formatAddress(row.entry.recipient),
    message: { ...transit, reversePath: pathOf(row) },
  };
}

/** An entry from its acceptance to its next try. */
export function lifeOf(row: QueueRow & { readonly attempts: readonly Attempt[] }): string {
  const { entry, transit, attempts } = row;
  const dropped = entry.attempts - attempts.length;
  const lines = [
    `entry    ${entry.id}, ${entry.state}`,
    `message  ${transit.messageId} (session ${transit.origin.session}), ${octets(transit.size)}`,
    `from     ${pathOf(row)}`,
    `to       ${formatAddress(entry.recipient)}`,
    `taken    ${instant(transit.createdAt)} by ${transit.origin.role}, ${originText(transit.origin)}`,
    ...wishes(transit.parameters, entry.parameters, systemClock.now()).map((wish) => `asked    ${wish}`),
    `next     ${nextText(row)}, given up at ${instant(entry.expiresAt)}`,
    ...attempts.flatMap((attempt, index) => [
      ...(index === 1 && dropped > 0 ? [`         ${dropped} more that are not kept`] : []),
      `tried    ${attemptText(attempt)}`,
      ...(attempt.transcript ?? []).map((line) => `           ${line}`),
    ]),
  ];
  return lines.map(printable).join('\n');
}

export function statusText(status: QueueStatus): string {
  const { entries, messages, states, oldest, suspended, destinations, tallies } = status;
  const age = oldest === null ? '' : `, the oldest for ${span(systemClock.now() - oldest)}`;
  const lines = [
    `${entries} entries of ${messages} messages, ${octets(status.octets)}${age}`,
    `${states.waiting} waiting, ${states.held} held, ${states.suspended} suspended`,
    ...destinations.map((each) => `  ${each.destination}  ${each.entries}`),
    ...suspended.map(({ destination, since }) => `suspended: ${destination}, since ${instant(since)}`),
    ...Object.entries(tallies).map(([name, count]) => `${name}: ${count} since the store was made`),
  ];
  return lines.map(printable).join('\n');
}

function pathOf({ transit }: QueueRow): string {
  return transit.reversePath === null ? '<>' : formatAddress(transit.reversePath);
}

function originText({ role, remoteAddress, localPort, tls, user }: TransitOrigin): string {
  // A report has the origin of the message that it is about.
  if (role === 'local' || remoteAddress === null) return 'made here';
  const identity = user === undefined ? '' : `, as ${user}`;
  return `from ${remoteAddress} on port ${localPort}, ${tls ?? 'in clear'}${identity}`;
}

function nextText({ entry, transit }: QueueRow): string {
  if (entry.state === 'held') return 'not before it is released ("postern queue release")';
  if (entry.state === 'suspended') return `not before ${entry.destination} is resumed`;
  const { holdUntil } = transit.parameters;
  const held = holdUntil !== undefined && entry.attempts === 0 && holdUntil > systemClock.now();
  return `${instant(entry.nextAt)}${held ? ', held until then for its sender' : ''}`;
}

function attemptText({ at, host, address, tls, security, text }: Attempt): string {
  const vouched = security?.certificate ?? null;
  const rung = security === undefined ? '' : ` (${security.rung}${vouched === null ? '' : `, ${vouched}`})`;
  const where = host === null ? '' : ` at ${host} [${address}], ${tls ?? 'in clear'}${rung}`;
  return `${instant(at)}${where}: ${text}`;
}
