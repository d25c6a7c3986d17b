// What the queue runner needs of all this, wired: the policies in force, what destinations have shown, and who keeps the
// results.

import type { Clock } from '../../platform/clock.ts';
import type { Dns } from '../../platform/dns.ts';
import type { Log } from '../../platform/log.ts';
import type { ClientContexts } from '../../smtp/client/secure-context.ts';
import type { Store } from '../../store/store.ts';
import { createJournal, type Journal } from './journal.ts';
import { createMemory, type ProtectionMemory } from './memory.ts';
import { createPolicies, type Policies } from './mta-sts.ts';
import { createPolicyFetcher, type PolicyFetcher } from './policy-fetch.ts';
import { createResults } from './results.ts';

export interface SecurityOptions {
  readonly store: Pick<Store, 'execute' | 'read'>;
  readonly dns: Dns;
  readonly clock: Clock;
  readonly log: Log;
  readonly contexts: ClientContexts;
  /** May the host of a policy be on a loopback or private address? */
  readonly loopback: boolean;
  /** Absent: over HTTPS. */
  readonly fetchPolicy?: PolicyFetcher | undefined;
}

export interface Security {
  readonly policies: Pick<Policies, 'of'>;
  readonly memory: Pick<ProtectionMemory, 'of'>;
  readonly journal: Journal;
  /** Fetches nothing any more: who waits for a policy is told that the store is closed. */
  stop(): void;
  /** Counts nothing any more; resolves when what was counted is written. */
  close(): Promise<void>;
}

export function createSecurity({ fetchPolicy, ...options }: SecurityOptions): Security {
  const results = createResults(options);
  const policies = createPolicies({
    ...options,
    fetch: fetchPolicy ?? createPolicyFetcher(options),
    failed: (...failure) => results.noteFailedPolicy(...failure),
  });
  const memory = createMemory(options);
  return {
    policies,
    memory,
    journal: createJournal(memory, results),
    stop: () => policies.close(),
    close: () => results.close(),
  };
}
