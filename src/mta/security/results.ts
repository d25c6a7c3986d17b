// What came of each TLS session with a mail host, counted by day in the store, in the terms of RFC 8460 §4: what a receiver
// can be told of later. Messages do not count here: one session brings many, and some bring none.

import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import { ConnectionFailure } from '../../smtp/client/channel.ts';
import type { SmtpConnection } from '../../smtp/client/connection.ts';
import type { HopSecurity, TlsResultRow } from '../../store/rows.ts';
import { type Store, StoreError } from '../../store/store.ts';
import type { NextHop } from '../route.ts';
import type { MissedPolicy } from './mta-sts.ts';
import { type ExchangeFacts, hasUselessTlsa } from './rung.ts';

export interface TlsResults {
  /** Counts a try. Returns at once and never throws.
   * @param came the connection, or what kept it from coming about, each of which counts once, however often it is told;
   *   null: none was tried */
  note(
    exchange: ExchangeFacts,
    host: Pick<NextHop, 'name' | 'address'>,
    security: HopSecurity,
    came: SmtpConnection | ConnectionFailure | null,
  ): void;
  /** Counts a policy that could not be had, whether or not a session needed it. Returns at once and never throws. */
  noteFailedPolicy(domain: string, missed: MissedPolicy, reason: string): void;
  /** Writes down what is counted, and counts nothing any more. */
  close(): Promise<void>;
}

export interface ResultOptions {
  readonly store: Pick<Store, 'execute'>;
  readonly clock: Clock;
  readonly log: Log;
}

const DAY = 24 * 3_600_000;
/** ms. `gather`: before counts are written down; `forget`: days that are kept, reports being made of the day before. */
const TIMES = { gather: 60_000, forget: 14 * DAY } as const;
/** Characters of a reason, which may be another's words. */
const LONGEST_REASON = 200;
/** Different outcomes that are gathered; beyond them nothing is counted until they are written down. */
const MAX_GATHERED = 2_000;
/** Result types of what a receiver has published, which are there before a session is begun (RFC 8460 §4.3.2). */
const PUBLISHED = /^(?:tlsa|sts)-/;

export function createResults({ store, clock, log }: ResultOptions): TlsResults {
  let gathered = new Map<string, TlsResultRow>();
  const counted = new WeakSet<SmtpConnection | ConnectionFailure>();
  let cancel: (() => void) | null = null;
  let closed = false;

  async function write(): Promise<void> {
    cancel?.();
    cancel = null;
    const rows = [...gathered.values()];
    gathered = new Map();
    if (rows.length === 0) return;
    try {
      await store.execute({ kind: 'count-tls-results', rows, forget: dayOf(clock.now() - TIMES.forget) });
    } catch (error) {
      // Counts are not worth keeping at any price.
      if (!(error instanceof StoreError)) throw error;
      log.warn({ err: error, outcomes: rows.length }, 'results of TLS sessions are lost');
    }
  }

  function count(row: TlsResultRow): void {
    const key = JSON.stringify({ ...row, sessions: 0 });
    const before = gathered.get(key);
    if (before === undefined && gathered.size >= MAX_GATHERED) return;
    gathered.set(key, before === undefined ? row : { ...before, sessions: before.sessions + 1 });
    cancel ??= clock.after(TIMES.gather, () => {
      write().catch((error: unknown) => log.error({ err: error }, 'results of TLS sessions are lost'));
    });
  }

  return {
    note(exchange, { name, address }, security, came) {
      if (closed) return;
      const { failure } = security;
      // No TLS session was begun: nobody answered, or the host said something else.
      if (came instanceof ConnectionFailure && (failure === null || PUBLISHED.test(failure))) return;
      if (came !== null) {
        if (counted.has(came)) return;
        counted.add(came);
      }
      // A policy that is announced and cannot be had is one of that kind all the same (RFC 8460 §4.3.2.2).
      const policy = security.policy === 'no-policy-found' && failure?.startsWith('sts-') ? 'sts' : security.policy;
      const session = {
        day: dayOf(clock.now()),
        domain: exchange.domain,
        host: name,
        address,
        sender: came?.localAddress ?? null,
        sessions: 1,
      };
      count({ ...session, ...policyFacts(exchange, name, policy), failure, reason: brief(security.reason) });
      // RFC 8460 §4: two policies are two entries. The one that the session was under may have gone well.
      if (policy !== 'tlsa' && hasUselessTlsa(exchange)) {
        count({ ...session, ...policyFacts(exchange, name, 'tlsa'), failure: 'tlsa-invalid', reason: null });
      }
    },
    noteFailedPolicy(domain, { failure, declared }, reason) {
      if (closed) return;
      const day = dayOf(clock.now());
      const nobody = { host: '', address: '', sender: null };
      const text = { policy: 'sts', policyDomain: domain, policyText: declared };
      count({ day, domain, ...text, ...nobody, failure, reason: brief(reason), sessions: 1 });
    },
    async close() {
      closed = true;
      await write();
    },
  };
}

/** RFC 8460 §1.1: the policy domain of DANE is the TLSA base domain of the host. */
function policyFacts(
  exchange: ExchangeFacts,
  host: string,
  policy: string,
): Pick<TlsResultRow, 'policy' | 'policyDomain' | 'policyText'> {
  const base = exchange.tlsa.kind === 'found' ? exchange.tlsa.base : host;
  return {
    policy,
    policyDomain: policy === 'tlsa' ? base : exchange.domain,
    policyText: policyText(exchange, policy),
  };
}

function brief(reason: string | undefined): string | null {
  return reason === undefined ? null : reason.replace(/[^ -~]+/g, ' ').slice(0, LONGEST_REASON);
}

/** The day of RFC 8460 §4.1: from midnight to midnight UTC. */
export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** RFC 8460 §4.5, policy-string: of DANE every record of the RRset (RFC 8460 §4), of use or not, since those of no use are
 * what their people have to see. */
function policyText({ tlsa, declared }: ExchangeFacts, type: string): readonly string[] {
  if (type === 'tlsa' && tlsa.kind === 'found') {
    return tlsa.published.map(({ usage, selector, matching, data }) => {
      return `${usage} ${selector} ${matching} ${data.toString('hex')}`;
    });
  }
  return type === 'sts' ? declared : [];
}
