// The sessions of IMAP's or POP3's listeners: one for each connection, counted, and ended together.

import type { Clock } from './clock.ts';
import type { Connection } from './listener.ts';
import type { SessionClient } from './session-client.ts';

export interface Sessions {
  /** Takes a connection over; its TLS handshake is done where the listener's mode is `implicit`. */
  handle(connection: Connection): void;
  /** Sends every client away as soon as its session waits for it, and ends what is left after `graceMs`. */
  close(graceMs: number): Promise<void>;
  readonly sessions: number;
}

interface Kind<Session, Farewell extends Error> {
  readonly clock: Clock;
  readonly open: (connection: Connection) => Session;
  /** Resolves when the session is over; never rejects. */
  readonly converse: (session: Session) => Promise<void>;
  /** To a client while the server shuts down. */
  readonly farewell: () => Farewell;
}

export function createSessions<
  Farewell extends Error,
  Session extends { readonly client: Pick<SessionClient<Farewell>, 'dismiss' | 'destroy'> },
>({ clock, open, converse, farewell }: Kind<Session, Farewell>): Sessions {
  const sessions = new Map<Session, Promise<void>>();
  let closing = false;
  return {
    handle(connection) {
      const session = open(connection);
      if (closing) session.client.dismiss(farewell());
      sessions.set(
        session,
        converse(session).finally(() => sessions.delete(session)),
      );
    },
    async close(graceMs) {
      closing = true;
      for (const { client } of sessions.keys()) client.dismiss(farewell());
      const stop = clock.after(graceMs, () => {
        for (const { client } of sessions.keys()) client.destroy();
      });
      await Promise.all(sessions.values());
      stop();
    },
    get sessions() {
      return sessions.size;
    },
  };
}
