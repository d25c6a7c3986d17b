// The conversation of one session: greeting, then command after command until one side ends it. Here errors become
// replies, what is bounded is counted, and every connection leaves one line in the log.

import { Refusal, type Reply } from '../../formats/refusal.ts';
import { TlsFailure } from '../../platform/tls.ts';
import { recognise } from '../../platform/wrong-door.ts';
import { badSequence } from './commands/command.ts';
import { commands } from './commands/table.ts';
import type { Line } from './input.ts';
import { LIMITS, TIMES } from './limits.ts';
import { type Session, SHUTTING_DOWN } from './session.ts';

/** Runs a session to its end. Never throws. */
export async function converse(session: Session): Promise<void> {
  session.start();
  try {
    await greet(session);
    endIfDue(session);
    for (;;) {
      const line = await session.line();
      if (line === null) break;
      session.tally.commands++;
      const reply = await answer(session, line);
      if (reply !== null && session.ending === null) session.say(reply);
      endIfDue(session);
      await session.flowing();
      // A piece full of commands does not keep other connections from having their turn.
      if (session.tally.commands % LIMITS.commandsPerTurn === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  } catch (error) {
    session.ending ??= 'error';
    session.log.error({ session: session.facts.id, hop: session.hop, err: error }, 'session failed');
  }
  try {
    await session.abandon();
  } catch (error) {
    session.log.error({ session: session.facts.id, hop: session.hop, err: error }, 'transaction not abandoned');
  }
  session.hangUp();
  report(session);
}

/** RFC 5321 §4.3.1. A client that must wait for the greeting and does not is no mail server (RFC 5321 §4.5.1). */
async function greet(session: Session): Promise<void> {
  const { hostname, earlyTalkerWait } = session.options;
  if (session.closing) return;
  if (earlyTalkerWait > 0 && (await session.pause(earlyTalkerWait, true)) === 'octets') {
    const seen = recognise(session.input.peek());
    if (seen === 'tls' || seen === 'http') return session.wrongDoor(seen);
    // RFC 5321 §3.1: then nothing but QUIT is of any use.
    session.unwelcome = true;
    return session.say({ code: 554, text: `${hostname} You talked before the greeting` });
  }
  if (!session.closing) session.say({ code: 220, text: `${hostname} ESMTP` });
}

/** The reply to one line; null where there is none, or where it has been said. */
async function answer(session: Session, line: Line): Promise<Reply | null> {
  const { options, facts } = session;
  const space = line.text.indexOf(' ');
  const verb = (space < 0 ? line.text : line.text.slice(0, space)).toUpperCase();
  const command = commands.get(verb);
  try {
    const seen = command === undefined && session.tally.commands === 1 ? recognise(Buffer.from(line.text)) : null;
    if (seen === 'imap' || seen === 'pop3') {
      session.wrongDoor(seen);
      return null;
    }
    if (session.unwelcome && verb !== 'QUIT') throw badSequence('No service here: QUIT');
    // RFC 3207 §4: before TLS nothing is looked at, so that no password sent early is.
    if (options.tls === 'required' && facts.tls === null && command?.beforeTls !== true) {
      throw new Refusal(530, '5.7.0', 'Must issue a STARTTLS command first');
    }
    if (command === undefined) throw new Refusal(500, '5.5.1', 'Command not recognised');
    // RFC 5321 §4.1.2.
    if (/[\0\r]/.test(line.text)) throw new Refusal(501, '5.5.2', 'A command line has a bare CR or a NUL');
    const isAuth = verb === 'AUTH';
    if (line.octets > (isAuth ? LIMITS.authLine : LIMITS.commandLine)) {
      // RFC 4954 §6.
      throw new Refusal(500, isAuth ? '5.5.6' : '5.5.2', 'Line too long');
    }
    if (command.idle) session.tally.idleCommands++;
    return await command.run(session, space < 0 ? '' : line.text.slice(space + 1).trimEnd());
  } catch (error) {
    return fail(session, command?.verb ?? null, error);
  }
}

/** STYLE's three kinds of errors: a Refusal is the reply, anything else is ours. */
function fail(session: Session, verb: string | null, error: unknown): Reply | null {
  if (error instanceof Refusal) {
    if (FAULTS.has(error.reply.code)) session.tally.faults++;
    session.refused(verb, error);
    if (error.reply.code !== 421) return error.reply;
    session.leave('server stops', error.reply.status ?? '4.3.2', error.reply.text);
    return null;
  }
  session.tally.refused();
  session.log.error({ session: session.facts.id, hop: session.hop, verb, err: error }, 'command failed');
  return { code: 451, status: '4.3.0', text: 'Local error in processing, try again later' };
}

/** Replies to a client that does not keep to the protocol. */
const FAULTS: ReadonlySet<number> = new Set([500, 501, 502, 503, 504, 530, 555]);

/** Ends the session where that is due; the reply to the last command has been said. RFC 5321 §3.8: before a server
 * closes of its own accord it says 421. */
function endIfDue(session: Session): void {
  if (session.ending !== null) return;
  const { exceeded } = session.tally;
  if (exceeded !== null) session.leave(exceeded, '4.7.0', exceeded);
  else if (session.open !== null) return;
  else if (session.closing) session.leave('server stops', ...SHUTTING_DOWN);
  else if (session.age > TIMES.session) {
    session.leave('session limit', '4.7.0', 'Session too long, connect again');
  }
}

/** The session's line in the log: who, how protected, how much, why it ended. */
function report(session: Session): void {
  const { facts, error, tally } = session;
  const fields = {
    session: facts.id,
    hop: session.hop,
    remoteAddress: facts.remoteAddress,
    port: facts.localPort,
    hello: facts.hello?.name,
    tls: facts.tls?.protocol,
    cipher: facts.tls?.cipher,
    user: facts.identity?.address,
    commands: tally.commands,
    messages: tally.messages,
    refusals: tally.refusals,
    ms: session.age,
    end: session.ending ?? 'connection closed',
  };
  // Health checks and port scans come and go without a command.
  const unsaid = tally.commands === 0 && (session.ending === null || GONE.has(session.ending));
  session.log[unsaid ? 'debug' : 'info'](
    error === null ? fields : { ...fields, error: failure(error) },
    'session ended',
  );
}

/** Endings by the client. */
const GONE: ReadonlySet<string> = new Set(['connection closed', 'connection lost']);

/** In words where the error was one of a handshake. */
function failure(error: Error & { code?: unknown }): string {
  const code = String(error.code ?? 'unknown');
  return code.startsWith('ERR_SSL') ? new TlsFailure(code).message : code;
}
