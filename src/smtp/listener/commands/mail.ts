// MAIL and RCPT (RFC 5321 §4.1.1.2, §4.1.1.3): the envelope, one command at a time. Who may send to whom is the
// Receiver's opinion.

import type { Address } from '../../../formats/address.ts';
import { Refusal, type Reply } from '../../../formats/refusal.ts';
import { LIMITS, TIMES } from '../limits.ts';
import { mailParameters, rcptParameters } from '../parameters.ts';
import { parsePath } from '../path.ts';
import type { Session } from '../session.ts';
import type { SubmissionTime } from '../submission-parameters.ts';
import { badArgument, badSequence, type Command } from './command.ts';

const SENDER_OK: Reply = { code: 250, status: '2.1.0', text: 'Sender OK' };
const TOO_MANY = { code: 452, status: '4.5.3', text: 'Too many recipients' } as const satisfies Reply;
const RECIPIENT_OK: Reply = { code: 250, status: '2.1.5', text: 'Recipient OK' };

export const mail: Command = {
  verb: 'MAIL',
  beforeTls: false,
  idle: false,
  async run(session, argument) {
    const { options, facts } = session;
    if (facts.hello === null) throw badSequence('Send EHLO or HELO first');
    // RFC 4954 §6, RFC 6409 §4.3.
    if (options.role === 'submission' && facts.identity === null) {
      throw new Refusal(530, '5.7.0', 'Authentication required');
    }
    if (session.open !== null) throw badSequence('A mail transaction is under way');
    const match = /^FROM: *(<.*)$/is.exec(argument);
    if (match?.[1] === undefined) throw badArgument('Syntax: MAIL FROM:<reverse-path>');
    const path = parsePath(match[1]);
    if (path === null || path.address === 'postmaster') {
      throw new Refusal(501, '5.1.7', 'Not a mailbox: write <name@domain>', 'bad reverse-path');
    }
    const parameters = mailParameters(path.rest, submissionTime(options), facts.tls !== null);
    const smtputf8 = parameters.smtputf8 === true;
    refuseNonAscii(550, path.ascii, smtputf8);
    // RFC 1870 §6.1.
    if (parameters.size !== undefined && parameters.size > options.limits.messageSize) {
      throw new Refusal(552, '5.3.4', `Message exceeds the maximum size of ${options.limits.messageSize} octets`);
    }
    const transaction = await options.receiver.sender(path.address, parameters, facts);
    session.open = { transaction, smtputf8, binary: parameters.body === 'BINARYMIME', recipients: 0, chunks: null };
    return SENDER_OK;
  },
};

/** Who submits may say when. */
function submissionTime({ role, clock, maxHold }: Session['options']): SubmissionTime | null {
  return role === 'submission' ? { now: clock.now(), maxHold } : null;
}

export const rcpt: Command = {
  verb: 'RCPT',
  beforeTls: false,
  idle: false,
  async run(session, argument) {
    const { open, options } = session;
    if (open === null) throw badSequence('Send MAIL first');
    if (open.chunks !== null) throw badSequence('The message is under way: send the last BDAT, or RSET');
    const match = /^TO: *(<.*)$/is.exec(argument);
    if (match?.[1] === undefined) throw badArgument('Syntax: RCPT TO:<forward-path>');
    const path = parsePath(match[1]);
    if (path === null || path.address === null) {
      throw new Refusal(501, '5.1.3', 'Not a mailbox: write <name@domain>', 'bad forward-path');
    }
    const parameters = rcptParameters(path.rest, open.smtputf8);
    refuseNonAscii(553, path.ascii, open.smtputf8);
    if (open.recipients >= options.limits.recipients) return tooManyRecipients(session);
    // RFC 5321 §4.1.1.3: "Postmaster" stands without a domain.
    const address: Address = path.address === 'postmaster' ? POSTMASTER : path.address;
    try {
      await open.transaction.recipient(address, parameters);
    } catch (error) {
      if (error instanceof Refusal) await slowDown(session);
      throw error;
    }
    open.recipients++;
    return RECIPIENT_OK;
  },
};

const POSTMASTER: Address = { localPart: 'postmaster', domain: '' };

/** RFC 6531 §3.5: an address beyond ASCII needs the SMTPUTF8 parameter of MAIL. */
function refuseNonAscii(code: 550 | 553, ascii: boolean, smtputf8: boolean): void {
  if (!ascii && !smtputf8) throw new Refusal(code, '5.6.7', 'This address needs SMTPUTF8');
}

/** RFC 5321 §4.5.3.1.10. The log tells of the first; a list of thousands would fill it. */
function tooManyRecipients({ tally }: Session): Reply {
  tally.excessRecipients++;
  if (tally.excessRecipients === 1) throw new Refusal(TOO_MANY.code, TOO_MANY.status, TOO_MANY.text);
  return TOO_MANY;
}

/** Who tries one name after another is answered ever more slowly, and in the end not at all. */
async function slowDown(session: Session): Promise<void> {
  session.tally.refusedRecipients++;
  if (session.tally.refusedRecipients > LIMITS.refusedRecipientsSlow) await session.pause(TIMES.tarpit);
}
