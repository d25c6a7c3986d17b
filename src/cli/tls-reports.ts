// The verb `tls-reports`: what others have reported of the TLS sessions with our mail hosts (RFC 8460), the latest first.

import { normalizeDomain } from '../formats/address.ts';
import { systemClock } from '../platform/clock.ts';
import type { ReceivedTlsPolicyRow } from '../store/rows.ts';
import type { ReceivedTlsFilter } from '../store/store.ts';
import { inspect, type TlsReportPage } from './administration.ts';
import { inColumns } from './columns.ts';
import { type Context, configOf, EXIT, Failure, say, write } from './context.ts';

export interface TlsReportsOptions {
  readonly domain?: string;
  readonly since?: string;
  readonly failures?: boolean;
  readonly json?: boolean;
}

const HEADING = ['DAY', 'FROM', 'POLICY', 'DOMAIN', 'GOOD', 'FAILED', 'WHY'];
/** Rows under one heading. */
const TABLE = 200;
/** Kinds of failure in one line. */
const MAX_KINDS = 4;
const DAY = 24 * 3_600_000;

export async function tlsReports(context: Context, options: TlsReportsOptions): Promise<number> {
  const { json = false, failures = false } = options;
  const filter = filterOf(options, systemClock.now());
  let shown = 0;
  await inspect(await configOf(context), async (store) => {
    let rows: ReceivedTlsPolicyRow[] = [];
    for (let after: number | null = null; ; ) {
      const page: TlsReportPage = await store.tlsReports(filter, after);
      rows.push(...page.rows.filter((row) => !failures || row.failures > 0));
      after = page.next;
      if (rows.length > 0 && (rows.length >= TABLE || after === null)) {
        // There may be many: each table is written before more is read.
        await write(context, json ? asJsonLines(rows, shown) : `${inColumns(HEADING, rows.map(asCells))}\n`);
        shown += rows.length;
        rows = [];
      }
      if (after === null) return;
    }
  });
  if (json) say(context, shown === 0 ? '[]' : '\n]');
  else if (shown === 0) say(context, 'nobody has reported anything');
  return EXIT.done;
}

/** @throws Failure */
function filterOf({ domain, since }: TlsReportsOptions, now: number): ReceivedTlsFilter {
  const name = domain === undefined ? undefined : normalizeDomain(domain);
  if (name === '') throw new Failure(`${domain} is no domain`, EXIT.usage);
  return {
    ...(name === undefined ? {} : { domain: name }),
    ...(since === undefined ? {} : { since: momentOf(since, now) }),
  };
}

/** `2026-01-31`, or `7d` for so many days ago. @throws Failure */
function momentOf(text: string, now: number): number {
  const days = /^(\d{1,4}) ?d$/.exec(text)?.[1];
  if (days !== undefined) return now - Number(days) * DAY;
  const at = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) throw new Failure('--since takes a day such as 2026-01-31, or a time such as 7d', EXIT.usage);
  return at;
}

function asCells(row: ReceivedTlsPolicyRow): readonly string[] {
  const { organization, signer, policy, domain, successes, failures } = row;
  const who = organization === '' || organization === signer ? signer : `${organization} (${signer})`;
  return [dayOf(row), who, policy, domain, String(successes), String(failures), kindsOf(row)];
}

function dayOf({ startAt }: ReceivedTlsPolicyRow): string {
  return new Date(startAt).toISOString().slice(0, 10);
}

/** `certificate-expired 100, starttls-not-supported 3`: the most frequent first. */
function kindsOf({ details }: ReceivedTlsPolicyRow): string {
  const kinds = new Map<string, number>();
  for (const { type, sessions } of details) kinds.set(type, (kinds.get(type) ?? 0) + sessions);
  const sorted = [...kinds].sort(([, one], [, other]) => other - one);
  const named = sorted.slice(0, MAX_KINDS).map(([type, sessions]) => `${type} ${sessions}`);
  return [...named, ...(sorted.length > MAX_KINDS ? ['…'] : [])].join(', ');
}

/** A part of one array over several pages. @param before rows of the pages so far */
function asJsonLines(rows: readonly ReceivedTlsPolicyRow[], before: number): string {
  return rows.map((row, index) => `${before + index === 0 ? '[\n' : ',\n'}${JSON.stringify(asJson(row))}`).join('');
}

/** Times as text. */
function asJson({ startAt, endAt, receivedAt, ...row }: ReceivedTlsPolicyRow): unknown {
  const text = (ms: number) => new Date(ms).toISOString();
  return {
    day: dayOf({ startAt, endAt, receivedAt, ...row }),
    ...row,
    start: text(startAt),
    end: text(endAt),
    received: text(receivedAt),
  };
}
