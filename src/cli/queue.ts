// The verb `queue`: what waits to leave, and an operator's hand on it.

import { formatAddress } from '../formats/address.ts';
import { systemClock } from '../platform/clock.ts';
import type { Attempt, EntryId } from '../store/rows.ts';
import { type Administration, administer, PAGE, type QueueRow } from './administration.ts';
import { inColumns, instant, octets, printable, span } from './columns.ts';
import { type Context, configOf, EXIT, Failure, say, sayJson } from './context.ts';

export interface ListOptions {
  readonly domain?: string;
  readonly json?: boolean;
}

export async function list(context: Context, { domain, json }: ListOptions): Promise<number> {
  const config = await configOf(context);
  const rows = await administer(config, 'read', (store) => Array.fromAsync(all(store, domain)));
  if (json === true) sayJson(context, rows.map(asJson));
  else if (rows.length === 0) say(context, 'nothing waits');
  else
    say(context, inColumns(['ID', 'FROM', 'TO', 'SIZE', 'AGE', 'TRIES', 'NEXT TRY', 'LAST ANSWER'], rows.map(asCells)));
  return EXIT.done;
}

export async function show(context: Context, name: string, { json }: { readonly json?: boolean }): Promise<number> {
  const id = idOf(name);
  const found = await administer(await configOf(context), 'read', (store) => store.entry(id));
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
  if (chosen.length === 0 && every !== true && domain === undefined) {
    throw new Failure('name entries by their ids, or say --domain or --all', EXIT.usage);
  }
  const config = await configOf(context);
  const changed = await administer(config, 'write', async (store) => {
    const rows = chosen.length > 0 ? [] : await Array.fromAsync(all(store, domain));
    const entries = chosen.length > 0 ? chosen : rows.map(({ entry }) => entry.id);
    let count = 0;
    for (let at = 0; at < entries.length; at += PAGE) {
      const page = entries.slice(at, at + PAGE);
      const result = await store.execute<'queue-control'>({
        kind: 'queue-control',
        entries: page,
        action,
        now: systemClock.now(),
      });
      count += result.changed;
    }
    return count;
  });
  say(context, `${changed} ${changed === 1 ? 'entry' : 'entries'} ${action === 'retry' ? 'due now' : 'removed'}`);
  return changed > 0 || chosen.length === 0 ? EXIT.done : EXIT.failed;
}

async function* all(store: Administration, domain: string | undefined): AsyncGenerator<QueueRow> {
  const destination = domain?.toLowerCase();
  for (let after: EntryId | undefined; ; ) {
    const page: readonly QueueRow[] = await store.queue({
      limit: PAGE,
      ...(destination === undefined ? {} : { destination }),
      ...(after === undefined ? {} : { after }),
    });
    yield* page;
    after = page.at(-1)?.entry.id;
    if (page.length < PAGE) return;
  }
}

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
    entry.last?.text ?? '-',
  ];
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
