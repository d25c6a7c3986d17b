// POP3 over a listener's connections (RFC 1939). A session that is ended deletes nothing.

import { createSessions, type Sessions } from '../platform/sessions.ts';
import { Farewell } from './commands/command.ts';
import { converse } from './conversation.ts';
import type { Pop3Options } from './options.ts';
import { Pop3Session } from './session.ts';

export type Pop3 = Sessions;

export function createPop3(options: Pop3Options): Pop3 {
  return createSessions({
    clock: options.clock,
    open: (connection) => new Pop3Session(connection, options),
    converse,
    farewell: () => Farewell.told('The server is shutting down'),
  });
}
