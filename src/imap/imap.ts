// IMAP over a listener's connections (RFC 3501, RFC 9051).

import { createSessions, type Sessions } from '../platform/sessions.ts';
import { Farewell } from './commands/command.ts';
import { converse } from './conversation.ts';
import type { ImapOptions } from './options.ts';
import { RecentClaims } from './recent.ts';
import { ImapSession } from './session.ts';
import { SortableCache } from './sort/sortable-cache.ts';

export type Imap = Sessions;

export function createImap(options: ImapOptions): Imap {
  const common = { claims: new RecentClaims(options.store), sortables: new SortableCache() };
  return createSessions({
    clock: options.clock,
    open: (connection) => new ImapSession(connection, options, common),
    converse,
    farewell: () => new Farewell('[UNAVAILABLE] The server is shutting down'),
  });
}
