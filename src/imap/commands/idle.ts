// IDLE (RFC 2177): the client waits, and hears at once what happens, until it says DONE.

import { bad, ok } from '../completion.ts';
import { LIMIT } from '../limits.ts';
import { command, LOGGED_IN, nothing } from './command.ts';

/** idle = "IDLE" CRLF "DONE" */
export const idle = command({
  name: 'IDLE',
  states: LOGGED_IN,
  grammar: nothing,
  async run(session) {
    session.writer.line('+ Waiting with you');
    const line = await session.readLineTelling(LIMIT.saslLine);
    if (line.toUpperCase() !== 'DONE') throw bad('Expected DONE');
    return ok('Idled');
  },
});
