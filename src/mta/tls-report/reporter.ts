// Tells receivers, once a day, how the TLS sessions with their mail hosts went (RFC 8460 §4.1, §5): some hours after the
// day is over, where they ask for it, by mail through our own queue and by HTTPS. The store knows which day was reported to
// whom, and makes a report and its mails one; so a restart neither forgets one nor sends one twice.

import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { QueueConfig, TlsReportsConfig } from '../../config/config.ts';
import { formatAddress } from '../../formats/address.ts';
import { type TlsReportPlace, tlsReportPlaces } from '../../formats/tls-report/record.ts';
import { formatTlsReport, type TlsReport } from '../../formats/tls-report/report.ts';
import { makeRoom } from '../../platform/bounded-memory.ts';
import { type Clock, within } from '../../platform/clock.ts';
import { type Dns, DnsFailure } from '../../platform/dns.ts';
import { newIdentifier } from '../../platform/identifier.ts';
import type { Log } from '../../platform/log.ts';
import { isPrivate } from '../../platform/source.ts';
import type { TlsReportPostRow } from '../../store/rows.ts';
import { type Store, StoreError } from '../../store/store.ts';
import type { DkimSigner } from '../../trust/dkim/signer.ts';
import { acceptOf } from '../accept.ts';
import { dayOf } from '../security/results.ts';
import { type OwnAddresses, tlsReportPolicies } from './compose.ts';
import { type StagedTlsReport, stageTlsReport, type TlsReportMailOptions } from './mail.ts';
import type { TlsReportPoster } from './post.ts';

export interface TlsReporter {
  /** Begins with what is due. */
  start(): void;
  /** Begins nothing any more; resolves when nothing is under way but a question to the DNS. */
  close(): Promise<void>;
}

export interface ReporterOptions extends TlsReportMailOptions {
  readonly store: Pick<Store, 'execute' | 'read' | 'stage'>;
  readonly tlsReports: TlsReportsConfig;
  readonly queue: Pick<QueueConfig, 'expire' | 'warn'>;
  /** null: nothing can be signed, and so nothing is sent by mail (RFC 8460 §3). */
  readonly dkim: DkimSigner | null;
  readonly dns: Dns;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly log: Log;
  readonly post: TlsReportPoster;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** ms. `settled`: behind the end of a day, until all is written down; `spread`: so much later at most, so that not everybody
 * reports at midnight (RFC 8460 §4.1); `late`: days that were over so long ago are not reported any more; `again`: until the
 * DNS is asked again; `forget`: days that are remembered, as long as what was counted is. */
const TIMES = { settled: 10 * MINUTE, spread: 4 * HOUR, late: 2 * DAY, again: HOUR, forget: 14 * DAY } as const;
/** ms that closing waits for what is under way: who still asks the DNS then finds the store closed. */
const PARTING = 500;
/** RFC 8460 §5.5: ms that a report is tried to be handed over, and before the second try; then twice as long each time. */
const RETRY = { until: DAY, first: 5 * MINUTE } as const;
/** Domains that are read at once, and reports that are handed over at once. */
const LIMITS = { page: 100, posts: 10 } as const;

const pack = promisify(gzip);

export function createTlsReporter(options: ReporterOptions): TlsReporter {
  const { store, dns, clock, random, log, dkim, tlsReports, hostname } = options;
  const ending = new AbortController();
  /** ms behind the end of a day that its reports wait, by day. */
  const delays = new Map<string, number>();
  let cancel = (): void => {};
  let looking: Promise<void> = Promise.resolve();

  /** When a day is to be reported. */
  function timeOf(day: string): number {
    const delay = delays.get(day) ?? TIMES.settled + random() * TIMES.spread;
    if (!delays.has(day)) makeRoom(delays, 10);
    delays.set(day, delay);
    return Date.parse(day) + DAY + delay;
  }

  /** Does what is due. @returns when to look again, ms since the epoch */
  async function look(): Promise<number> {
    const today = dayOf(clock.now());
    let next = timeOf(today);
    for (const day of await store.read.tlsReports.unreportedDays(today)) {
      const at = timeOf(day);
      if (Date.parse(day) + DAY + TIMES.late <= clock.now()) continue;
      if (at > clock.now()) next = Math.min(next, at);
      else if (!(await reportDay(day))) next = Math.min(next, clock.now() + TIMES.again);
    }
    await postAll();
    return Math.min(next, (await store.read.tlsReports.nextPostAt()) ?? next);
  }

  /** @returns whether nothing of it is left */
  async function reportDay(day: string): Promise<boolean> {
    let all = true;
    const own = await ownAddresses(dns, hostname);
    for (let after = ''; !ending.signal.aborted; ) {
      const domains = await store.read.tlsReports.unreported(day, after, LIMITS.page);
      for (const domain of domains) {
        if (ending.signal.aborted) return false;
        if (!(await report(day, domain, own))) all = false;
      }
      if (domains.length < LIMITS.page) return all;
      after = domains.at(-1) ?? '';
    }
    return false;
  }

  /** @returns false: nobody knows yet whether the domain wants a report */
  async function report(day: string, domain: string, own: OwnAddresses): Promise<boolean> {
    let places: readonly TlsReportPlace[] | null;
    try {
      places = tlsReportPlaces((await dns.txt(`_smtp._tls.${domain}`)).records);
    } catch (error) {
      if (!(error instanceof DnsFailure)) throw error;
      log.debug({ domain, day, reason: error.message }, 'nobody knows whether a TLS report is wanted');
      return false;
    }
    const mark = { kind: 'make-tls-report', day, domain, forget: dayOf(clock.now() - TIMES.forget) } as const;
    const policies = places === null ? [] : tlsReportPolicies(await store.read.receivers.tlsResults(day, domain), own);
    if (places === null || places.length === 0 || policies.length === 0) {
      const nothing = { mails: [], urls: [], report: new Uint8Array(0) };
      await store.execute<'make-tls-report'>({ ...mark, ...nothing, now: clock.now() });
      return true;
    }
    const now = clock.now();
    const start = Date.parse(day);
    const submitter = tlsReports.contact.slice(tlsReports.contact.lastIndexOf('@') + 1);
    const made: TlsReport = {
      organization: tlsReports.organization,
      contact: tlsReports.contact,
      id: `${day}.${newIdentifier()}@${submitter}`,
      start,
      end: start + DAY - 1_000,
      policies,
    };
    const packed = await pack(formatTlsReport(made));
    const staged: StagedTlsReport[] = [];
    try {
      for (const place of places) {
        if (place.kind !== 'mail' || dkim === null) continue;
        const mail = await stageTlsReport(options, dkim, domain, place.address, made, packed, now);
        if (mail !== null) staged.push(mail);
      }
      const times = { expire: Math.min(options.queue.expire, RETRY.until), warn: options.queue.warn };
      const mails = staged.map(({ arrival }) => acceptOf(arrival, times));
      const urls = places.flatMap((place) => (place.kind === 'https' ? place.url : []));
      const done = await store.execute<'make-tls-report'>({ ...mark, mails, urls, report: packed, now });
      if (!done.made) return true;
    } catch (error) {
      for (const { staging } of staged) staging.discard();
      throw error;
    }
    const messages = staged.map(({ arrival }) => arrival.messageId);
    log.info({ domain, day, report: made.id, messages, to: places.map(nameOf) }, 'TLS report made');
    return true;
  }

  /** Hands over what is due by HTTPS. */
  async function postAll(): Promise<void> {
    while (!ending.signal.aborted) {
      const posts = await store.read.tlsReports.duePosts(clock.now(), LIMITS.posts);
      if (posts.length === 0) return;
      await Promise.all(posts.map(postOne));
    }
  }

  async function postOne({ id, day, domain, url, report: packed, madeAt, attempts }: TlsReportPostRow): Promise<void> {
    const posted = await options.post(url, packed, ending.signal);
    // Closed under our hands: it is as it was.
    if (posted.kind === 'failed' && ending.signal.aborted) return;
    const nextAt = clock.now() + RETRY.first * 2 ** attempts;
    const over = posted.kind === 'taken' || nextAt > madeAt + RETRY.until;
    await store.execute<'settle-tls-post'>({ kind: 'settle-tls-post', id, nextAt: over ? null : nextAt });
    const facts = { domain, day, url };
    if (posted.kind === 'taken') log.info(facts, 'TLS report handed over');
    else if (over) log.warn({ ...facts, reason: posted.text }, 'TLS report given up: it could not be handed over');
    else log.debug({ ...facts, reason: posted.text }, 'TLS report not handed over yet');
  }

  function wait(until: number): void {
    if (ending.signal.aborted) return;
    cancel = clock.after(Math.max(0, until - clock.now()), () => {
      looking = lookSafely();
    });
  }

  /** Never rejects. */
  async function lookSafely(): Promise<void> {
    try {
      wait(await look());
    } catch (error) {
      if (ending.signal.aborted || (error instanceof StoreError && error.kind === 'closed')) return;
      log.error({ err: error }, 'TLS reports cannot be made');
      wait(clock.now() + TIMES.again);
    }
  }

  return {
    start() {
      looking = lookSafely();
    },
    async close() {
      ending.abort();
      cancel();
      await within(clock, PARTING, looking);
    },
  };
}

/** Where our name leads: what others see of us. */
async function ownAddresses(dns: Dns, hostname: string): Promise<OwnAddresses> {
  const [ipv4 = null, ipv6 = null] = await Promise.all(
    [dns.ipv4(hostname), dns.ipv6(hostname)].map(async (answer) => {
      const { records } = await answer.catch(() => ({ records: [] }));
      return records.find((address) => !isPrivate(address)) ?? null;
    }),
  );
  return { ipv4, ipv6 };
}

function nameOf(place: TlsReportPlace): string {
  return place.kind === 'mail' ? formatAddress(place.address) : place.url;
}
