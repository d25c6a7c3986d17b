// APPEND (RFC 3501 §6.3.11) with APPENDUID (RFC 4315 §3). The message streams from the client into the store: it is
// never in memory whole.

import { HeaderBlock } from '../../formats/header.ts';
import { bodyFacts } from '../../store/facts.ts';
import type { BodyFacts } from '../../store/rows.ts';
import type { Staging } from '../../store/store.ts';
import { mailboxFor } from '../access.ts';
import { no, ok } from '../completion.ts';
import { dateTime } from '../grammar/date-time.ts';
import { flags } from '../grammar/flags.ts';
import type { Scanner } from '../grammar/scanner.ts';
import { flagScope } from '../rights.ts';
import { command, LOGGED_IN, type Session } from './command.ts';
import { mailboxArgument } from './select.ts';

/** append = "APPEND" SP mailbox [SP flag-list] [SP date-time] SP literal */
function appendArguments(scanner: Scanner) {
  const name = mailboxArgument(scanner);
  scanner.space();
  const given = scanner.atList ? flags(scanner) : null;
  if (given) scanner.space();
  const date = scanner.atQuote ? dateTime(scanner) : null;
  if (date) scanner.space();
  scanner.streamedLiteral();
  return { name, flags: given ?? { bits: 0, keywords: [] }, date };
}

export const append = command({
  name: 'APPEND',
  states: LOGGED_IN,
  grammar: appendArguments,
  async run(session, { name, flags: { bits, keywords }, date }) {
    const { message, store, limits } = session;
    // Whatever can be refused before the client is asked for the octets, is.
    const mailbox = await mailboxFor(session, name, 'insert', 'TRYCREATE');
    if (!mailbox.selectable) throw no('That name is no mailbox', 'NONEXISTENT');
    if (message.octets > limits.message) throw no('The message is too large', 'TOOBIG');
    if (message.octets === 0) throw no('The message is empty', 'CANNOT');
    const account = await store.read.account(mailbox.account);
    if (account && account.quota !== null && account.usedOctets + message.octets > account.quota) {
      throw no('The account has no room for it', 'OVERQUOTA');
    }
    const scope = flagScope(mailbox.rights);
    const staging = store.stage();
    try {
      const facts = await stage(session, staging);
      await message.end();
      const now = session.clock.now();
      const { uidValidity, uids } = await store.execute({
        kind: 'append',
        mailbox: mailbox.id,
        now,
        messages: [
          {
            body: staging.finish(),
            facts,
            // RFC 4314 §4: what the user has no right to set is left out.
            flags: bits & scope.flags,
            keywords: scope.keywords ? keywords : [],
            internalDate: date?.at ?? now,
            internalZone: date?.zone ?? 0,
          },
        ],
        view: null,
        seenTo: mailbox.own ? null : session.account,
      });
      return ok('Appended', `APPENDUID ${uidValidity} ${uids[0]}`);
    } catch (error) {
      staging.discard();
      throw error;
    }
  },
});

/** Takes the octets of the message literal. @throws ImapRefusal NO */
async function stage({ message, limits }: Session, staging: Staging): Promise<BodyFacts> {
  const header = new HeaderBlock(limits.header);
  for (let part = await message.read(); part; part = await message.read()) {
    // RFC 3501 §9: literal = … *CHAR8, which has no NUL. What holds one could not be fetched again as it is.
    if (part.includes(0)) throw no('The message holds a NUL octet', 'CANNOT');
    if (!header.complete) header.push(part);
    if (header.overflow) throw no('The header of the message is too large', 'TOOBIG');
    await staging.write(part);
  }
  return bodyFacts(header.bytes);
}
