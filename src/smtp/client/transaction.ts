// One mail transaction (RFC 5321 §3.3) from the client's side: MAIL, each RCPT, DATA, content, with one outcome for each
// recipient. Commands leave in one write where the server has PIPELINING (RFC 2920).

import { isAscii } from '../../formats/address.ts';
import type { Envelope } from '../../formats/envelope.ts';
import type { Reply } from '../../formats/refusal.ts';
import { type Channel, ConnectionFailure } from './channel.ts';
import { mailLine, rcptLine } from './command-lines.ts';
import { type Content, hasEightBit, hasUtf8Header } from './content.ts';
import { DotStuffer, UnsendableContent } from './dot-stuffing.ts';
import type { Extensions } from './extensions.ts';
import { deferred, failed, type Outcome, outcomeOf } from './outcome.ts';
import { TIME_LIMITS } from './time-limits.ts';

/** Recipients that every server must take in one transaction (RFC 5321 §4.5.3.1.8). */
const RECIPIENTS = 100;
/** Octets that one write gathers before they go to the socket. */
const GATHER = 65_536;

/** What came of a transaction. `outcomes` runs along the envelope's recipients; null: not tried, say it in another
 * transaction (at least one never is). `open`: the server still holds a transaction, RSET must come next. */
export interface TransactionResult {
  readonly outcomes: readonly (Outcome | null)[];
  readonly open: boolean;
}

/**
 * Does one transaction.
 * @throws whatever reading the content throws; the channel is destroyed then, so that no part is taken for the whole
 */
export async function transact(
  channel: Channel,
  extensions: Extensions,
  envelope: Envelope,
  content: Content,
): Promise<TransactionResult> {
  const outcomes: (Outcome | null)[] = envelope.recipients.map(() => null);
  const all = (outcome: Outcome): TransactionResult => ({
    outcomes: outcomes.map((one) => one ?? outcome),
    open: false,
  });

  const obstacle = await messageObstacle(extensions, envelope, content);
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

  const lines = [mailLine(envelope, content.size, smtputf8, extensions), ...rcpts, 'DATA\r\n'];
  try {
    channel.deadline(TIME_LIMITS.transaction + (content.size / 1_000_000) * TIME_LIMITS.perMegabyte);
    const open = await converse(channel, lines, extensions.pipelining, chosen, outcomes, content);
    channel.deadline(null);
    return { outcomes, open };
  } catch (error) {
    channel.destroy();
    if (error instanceof UnsendableContent) return all(failed('5.6.11', error.message));
    if (!(error instanceof ConnectionFailure)) throw error;
    return all(error.reply === undefined ? deferred('4.4.2', error.message) : outcomeOf(error.reply, 'closing'));
  }
}

/** Says the lines and the content and enters what the replies mean into `outcomes`. Returns true if the server still
 * holds a transaction. */
async function converse(
  channel: Channel,
  lines: readonly string[],
  pipelining: boolean,
  chosen: readonly number[],
  outcomes: (Outcome | null)[],
  content: Content,
): Promise<boolean> {
  const settle = (indexes: readonly number[], outcome: Outcome | null): void => {
    for (const index of indexes) outcomes[index] = outcome;
  };
  const ask = asker(channel, lines, pipelining);
  const mail = await ask(TIME_LIMITS.mail);
  const begun = mail.code < 300;
  if (!begun) {
    settle(chosen, outcomeOf(mail, 'MAIL'));
    if (!pipelining) return false;
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
  if (accepted.length === 0 && !pipelining) return begun;
  // The next transaction gets further with these, since this one had recipients.
  if (accepted.length > 0) settle(again, null);

  const data = await ask(TIME_LIMITS.data);
  if (data.code !== 354) {
    const outcome = outcomeOf(data, 'DATA');
    // A 2yz is no answer to DATA.
    settle(accepted, outcome.kind === 'delivered' ? deferred('4.5.0', outcome.text) : outcome);
    return begun;
  }
  settle(accepted, outcomeOf(await finish(channel, accepted.length > 0 ? content : null), 'end of DATA'));
  return false;
}

/** The next reply to `lines`, each said when it is asked for, or all at once. */
function asker(channel: Channel, lines: readonly string[], pipelining: boolean): (timeout: number) => Promise<Reply> {
  let next = 0;
  if (pipelining) channel.write(lines.join(''));
  return (timeout) => {
    const line = lines[next++];
    if (!pipelining && line !== undefined) channel.write(line);
    return channel.answer(timeout);
  };
}

/** Sends the content and its end; null: only the end, since nobody is to have it (RFC 2920 §3.1). */
async function finish(channel: Channel, content: Content | null): Promise<Reply> {
  if (content === null) {
    channel.write('.\r\n');
    return channel.answer(TIME_LIMITS.end);
  }
  const stuffer = new DotStuffer();
  let gathered = 0;
  channel.hold();
  for await (const chunk of content.open()) {
    const room = channel.write(stuffer.push(chunk));
    gathered += chunk.length;
    if (gathered < GATHER) continue;
    gathered = 0;
    channel.release();
    if (!room) await channel.drained(TIME_LIMITS.block);
    const early = givenUp(channel);
    if (early !== null) return early;
    channel.hold();
  }
  const early = givenUp(channel);
  if (early !== null) return early;
  channel.write(stuffer.finish());
  channel.release();
  return channel.answer(TIME_LIMITS.end);
}

/** The server's answer if it gave one before the end of the content; the connection is then given up, since ending the
 * content would make a part of it look whole. @throws ConnectionFailure */
function givenUp(channel: Channel): Reply | null {
  const early = channel.early();
  if (early === undefined) {
    if (channel.failure !== undefined) throw channel.failure;
    return null;
  }
  channel.destroy();
  return early.code >= 400 ? early : { code: 451, text: `the server said ${early.code} before the end of the content` };
}

/** What keeps the whole message from this server; null: nothing. */
async function messageObstacle(extensions: Extensions, envelope: Envelope, content: Content): Promise<Outcome | null> {
  const { body, smtputf8 } = envelope.parameters;
  if (extensions.maxSize !== null && content.size > extensions.maxSize) {
    return failed('5.3.4', `the message has ${content.size} octets, the server takes ${extensions.maxSize}`);
  }
  if (body === 'BINARYMIME') return failed('5.6.3', 'the message is binary, which cannot be sent to this server');
  if (body === '8BITMIME' && !extensions.eightBitMime && (await hasEightBit(content))) {
    return failed('5.6.3', 'the message has 8-bit content, and the server does not offer 8BITMIME');
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
