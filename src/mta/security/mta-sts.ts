// Which MTA-STS policy is in force for a domain (RFC 8461 §3, §5): announced by a TXT record, fetched over HTTPS, kept in
// the store, fetched again long before it expires. What was fetched once stays in force whatever the DNS or the host of
// the policy does next: who stands in between must not be able to take it away.

import { makeRoom } from '../../platform/bounded-memory.ts';
import type { Clock } from '../../platform/clock.ts';
import { type Dns, DnsFailure } from '../../platform/dns.ts';
import type { Log } from '../../platform/log.ts';
import type { StsPolicyRow } from '../../store/rows.ts';
import { type Store, StoreError } from '../../store/store.ts';
import { declaredLines, parsePolicy, policyId, type StsPolicy } from './mta-sts-policy.ts';
import type { PolicyFailure, PolicyFetcher } from './policy-fetch.ts';

/** The policy in force; or why there is none although one is announced. */
export interface PolicyFacts {
  readonly policy: StsPolicy | null;
  readonly failure: PolicyFailure | null;
  /** The lines of that policy, or of what was there in its place, as they are written. */
  readonly declared: readonly string[];
}

/** A policy that could not be had, and what was there in its place. */
export interface MissedPolicy {
  readonly failure: PolicyFailure;
  readonly declared: readonly string[];
}

export interface Policies {
  /** @param domain lower case @throws StoreError: to go without would be a downgrade */
  of(domain: string): Promise<PolicyFacts>;
  /** Fetches nothing any more. */
  close(): void;
}

export interface PolicyOptions {
  readonly dns: Pick<Dns, 'txt'>;
  readonly store: Pick<Store, 'execute' | 'read'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly fetch: PolicyFetcher;
  /** Hears of each policy that could not be had. Must not throw. */
  readonly failed?: (domain: string, missed: MissedPolicy, reason: string) => void;
}

const HOUR = 3_600_000;
/** ms. `again`: before a host that failed is asked once more (RFC 8461 §3.3: five minutes at least); `age`: a policy that
 * is used is fetched again, so that its time begins anew; `look` and `ahead`: those that nobody uses, before they expire. */
const TIMES = { again: HOUR / 6, age: 24 * HOUR, look: HOUR, ahead: 24 * HOUR } as const;
/** Domains whose host failed, fetches at a time, and policies that one look renews. */
const LIMITS = { failures: 5_000, fetches: 20, renewals: 100 } as const;

const NOTHING: PolicyFacts = { policy: null, failure: null, declared: [] };

export function createPolicies({ dns, store, clock, log, fetch, failed = () => {} }: PolicyOptions): Policies {
  const failures = new Map<string, { readonly until: number; readonly missed: MissedPolicy; readonly id: string }>();
  const fetching = new Map<string, Promise<StsPolicyRow | MissedPolicy>>();
  const ending = new AbortController();

  /** The id that the DNS announces; null: none, or nobody knows. */
  async function announced(domain: string): Promise<string | null> {
    try {
      return policyId((await dns.txt(`_mta-sts.${domain}`)).records);
    } catch (error) {
      if (error instanceof DnsFailure) return null;
      throw error;
    }
  }

  function miss(domain: string, missed: MissedPolicy, reason: string): void {
    log.warn({ domain, failure: missed.failure, reason }, 'an MTA-STS policy cannot be had');
    failed(domain, missed, reason);
  }

  async function fetchNow(domain: string, id: string): Promise<StsPolicyRow | MissedPolicy> {
    const fetched = await fetch(domain, ending.signal);
    if (ending.signal.aborted) throw closed();
    const policy = fetched.kind === 'fetched' ? parsePolicy(fetched.text) : null;
    if (fetched.kind === 'failed' || policy === null) {
      const missed: MissedPolicy =
        fetched.kind === 'failed'
          ? { failure: fetched.failure, declared: [] }
          : { failure: 'sts-policy-invalid', declared: declaredLines(fetched.text) };
      miss(domain, missed, fetched.kind === 'failed' ? fetched.text : 'it is no policy as RFC 8461 has them');
      makeRoom(failures, LIMITS.failures);
      failures.set(domain, { until: clock.now() + TIMES.again, missed, id });
      return missed;
    }
    const now = clock.now();
    const expiresAt = now + policy.maxAge * 1000;
    // One that says `none` ends the one before, and holds like any other.
    const row = { domain, id, policy: fetched.kind === 'fetched' ? fetched.text : '', fetchedAt: now, expiresAt };
    failures.delete(domain);
    await store.execute({ kind: 'put-sts-policy', row, now }).catch((error: unknown) => {
      // It holds for this message all the same.
      log.error({ err: error, domain }, 'an MTA-STS policy cannot be kept');
    });
    log.info({ domain, mode: policy.mode, mx: policy.mx, maxAge: policy.maxAge }, 'an MTA-STS policy is in force');
    return row;
  }

  /** The fetched policy, or why there is none. @throws StoreError when closing: that is no reason to go without */
  async function renew(domain: string, id: string): Promise<StsPolicyRow | MissedPolicy> {
    const before = failures.get(domain);
    // Per version: a new one may be there because of the failure.
    if (before !== undefined && before.until > clock.now() && before.id === id) return before.missed;
    const running = fetching.get(domain);
    if (running !== undefined) return await running;
    // Nobody goes without a policy because others are being fetched.
    while (fetching.size >= LIMITS.fetches)
      await Promise.race([...fetching.values()].map((other) => other.catch(() => null)));
    if (ending.signal.aborted) throw closed();
    const one = fetchNow(domain, id);
    fetching.set(domain, one);
    try {
      return await one;
    } finally {
      fetching.delete(domain);
    }
  }

  async function find(domain: string): Promise<PolicyFacts> {
    const [id, row] = await Promise.all([announced(domain), store.read.receivers.stsPolicy(domain)]);
    const now = clock.now();
    const kept = row !== undefined && row.expiresAt > now ? row : undefined;
    if (id === null) return kept === undefined ? NOTHING : facts(kept);
    if (kept?.id === id) {
      if (kept.fetchedAt + Math.min(TIMES.age, (kept.expiresAt - kept.fetchedAt) / 2) <= now)
        void inBackground(renew(domain, id));
      return facts(kept);
    }
    const fresh = await renew(domain, id);
    if (!('failure' in fresh)) return facts(fresh);
    // RFC 8461 §5.1: the old one holds until a new one is there.
    return kept === undefined ? { policy: null, ...fresh } : facts(kept);
  }

  /** Renews what expires soon, used or not. */
  async function look(): Promise<void> {
    const now = clock.now();
    const rows = await store.read.receivers.stsPoliciesExpiring(now, now + TIMES.ahead, LIMITS.renewals);
    for (const { domain, policy } of rows) {
      const id = await announced(domain);
      if (id !== null) await renew(domain, id);
      // RFC 8461 §8.3: who says `none` leaves; of all else somebody has to know (RFC 8461 §6, §10.2).
      else if (parsePolicy(policy)?.mode !== 'none') {
        miss(domain, { failure: 'sts-policy-fetch-error', declared: [] }, 'no record announces it');
      }
    }
  }

  async function inBackground(work: Promise<unknown>): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (!(error instanceof StoreError && error.kind === 'closed')) {
        log.error({ err: error }, 'an MTA-STS policy cannot be renewed');
      }
    }
  }

  let cancel = (): void => {};
  const wait = (): void => {
    cancel = clock.after(TIMES.look, () => {
      void inBackground(look()).then(() => {
        if (!ending.signal.aborted) wait();
      });
    });
  };
  wait();

  return {
    of: find,
    close() {
      cancel();
      ending.abort();
    },
  };
}

function closed(): StoreError {
  return new StoreError('closed', 'the server is stopping');
}

function facts({ policy }: StsPolicyRow): PolicyFacts {
  return { policy: parsePolicy(policy), failure: null, declared: declaredLines(policy) };
}
