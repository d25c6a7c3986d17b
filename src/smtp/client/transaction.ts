// One mail transaction (RFC 5321 §3.3) from the client's side: MAIL, each RCPT, content by DATA or BDAT, with one outcome
// for each recipient. Commands leave in one write where the server has PIPELINING (RFC 2920).

import { isAscii } from '../../formats/address.ts';
import type { Envelope } from '../../formats/envelope.ts';
import type { Reply } from '../../formats/refusal.ts';
import { carriageOf, messageObstacle, needsUtf8, noUtf8 } from './carriage.ts';
import { type Channel, ConnectionFailure } from './channel.ts';
import { mailLine, rcptLine, wantsDelay } from './command-lines.ts';
import type { Content } from './content.ts';
import { UnsendableContent } from './dot-stuffing.ts';
import type { Extensions } from './extensions.ts';
import { deferred, failed, type Outcome, outcomeOf } from './outcome.ts';
import { type Quirk, withoutParameters } from './quirks.ts';
import { TIME_LIMITS } from './time-limits.ts';
import { sendChunks, sendData } from './transfer.ts';

/** Recipients that every server must take in one transaction (RFC 5321 §4.5.3.1.8). */
const RECIPIENTS = 100;
/** What came of a transaction. `outcomes` runs along the envelope's recipients; null: not tried, say it in another
 * transaction (at least one never is). `open`: the server still holds a transaction, RSET must come next. `quirk`: what the
 * server has shown not to do. `again`: nothing is decided; without that it may go better. `knows`: it has taken a recipient
 * with parameters. */
export interface TransactionResult {
  readonly outcomes: readonly (Outcome | null)[];
  readonly open: boolean;
  readonly quirk?: Quirk;
  readonly again?: boolean;
  readonly knows?: boolean;
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
  const delay = wantsDelay(envelope, extensions, now);
  const most = Math.min(RECIPIENTS, extensions.rcptMax ?? RECIPIENTS);
  for (const [index, recipient] of envelope.recipients.entries()) {
    if (!extensions.smtputf8 && !isAscii(recipient.address)) {
      outcomes[index] = noUtf8('a recipient');
    } else if (chosen.length < most) {
      chosen.push(index);
      rcpts.push(rcptLine(recipient, extensions, delay, smtputf8));
    }
  }
  if (chosen.length === 0) return { outcomes, open: false };

  const needs = { size: content.size, body: carriage.body, smtputf8, now };
  const mail = mailLine(envelope, needs, extensions);
  const lines = [mail, ...rcpts, ...(carriage.chunked ? [] : ['DATA\r\n'])];
  const asked = asker(channel, lines, extensions.pipelining);
  try {
    channel.deadline(TIME_LIMITS.transaction + (content.size / 1_000_000) * TIME_LIMITS.perMegabyte);
    const { open, first, taken, knows, bare, chunk } = await converse(
      channel,
      asked.ask,
      extensions.pipelining,
      lines,
      chosen,
      outcomes,
      {
        content,
        chunked: carriage.chunked,
      },
    );
    channel.deadline(null);
    if (chunk !== null && UNKNOWN.has(chunk.code)) {
      // What the server made of the octets behind the command, nobody knows.
      channel.destroy();
      return { outcomes, open: false, quirk: 'CHUNKING' };
    }
    const plain = mailLine(envelope, needs, withoutParameters(extensions));
    const again = (dislikes(first) && plain !== mail) || (bare && taken === 0);
    return again || bare ? { outcomes, open, knows, again, quirk: 'PARAMETERS' } : { outcomes, open, knows };
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

/** A reply to MAIL or RCPT whose cause may be the parameters (RFC 5321 §4.2.2), and not the address. */
function dislikes({ code, status }: Reply): boolean {
  return [500, 501, 504, 555].includes(code) && status?.startsWith('5.1.') !== true;
}

/** `open`: the server still holds a transaction. `first`: the reply to MAIL. `taken`: recipients that were accepted. `knows`:
 * one of them with parameters. `bare`: some may be accepted without theirs. `chunk`: the last reply to BDAT. */
interface Conversed {
  readonly open: boolean;
  readonly first: Reply;
  readonly taken: number;
  readonly knows: boolean;
  readonly bare: boolean;
  readonly chunk: Reply | null;
}

/** Says the lines and the content and enters what the replies mean into `outcomes`. */
async function converse(
  channel: Channel,
  ask: (timeout: number) => Promise<Reply>,
  pipelining: boolean,
  lines: readonly string[],
  chosen: readonly number[],
  outcomes: (Outcome | null)[],
  { content, chunked }: { readonly content: Content; readonly chunked: boolean },
): Promise<Conversed> {
  const settle = (indexes: readonly number[], outcome: Outcome | null): void => {
    for (const index of indexes) outcomes[index] = outcome;
  };
  const mail = await ask(TIME_LIMITS.mail);
  const begun = mail.code < 300;
  const accepted: number[] = [];
  const again: number[] = [];
  let bare = false;
  let knows = false;
  const end = (open: boolean, chunk: Reply | null = null): Conversed => ({
    open,
    first: mail,
    taken: accepted.length,
    knows,
    bare,
    chunk,
  });
  if (!begun) {
    settle(chosen, outcomeOf(mail, 'MAIL'));
    if (!pipelining) return end(false);
  }
  for (const [place, index] of chosen.entries()) {
    const reply = await ask(TIME_LIMITS.rcpt);
    if (!begun) continue;
    // MAIL was the first line.
    const parameters = / (?:NOTIFY|ORCPT)=/.test(lines[place + 1] ?? '');
    if (reply.code < 300) accepted.push(index);
    else outcomes[index] = outcomeOf(reply, 'RCPT');
    if (reply.code < 300 && parameters) knows = true;
    const disliked = dislikes(reply) && parameters;
    if (disliked) bare = true;
    if (disliked || tooMany(reply)) again.push(index);
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

/** RFC 5321 §4.5.3.1.10: 452, or 552 of older servers, when one transaction has too many recipients. */
function tooMany(reply: Reply): boolean {
  if (reply.code !== 452 && reply.code !== 552) return false;
  return reply.status === undefined || reply.status.endsWith('.5.3');
}
