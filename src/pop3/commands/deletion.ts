// DELE, RSET and NOOP (RFC 1939 §5). Nothing is deleted before QUIT, and without it nothing at all.

import { ok } from '../reply.ts';
import { command, nothing, oneMessage, TRANSACTION } from './command.ts';

/** "DELE" SP msg */
export const dele = command({
  name: 'DELE',
  states: TRANSACTION,
  grammar: oneMessage,
  async run({ maildrop }, number) {
    await maildrop.delete(number);
    return ok('Marked as deleted');
  },
});

/** "RSET" */
export const rset = command({
  name: 'RSET',
  states: TRANSACTION,
  grammar: nothing,
  run({ maildrop }) {
    maildrop.reset();
    const { messages, octets } = maildrop.standing;
    return ok(`Nothing is marked: ${messages} messages (${octets} octets)`);
  },
});

/** "NOOP" */
export const noop = command({
  name: 'NOOP',
  states: TRANSACTION,
  grammar: nothing,
  run: () => ok('Nothing was to be done'),
});
