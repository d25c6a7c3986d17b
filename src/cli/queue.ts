// The verb `queue`: what waits to leave, and an operator's hand on it.

import { spoolPlace } from '../msa/spool.ts';
import { systemClock } from '../platform/clock.ts';
import type { EntryId } from '../store/rows.ts';
import type { QueueFilter } from '../store/store.ts';
import { administer, type Inspection, inspect, PAGE, type QueueRow } from './administration.ts';
import { inColumns } from './columns.ts';
import { type Context, configOf, EXIT, Failure, say, sayJson, write } from './context.ts';
import { domainOf, type FilterOptions, filterOf, idOf } from './queue-filter.ts';
import { spooledRows, spoolText } from './queue-spool.ts';
import { asCells, asJson, HEADING, lifeOf, statusText } from './queue-text.ts';

interface Json {
  readonly json?: boolean;
}

export type ListOptions = FilterOptions & Json;
export type ControlOptions = ListOptions & { readonly all?: boolean };
export type Action = 'retry' | 'remove' | 'hold' | 'release';

/** What `changed` entries are now. */
const DONE: Readonly<Record<Action, string>> = {
  retry: 'due now',
  remove: 'removed',
  hold: 'held',
  release: 'released',
};

/** Also what lies in the spool, where nobody filters: it is in no queue yet, and has no state there. */
export async function list(context: Context, { json, ...options }: ListOptions): Promise<number> {
  const filter = filterOf(options);
  const config = await configOf(context);
  const filtered = Object.keys(options).length > 0;
  const spool = filtered ? { rows: [], more: 0 } : await spooledRows(spoolPlace(config));
  let shown = 0;
  try {
    await inspect(config, async (store) => {
      for await (const rows of pages(store, filter)) {
        // A queue may be long: each page is written before the next is read.
        if (json === true) await write(context, asJsonLines(rows.map(asJson), shown));
        else await write(context, `${inColumns(HEADING, rows.map(asCells))}\n`);
        shown += rows.length;
      }
    });
  } catch (error) {
    // Where no server has ever run, there is no store, and may be a spool.
    if (json !== true && spool.rows.length > 0) say(context, spoolText(spool.rows, spool.more));
    throw error;
  }
  if (json === true) {
    if (spool.rows.length > 0) await write(context, asJsonLines(spool.rows, shown));
    say(context, shown + spool.rows.length === 0 ? '[]' : '\n]');
    return EXIT.done;
  }
  if (spool.rows.length > 0) say(context, spoolText(spool.rows, spool.more));
  else if (shown === 0) say(context, 'nothing waits');
  return EXIT.done;
}

export async function show(context: Context, name: string, { json }: Json): Promise<number> {
  const id = idOf(name);
  const found = await inspect(await configOf(context), (store) => store.entry(id));
  if (found === undefined)
    throw new Failure(`there is no entry ${name} in the queue: it was delivered, failed or removed`);
  if (json === true) sayJson(context, { ...asJson(found), attempts: found.attempts });
  else say(context, lifeOf(found));
  return EXIT.done;
}

export async function status(context: Context, { json }: Json): Promise<number> {
  const found = await inspect(await configOf(context), (store) => store.queueStatus());
  if (json === true) sayJson(context, found);
  else say(context, statusText(found));
  return EXIT.done;
}

/** `retry` makes entries due now, but for those that their senders have held, which must be named (RFC 4865 §4.2 lets none
 * leave early); `remove` drops them without a report to anybody; what is held waits for `release`. */
export async function control(
  context: Context,
  action: Action,
  names: readonly string[],
  { all: every, json, ...options }: ControlOptions,
): Promise<number> {
  const chosen = names.map(idOf);
  const filtered = Object.keys(options).length > 0;
  if ([chosen.length > 0, every === true, filtered].filter(Boolean).length !== 1) {
    throw new Failure('name entries by their ids, or say which by options such as --domain, or say --all', EXIT.usage);
  }
  const filter = filterOf(options);
  const changed = await administer(await configOf(context), 'existing', async (store) => {
    const change = async (entries: readonly EntryId[]) => {
      const now = systemClock.now();
      return (await store.execute<'queue-control'>({ kind: 'queue-control', entries, action, now })).changed;
    };
    let count = 0;
    for (let at = 0; at < chosen.length; at += PAGE) count += await change(chosen.slice(at, at + PAGE));
    if (chosen.length > 0) return count;
    for await (const rows of pages(store, filter)) {
      const now = systemClock.now();
      const meant = rows.filter(({ transit }) => action !== 'retry' || (transit.parameters.holdUntil ?? now) <= now);
      if (meant.length > 0) count += await change(meant.map(({ entry }) => entry.id));
    }
    return count;
  });
  if (json === true) sayJson(context, { changed });
  else say(context, `${changed} ${changed === 1 ? 'entry' : 'entries'} ${DONE[action]}`);
  return changed > 0 || chosen.length === 0 ? EXIT.done : EXIT.failed;
}

/** Nothing goes to a domain until it is resumed, whatever comes in between; what came falls due again then. */
export async function suspend(context: Context, name: string, suspended: boolean, { json }: Json): Promise<number> {
  const destination = domainOf(name);
  const changed = await administer(await configOf(context), 'existing', async (store) => {
    for (let count = 0; ; ) {
      const now = systemClock.now();
      const slice = await store.execute<'suspend-destination'>({
        kind: 'suspend-destination',
        destination,
        suspended,
        now,
      });
      count += slice.changed;
      if (!slice.more) return count;
    }
  });
  const which = `${changed} ${changed === 1 ? 'entry' : 'entries'}`;
  if (json === true) sayJson(context, { destination, suspended, changed });
  else
    say(
      context,
      `${destination} is ${suspended ? 'suspended' : 'resumed'}: ${which} ${suspended ? 'waiting' : 'going on'}`,
    );
  return EXIT.done;
}

/** What a filter finds, by id, in pages that are not empty. */
async function* pages(store: Inspection, filter: QueueFilter): AsyncGenerator<readonly QueueRow[]> {
  for (let after: EntryId | null = null; ; ) {
    const page: Awaited<ReturnType<Inspection['queue']>> = await store.queue(filter, after);
    if (page.rows.length > 0) yield page.rows;
    if (page.next === null) return;
    after = page.next;
  }
}

/** A part of one array over several pages. @param before values of the pages so far */
function asJsonLines(values: readonly object[], before: number): string {
  return values.map((value, index) => `${before + index === 0 ? '[\n' : ',\n'}${JSON.stringify(value)}`).join('');
}
