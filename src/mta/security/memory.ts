// The best protection that each destination has shown: remembered in the store, so that a later step down is seen. Somebody
// in between looks just like that; so does a receiver that has given something up, which is why it is only told of, unless
// an operator wants it refused (decision.ts).

import { makeRoom } from '../../platform/bounded-memory.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import type { SmtpConnection } from '../../smtp/client/connection.ts';
import { PROTECTION_LEVELS, type ProtectionLevel, type ShownProtectionRow } from '../../store/rows.ts';
import type { Store } from '../../store/store.ts';
import type { Demand, Rung } from './rung.ts';

export interface ProtectionMemory {
  /** What a destination has shown; null: nothing yet, or not for long. @throws StoreError */
  of(domain: string): Promise<ProtectionLevel | null>;
  /** What it shows now. Returns at once and never throws. */
  note(domain: string, host: string, level: ProtectionLevel): void;
}

export interface MemoryOptions {
  readonly store: Pick<Store, 'execute' | 'read'>;
  readonly clock: Clock;
  readonly log: Log;
}

const DAY = 24 * 3_600_000;
/** ms. `fresh`: what was written so lately is not written again; `told`: a step down is told of no more often; `forget`:
 * what was not seen for so long is no expectation any more. */
const TIMES = { fresh: DAY, told: DAY / 24, forget: 90 * DAY } as const;
/** Destinations in memory; of the others the store knows. */
const MAX_KNOWN = 10_000;

interface Known {
  readonly row: ShownProtectionRow | null;
  toldAt: number;
}

export function createMemory({ store, clock, log }: MemoryOptions): ProtectionMemory {
  const known = new Map<string, Known>();

  function keep(domain: string, row: ShownProtectionRow | null): Known {
    makeRoom(known, MAX_KNOWN);
    const one = { row, toldAt: Number.NEGATIVE_INFINITY };
    known.set(domain, one);
    return one;
  }

  async function lookUp(domain: string): Promise<Known> {
    return known.get(domain) ?? keep(domain, (await store.read.receivers.shownProtection(domain)) ?? null);
  }

  /** What still counts. */
  function current({ row }: Known): ShownProtectionRow | null {
    return row !== null && row.seenAt + TIMES.forget > clock.now() ? row : null;
  }

  async function learn(domain: string, host: string, level: ProtectionLevel): Promise<void> {
    const one = await lookUp(domain);
    const best = current(one);
    const now = clock.now();
    if (best !== null && isBelow(level, best.level)) {
      if (one.toldAt + TIMES.told > now) return;
      one.toldAt = now;
      const { level: was, seenAt } = best;
      log.warn({ domain, host, was, last: new Date(seenAt).toISOString(), now: level }, 'less protected than before');
      return;
    }
    if (best?.level === level && best.seenAt + TIMES.fresh > now) return;
    const row = { domain, level, seenAt: now };
    keep(domain, row);
    await store.execute({ kind: 'put-shown-protection', row, forget: now - TIMES.forget });
  }

  return {
    of: async (domain) => current(await lookUp(domain))?.level ?? null,
    note(domain, host, level) {
      learn(domain, host, level).catch((error: unknown) => {
        // It is learnt again from the next message.
        known.delete(domain);
        log.debug({ err: error, domain }, 'what a destination has shown cannot be kept');
      });
    },
  };
}

export function isBelow(one: ProtectionLevel, other: ProtectionLevel): boolean {
  return PROTECTION_LEVELS.indexOf(one) < PROTECTION_LEVELS.indexOf(other);
}

/** The least that a rung amounts to. */
export function levelOfRung(rung: Rung): ProtectionLevel {
  if (rung === 'dane' || rung === 'mta-sts') return rung;
  return rung === 'none' || rung === 'opportunistic' ? 'clear' : 'encrypted';
}

/** What a connection amounts to. */
export function levelOf({ tls, certificate }: SmtpConnection, { rung }: Demand): ProtectionLevel {
  if (tls === null) return 'clear';
  if (certificate?.kind !== 'authenticated') return 'encrypted';
  if (certificate.by !== 'authorities') return 'dane';
  // A policy in testing promises nothing.
  return rung === 'mta-sts' ? 'mta-sts' : 'encrypted';
}
