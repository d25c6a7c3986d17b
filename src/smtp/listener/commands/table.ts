// All commands that are known here. A command that is not in it is answered 500 and never logged: it may be half of a
// password.

import { auth } from './auth.ts';
import { bdat } from './bdat.ts';
import type { Command } from './command.ts';
import { data } from './data.ts';
import { ehlo, helo } from './hello.ts';
import { mail, rcpt } from './mail.ts';
import { expn, help, noop, quit, rset, vrfy } from './simple.ts';
import { starttls } from './starttls.ts';

export const commands: ReadonlyMap<string, Command> = new Map(
  [ehlo, helo, starttls, auth, mail, rcpt, data, bdat, rset, noop, quit, vrfy, expn, help].map((command) => [
    command.verb,
    command,
  ]),
);
