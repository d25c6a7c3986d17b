// The verb `queue`: what waits to leave, and an operator's hand on it.

import { formatAddress, normalizeDomain } from '../formats/address.ts';
import { systemClock } from '../platform/clock.ts';
import type { Attempt, EntryId } from '../store/rows.ts';
import { type Administration, administer, PAGE, type QueueRow } from './administration.ts';
import { inColumns, instant, octets, printable, span } from './columns.ts';
import { type Context, configOf, EXIT, Failure, say, sayJson, write } from './context.ts';

export interface ListOptions {
  readonly domain?: string;
  readonly json?: boolean;
}

export async function list(context: Context, { domain, json }: ListOptions): Promise<number> {
  const destination = destinationOf(domain);
  let shown = 0;
  await administer(await configOf(context), 'existing', async (store) => {
    for await (const rows of pages(store, destination)) {
      // A queue may be long: each page is written before the next is read.
      if (json === true) await write(context, asJsonLines(rows, shown));
      else await write(context, `${inColumns(HEADING, rows.map(asCells))}\n`);
      shown += rows.length;
    }
  });
  if (json === true) say(context, shown === 0 ? '[]' : '\n]');
  else if (shown === 0) say(context, 'nothing waits');
  return EXIT.done;
}

export async function show(context: Context, name: string, { json }: { readonly json?: boolean }): Promise<number> {
  const id = idOf(name);
  const found = await administer(await configOf(context), 'existing', (store) => store.entry(id));
  if (found === undefined)
    throw new Failure(`there is no entry ${name} in the queue: it was delivered, failed or removed`);
  const { entry, transit, attempts } = found;
  if (json === true) {
    sayJson(context, { ...asJson(found), attempts });
    return EXIT.done;
  }
  const { role, session, remoteAddress, localPort, tls } = transit.origin;
  const from =
    remoteAddress === null ? 'made here' : `from ${remoteAddress} on port ${localPort}, ${tls ?? 'in clear'}`;
  const lines = [
    `entry    ${entry.id}, ${entry.state}`,
    `message  ${transit.messageId} (session ${session}), ${octets(transit.size)}`,
    `from     ${pathOf(found)}`,
    `to       ${formatAddress(entry.recipient)}`,
    `taken    ${instant(transit.createdAt)} by ${role}, ${from}`,
    `next     ${instant(entry.nextAt)}, given up at ${instant(entry.expiresAt)}`,
    ...attempts.map((attempt) => `tried    ${attemptText(attempt)}`),
  ];
  say(context, lines.map(printable).join('\n'));
  return EXIT.done;
}

/** `retry` makes entries due now; `remove` drops them without a report to anybody. */
export async function control(
  context: Context,
  action: 'retry' | 'remove',
  names: readonly string[],
  { all: every, domain }: { readonly all?: boolean; readonly domain?: string },
): Promise<number> {
  const chosen = names.map(idOf);
  const ways = [chosen.length > 0, every === true, domain !== undefined].filter(Boolean).length;
  if (ways !== 1) throw new Failure('name entries by their ids, or say --domain, or say --all', EXIT.usage);
  const destination = destinationOf(domain);
  const config = await configOf(context);
  const changed = await administer(config, 'existing', async (store) => {
    const change = async (entries: readonly EntryId[]) => {
      const now = systemClock.now();
      return (await store.execute<'queue-control'>({ kind: 'queue-control', entries, action, now })).changed;
    };
    let count = 0;
    for (let at = 0; at < chosen.length; at += PAGE) count += await change(chosen.slice(at, at + PAGE));
    if (chosen.length > 0) return count;
    for await (const rows of pages(store, destination)) count += await change(rows.map(({ entry }) => entry.id));
    return count;
  });
  say(context, `${changed} ${changed === 1 ? 'entry' : 'entries'} ${action === 'retry' ? 'due now' : 'removed'}`);
  return changed > 0 || chosen.length === 0 ? EXIT.done : EXIT.failed;
}

/** The queue by id, in pages that are not empty. */
async function* pages(store: Administration, destination: string | undefined): AsyncGenerator<readonly QueueRow[]> {
  for (let after: EntryId | undefined; ; ) {
    const page: readonly QueueRow[] = await store.queue({
      limit: PAGE,
      ...(destination === undefined ? {} : { destination }),
      ...(after === undefined ? {} : { after }),
    });
    if (page.length > 0) yield page;
    after = page.at(-1)?.entry.id;
    if (page.length < PAGE) return;
  }
}

/** A domain as the queue knows it. @throws Failure */
function destinationOf(domain: string | undefined): string | undefined {
  if (domain === undefined) return undefined;
  const destination = normalizeDomain(domain);
  if (destination === '') throw new Failure(`"${domain}" is no domain like example.org`, EXIT.usage);
  return destination;
}

const HEADING = ['ID', 'FROM', 'TO', 'SIZE', 'AGE', 'TRIES', 'NEXT TRY', 'LAST ANSWER'];
/** Characters of the last answer in a table; `show` has it whole. */
const MAX_ANSWER = 100;

function asCells(row: QueueRow): string[] {
  const { entry, transit } = row;
  const now = systemClock.now();
  return [
    String(entry.id),
    pathOf(row),
    formatAddress(entry.recipient),
    octets(transit.size),
    span(now - entry.createdAt),
    String(entry.attempts),
    entry.state === 'held' ? 'held' : entry.nextAt <= now ? 'now' : `in ${span(entry.nextAt - now)}`,
    (entry.last?.text ?? '-').slice(0, MAX_ANSWER),
  ];
}

/** A part of one array over several pages. @param before entries of the pages so far */
function asJsonLines(rows: readonly QueueRow[], before: number): string {
  return rows.map((row, index) => `${before + index === 0 ? '[\n' : ',\n'}${JSON.stringify(asJson(row))}`).join('');
}

/** Without the octets of a prefix, and with addresses as text. */
function asJson(row: QueueRow): object {
  const { prefix: _, ...transit } = row.transit;
  return {
    ...row.entry,
    recipient: formatAddress(row.entry.recipient),
    message: { ...transit, reversePath: pathOf(row) },
  };
}

function pathOf({ transit }: QueueRow): string {
  return transit.reversePath === null ? '<>' : formatAddress(transit.reversePath);
}

function attemptText({ at, host, address, tls, text }: Attempt): string {
  const where = host === null ? '' : ` at ${host} [${address}], ${tls ?? 'in clear'}`;
  return `${instant(at)}${where}: ${text}`;
}

function idOf(name: string): EntryId {
  if (!/^[1-9]\d{0,14}$/.test(name)) throw new Failure(`"${name}" is no id: see "postern queue list"`, EXIT.usage);
  return Number(name) as EntryId;
}
