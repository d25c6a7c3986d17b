// IMAP4rev1 over a listener's connections (RFC 3501): one session each, counted, and ended together.

import type { Connection } from '../platform/listener.ts';
import type { ImapOptions } from './options.ts';
import { RecentClaims } from './recent.ts';
import { ImapSession } from './session.ts';
import { SortableCache } from './sort/sortable-cache.ts';

export interface Imap {
  /** Takes a connection over; its TLS handshake is done where the listener's mode is `implicit`. */
  handle(connection: Connection): void;
  /** Says BYE to every session as soon as it waits for its client, and ends the rest after `graceMs`. */
  close(graceMs: number): Promise<void>;
  readonly sessions: number;
}

export function createImap(options: ImapOptions): Imap {
  const sessions = new Map<ImapSession, Promise<void>>();
  const common = { claims: new RecentClaims(options.store), sortables: new SortableCache() };
  let closing = false;

  return {
    handle(connection) {
      const session = new ImapSession(connection, options, common);
      if (closing) session.dismiss(FAREWELL);
      sessions.set(
        session,
        session.run().finally(() => sessions.delete(session)),
      );
    },
    async close(graceMs) {
      closing = true;
      for (const session of sessions.keys()) session.dismiss(FAREWELL);
      const stop = options.clock.after(graceMs, () => {
        for (const session of sessions.keys()) session.destroy();
      });
      await Promise.all(sessions.values());
      stop();
    },
    get sessions() {
      return sessions.size;
    },
  };
}

const FAREWELL = '[UNAVAILABLE] The server is shutting down';
