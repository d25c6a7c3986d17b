// A listener of SMTP, for any role: sessions over connections that platform/listener.ts has accepted, with a Receiver
// behind them. It knows the language and its bounds; who may send what is the Receiver's business.

import { within } from '../../platform/clock.ts';
import type { Connection } from '../../platform/listener.ts';
import { converse } from './conversation.ts';
import { WireServer } from './library.ts';
import { TIMES } from './limits.ts';
import type { SmtpOptions } from './options.ts';
import { Session } from './session.ts';

export interface Smtp {
  /** Takes over a connection. Never throws. */
  handle(connection: Connection): void;
  /**
   * Ends all sessions: idle ones at once with 421, the others after their transaction or `graceMs`, and then by force.
   * Connections that come later get 421.
   */
  close(graceMs: number): Promise<void>;
  /** Connections that are open. */
  readonly sessions: number;
}

/** One for each configured listener. Nothing happens before `handle`. */
export function createSmtp(options: SmtpOptions): Smtp {
  const server = new WireServer(() => options.keeper.context(options.floor), options.keeper.asksClients);
  /** Each with the promise of its conversation's end; it stays here until its socket is gone. */
  const sessions = new Map<Session, Promise<void>>();
  let closing = false;

  const ended = async (ms: number, all: Promise<unknown>[]) => {
    if (ms > 0) await within(options.clock, ms, Promise.all(all));
  };

  return {
    handle(connection) {
      const session = new Session(options, server, connection);
      session.closing = closing;
      const conversation = converse(session);
      sessions.set(session, conversation);
      void session.closed.then(() => sessions.delete(session));
    },
    async close(graceMs) {
      closing = true;
      for (const session of sessions.keys()) session.shutDown();
      await ended(graceMs, [...sessions.values()]);
      for (const session of sessions.keys()) session.stop();
      await ended(
        Math.min(TIMES.parting, graceMs),
        [...sessions.keys()].map((session) => session.closed),
      );
      for (const session of sessions.keys()) session.cut('server stops');
    },
    get sessions() {
      return sessions.size;
    },
  };
}
