// One mail transaction (RFC 5321 §3.3) from the client's side: MAIL, each RCPT, content by DATA or BDAT, with one outcome
// for each recipient. Commands leave in one write where the server has PIPELINING (RFC 2920).

import { isAscii } from '../../formats/address.ts';
import type { Envelope, MailParameters } from '../../formats/envelope.ts';
import type { Reply } from '../../formats/refusal.ts';
import { type Channel, ConnectionFailure } from './channel.ts';
import { mailLine, rcptLine } from './command-lines.ts';
import { type Content, hasEightBit, hasUtf8Header, needsOf } from './content.ts';
import { UnsendableContent } from './dot-stuffing.ts';
import type { Extensions } from './extensions.ts';
import { deferred, failed, type Outcome, outcomeOf } from './outcome.ts';
import { type Quirk, withoutQuirks } from './quirks.ts';
import { TIME_LIMITS } from './time-limits.ts';
import { sendChunks, sendData } from './transfer.ts';

/** Recipients that every server must take in one transaction (RFC 5321 §4.5.3.1.8). */
const RECIPIENTS = 100;
/** Octets from which content goes in chunks where it may: no octet of it is looked at then, and a server that has no room
 * says so before the end. */
const LARGE = 4_194_304;

/** What came of a transaction. `outcomes` runs along the envelope's recipients; null: not tried, say it in another
 * transaction (at least one never is). `open`: the server still holds a transaction, RSET must come next. `quirk`: what the
 * server has shown not to do. `again`: nothing is decided; without that it may go better. */
export interface TransactionResult {
  readonly outcomes: readonly (Outcome | null)[];
  readonly open: boolean;
  readonly quirk?: Quirk;
  readonly again?: boolean;
}

/** How content travels: BODY as it is declared, and whether by BDAT. */
interface Carriage {
  readonly body: MailParameters['body'];
  readonly chunked: boolean;
}

/**
 * Does one transaction.
 * @param now ms since the epoch
 * @throws whatever reading the content throws; the channel is destroyed then, so that no part is taken for the whole
 */
export async function transact(
  channel: Channel,
  extensions: Extensions,
  envelope: Envelope,
  content: Content,
  now: number,
): Promise<TransactionResult> {
  const outcomes: (Outcome | null)[] = envelope.recipients.map(() => null);
  const all = (outcome: Outcome): TransactionResult => ({
    outcomes: outcomes.map((one) => one ?? outcome),
    open: false,
  });

  const carriage = await carriageOf(extensions, envelope, content);
  if ('kind' in carriage) return all(carriage);
  const obstacle = await messageObstacle(extensions, envelope, content, now);
  if (obstacle !== null) return all(obstacle);
  const smtputf8 = extensions.smtputf8 && needsUtf8(envelope);
  const chosen: number[] = [];
  const rcpts: string[] = [];
  const most = Math.min(RECIPIENTS, extensions.rcptMax ?? RECIPIENTS);
  for (const [index, recipient] of envelope.recipients.entries()) {
    if (!extensions.smtputf8 && !isAscii(recipient.address)) {
      outcomes[index] = noUtf8('a recipient');
    } else if (chosen.length < most) {
      chosen.push(index);
      rcpts.push(rcptLine(recipient, extensions));
    }
  }
  if (chosen.length === 0) return { outcomes, open: false };

  const needs = { size: content.size, body: carriage.body, smtputf8, now };
  const mail = mailLine(envelope, needs, extensions);
  const lines = [mail, ...rcpts, ...(carriage.chunked ? [] : ['DATA\r\n'])];
  const asked = asker(channel, lines, extensions.pipelining);
  try {
    channel.deadline(TIME_LIMITS.transaction + (content.size / 1_000_000) * TIME_LIMITS.perMegabyte);
    const { open, first, chunk } = await converse(channel, asked.ask, extensions.pipelining, chosen, outcomes, {
      content,
      chunked: carriage.chunked,
    });
    channel.deadline(null);
    if (chunk !== null && UNKNOWN.has(chunk.code)) {
      // What the server made of the octets behind the command, nobody knows.
      channel.destroy();
      return { outcomes, open: false, quirk: 'CHUNKING' };
    }
    const plain = mailLine(envelope, needs, withoutQuirks(extensions, new Set(['PARAMETERS'])));
    const again = PARAMETERS_REFUSED.has(first.code) && first.status?.startsWith('5.1.') !== true && plain !== mail;
    return again ? { outcomes, open, again, quirk: 'PARAMETERS' } : { outcomes, open };
  } catch (error) {
    channel.destroy();
    if (error instanceof UnsendableContent) return all(failed('5.6.11', error.message));
    if (!(error instanceof ConnectionFailure)) throw error;
    const result = all(
      error.reply === undefined ? deferred('4.4.2', error.message) : outcomeOf(error.reply, 'closing'),
    );
    // Some of the answers came, and then none: the rest of the commands may not have got there.
    const lost =
      extensions.pipelining && error.reply === undefined && asked.heard() > 0 && asked.heard() < lines.length;
    return lost ? { ...result, quirk: 'PIPELINING' } : result;
  }
}

/** Replies to a command that a server, or a firewall before it, does not know. */
const UNKNOWN: ReadonlySet<number> = new Set([500, 502]);
/** Replies to MAIL whose cause may be its parameters (RFC 5321 §4.2.2). */
const PARAMETERS_REFUSED: ReadonlySet<number> = new Set([500, 501, 504, 555]);

/** `open`: the server still holds a transaction. `first`: the reply to MAIL. `chunk`: the last reply to BDAT. */
interface Conversed {
  readonly open: boolean;
  readonly first: Reply;
  readonly chunk: Reply | null;
}

/** Says the lines and the content and enters what the replies mean into `outcomes`. */
async function converse(
  channel: Channel,
  ask: (timeout: number) => Promise<Reply>,
  pipelining: boolean,
  chosen: readonly number[],
  outcomes: (Outcome | null)[],
  { content, chunked }: { readonly content: Content; readonly chunked: boolean },
): Promise<Conversed> {
  const settle = (indexes: readonly number[], outcome: Outcome | null): void => {
    for (const index of indexes) outcomes[index] = outcome;
  };
  const mail = await ask(TIME_LIMITS.mail);
  const begun = mail.code < 300;
  const end = (open: boolean, chunk: Reply | null = null): Conversed => ({ open, first: mail, chunk });
  if (!begun) {
    settle(chosen, outcomeOf(mail, 'MAIL'));
    if (!pipelining) return end(false);
  }
  const accepted: number[] = [];
  const again: number[] = [];
  for (const index of chosen) {
    const reply = await ask(TIME_LIMITS.rcpt);
    if (!begun) continue;
    if (reply.code < 300) accepted.push(index);
    else outcomes[index] = outcomeOf(reply, 'RCPT');
    if (tooMany(reply)) again.push(index);
  }
  if (accepted.length === 0 && (chunked || !pipelining)) return end(begun);
  // The next transaction gets further with these, since this one had recipients.
  if (accepted.length > 0) settle(again, null);

  if (chunked) {
    const reply = await sendChunks(channel, content);
    const outcome = outcomeOf(reply, 'BDAT');
    settle(accepted, UNKNOWN.has(reply.code) ? deferred('4.5.0', outcome.text) : outcome);
    // A chunk that was refused has left the transaction in some state (RFC 3030 §2).
    return end(reply.code >= 300, reply);
  }
  const data = await ask(TIME_LIMITS.data);
  if (data.code !== 354) {
    const outcome = outcomeOf(data, 'DATA');
    // A 2yz is no answer to DATA.
    settle(accepted, outcome.kind === 'delivered' ? deferred('4.5.0', outcome.text) : outcome);
    return end(begun);
  }
  settle(accepted, outcomeOf(await sendData(channel, accepted.length > 0 ? content : null), 'end of DATA'));
  return end(false);
}

/** The next reply to `lines`, each said when it is asked for, or all at once. */
function asker(
  channel: Channel,
  lines: readonly string[],
  pipelining: boolean,
): { readonly ask: (timeout: number) => Promise<Reply>; readonly heard: () => number } {
  let next = 0;
  let heard = 0;
  if (pipelining) channel.write(lines.join(''));
  return {
    heard: () => heard,
    async ask(timeout) {
      const line = lines[next++];
      if (!pipelining && line !== undefined) channel.write(line);
      const reply = await channel.answer(timeout);
      heard++;
      return reply;
    },
  };
}

/** How the content goes to this server, or why it cannot. It is never recoded (RFC 5321 §3.6.3). */
async function carriageOf(extensions: Extensions, envelope: Envelope, content: Content): Promise<Carriage | Outcome> {
  let { body } = envelope.parameters;
  // What was only declared so may go anywhere.
  if (body === 'BINARYMIME' && !extensions.binaryMime) body = await needsOf(content);
  if (body === 'BINARYMIME' && !extensions.binaryMime) {
    return failed('5.6.3', 'the message is binary, and the server does not offer BINARYMIME');
  }
  if (body === '8BITMIME' && !extensions.eightBitMime && (await hasEightBit(content))) {
    return failed('5.6.3', 'the message has 8-bit content, and the server does not offer 8BITMIME');
  }
  return { body, chunked: body === 'BINARYMIME' || (extensions.chunking && content.size >= LARGE) };
}

/** What else keeps the whole message from this server; null: nothing. */
async function messageObstacle(
  extensions: Extensions,
  envelope: Envelope,
  content: Content,
  now: number,
): Promise<Outcome | null> {
  const { smtputf8, deliverBy } = envelope.parameters;
  if (extensions.maxSize !== null && content.size > extensions.maxSize) {
    return failed('5.3.4', `the message has ${content.size} octets, the server takes ${extensions.maxSize}`);
  }
  if (deliverBy?.mode === 'R') {
    // RFC 2852 §4: nobody but a server that knows of the time may have it, and none that cannot keep it.
    if (extensions.deliverBy === null)
      return failed('5.3.3', 'the server does not promise to deliver in time (DELIVERBY)');
    if (deliverBy.at - now < Math.max(1, extensions.deliverBy) * 1_000) return failed('5.4.7', 'the time is over');
  }
  if (extensions.smtputf8) return null;
  if (envelope.reversePath !== null && !isAscii(envelope.reversePath)) return noUtf8('the sender');
  return smtputf8 === true && (await hasUtf8Header(content)) ? noUtf8('a header field') : null;
}

function needsUtf8({ reversePath, parameters, recipients }: Envelope): boolean {
  if (parameters.smtputf8 === true || (reversePath !== null && !isAscii(reversePath))) return true;
  return recipients.some(({ address }) => !isAscii(address));
}

function noUtf8(what: string): Outcome {
  return failed('5.6.7', `${what} is internationalised, and the server does not offer SMTPUTF8`);
}

/** RFC 5321 §4.5.3.1.10: 452, or 552 of older servers, when one transaction has too many recipients. */
function tooMany(reply: Reply): boolean {
  if (reply.code !== 452 && reply.code !== 552) return false;
  return reply.status === undefined || reply.status.endsWith('.5.3');
}
