// POP3 over a listener's connections (RFC 1939): one session each, counted, and ended together.

import type { Connection } from '../platform/listener.ts';
import { Farewell } from './commands/command.ts';
import type { Pop3Options } from './options.ts';
import { Pop3Session } from './session.ts';

export interface Pop3 {
  /** Takes a connection over; its TLS handshake is done where the listener's mode is `implicit`. */
  handle(connection: Connection): void;
  /** Ends every session as soon as it waits for its client, without deleting anything, and the rest after `graceMs`. */
  close(graceMs: number): Promise<void>;
  readonly sessions: number;
}

export function createPop3(options: Pop3Options): Pop3 {
  const sessions = new Map<Pop3Session, Promise<void>>();
  let closing = false;
  const farewell = () => Farewell.told('The server is shutting down');

  return {
    handle(connection) {
      const session = new Pop3Session(connection, options);
      if (closing) session.dismiss(farewell());
      sessions.set(
        session,
        session.run().finally(() => sessions.delete(session)),
      );
    },
    async close(graceMs) {
      closing = true;
      for (const session of sessions.keys()) session.dismiss(farewell());
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
