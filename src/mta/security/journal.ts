// Who hears what came of each try: the memory of what destinations show, and the counts that reports are made of.

import { ConnectionFailure } from '../../smtp/client/channel.ts';
import type { SmtpConnection } from '../../smtp/client/connection.ts';
import type { HopSecurity } from '../../store/rows.ts';
import type { NextHop } from '../route.ts';
import { levelOf, type ProtectionMemory } from './memory.ts';
import type { TlsResults } from './results.ts';
import type { Demand, Refused } from './rung.ts';

export interface Journal {
  /** @param came the connection, also one that was there already, or what kept it from coming about; null: none was tried */
  note(
    host: NextHop,
    decision: Demand | Refused,
    security: HopSecurity,
    came: SmtpConnection | ConnectionFailure | null,
  ): void;
}

export function createJournal(memory: ProtectionMemory, results: TlsResults): Journal {
  return {
    note(host, decision, security, came) {
      if (host.exchange === null) return;
      results.note(host.exchange, host, security, came);
      if (came === null || came instanceof ConnectionFailure || decision.kind === 'refused') return;
      memory.note(host.exchange.domain, host.name, levelOf(came, decision));
    },
  };
}
