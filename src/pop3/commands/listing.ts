// STAT, LIST (RFC 1939 §5) and UIDL (RFC 1939 §7): what is in the maildrop.

import { LIMIT } from '../limits.ts';
import type { Maildrop } from '../maildrop.ts';
import { ok } from '../reply.ts';
import { command, nothing, perhapsMessage, TRANSACTION } from './command.ts';

/** "STAT": the drop listing */
export const stat = command({
  name: 'STAT',
  states: TRANSACTION,
  grammar: nothing,
  run({ maildrop }) {
    const { messages, octets } = maildrop.standing;
    return ok(`${messages} ${octets}`);
  },
});

/** "LIST" [SP msg]: scan listings */
export const list = command({
  name: 'LIST',
  states: TRANSACTION,
  grammar: perhapsMessage,
  async run({ maildrop }, number) {
    if (number !== null) return ok(`${number} ${(await maildrop.message(number)).lineSize}`);
    const { messages, octets } = maildrop.standing;
    return ok(`${messages} messages (${octets} octets)`, scanListings(maildrop));
  },
});

async function* scanListings(maildrop: Maildrop): AsyncGenerator<string> {
  for await (const page of maildrop.listed())
    yield page.map(({ number, row }) => `${number} ${row.lineSize}\r\n`).join('');
}

/** "UIDL" [SP msg]: unique-id listings */
export const uidl = command({
  name: 'UIDL',
  states: TRANSACTION,
  grammar: perhapsMessage,
  run({ maildrop }, number) {
    if (number === null) return ok('Unique-ids follow', uniqueIds(maildrop));
    maildrop.requireMessage(number);
    return ok(`${number} ${maildrop.uniqueId(number)}`);
  },
});

function* uniqueIds(maildrop: Maildrop): Generator<string> {
  for (let numbers = maildrop.numbers(1, LIMIT.page); numbers.length > 0; ) {
    yield numbers.map((number) => `${number} ${maildrop.uniqueId(number)}\r\n`).join('');
    numbers = maildrop.numbers((numbers.at(-1) ?? 0) + 1, LIMIT.page);
  }
}
