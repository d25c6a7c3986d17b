// Every command that this server understands, by its keyword, and how a line becomes one.

import { misspoken, type Reply } from '../reply.ts';
import { capa, quit } from './any-state.ts';
import { auth, pass, stls, user, utf8 } from './authorization.ts';
import type { Command, Session } from './command.ts';
import { dele, noop, rset } from './deletion.ts';
import { list, stat, uidl } from './listing.ts';
import { retr, top } from './retrieval.ts';

export const COMMANDS: readonly Command[] = [
  // Any state
  capa,
  quit,
  // AUTHORIZATION
  stls,
  utf8,
  user,
  pass,
  auth,
  // TRANSACTION
  stat,
  list,
  uidl,
  retr,
  top,
  dele,
  rset,
  noop,
];

const BY_NAME: ReadonlyMap<string, Command> = new Map(COMMANDS.map((command) => [command.name, command]));

const SPACE = 0x20;

/** command = keyword *(SP param) CRLF (RFC 2449 §3), here without its end. @throws Pop3Refusal */
export function parseCommand(line: Buffer, session: Session): (session: Session) => Promise<Reply> {
  const space = line.indexOf(SPACE);
  const name = line.toString('latin1', 0, space < 0 ? line.length : space).toUpperCase();
  const command = BY_NAME.get(name);
  // RFC 1939 §7: PASS comes immediately after USER; RFC 5034 §4: an AUTH that failed is as if it had not been said.
  if (command?.name !== 'PASS' && command?.name !== 'AUTH') session.user = null;
  if (!command) throw misspoken('That command is not known');
  if (!command.states.includes(session.state)) {
    throw misspoken(session.state === 'authorization' ? 'Log in first' : 'That is for before the login');
  }
  command.admit(session);
  return command.parse(space < 0 ? null : line.subarray(space + 1));
}
