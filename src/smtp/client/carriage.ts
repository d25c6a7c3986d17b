// How a message can go to a server with these extensions, or why it cannot: what it lacks decides, since nothing of a
// message is ever recoded (RFC 5321 §3.6.3).

import { isAscii } from '../../formats/address.ts';
import type { Envelope, MailParameters } from '../../formats/envelope.ts';
import { type Content, hasEightBit, hasUtf8Header, needsOf } from './content.ts';
import type { Extensions } from './extensions.ts';
import { failed, type Outcome } from './outcome.ts';

/** Octets from which content goes in chunks where it may: no octet of it is looked at then, and a server that has no room
 * says so before the end. */
const LARGE = 4_194_304;

/** How content travels: BODY as it is declared, and whether by BDAT. */
interface Carriage {
  readonly body: MailParameters['body'];
  readonly chunked: boolean;
}

/** How the content goes to this server, or why it cannot. It is never recoded (RFC 5321 §3.6.3). */
export async function carriageOf(
  extensions: Extensions,
  envelope: Envelope,
  content: Content,
): Promise<Carriage | Outcome> {
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
export async function messageObstacle(
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
    // RFC 2852 §4.1.4.1: nobody but a server that knows of the time may have it, and none that cannot keep it.
    if (extensions.deliverBy === null)
      return failed('5.3.3', 'the server does not promise to deliver in time (DELIVERBY)');
    if (deliverBy.at - now < Math.max(1, extensions.deliverBy) * 1_000) return failed('5.4.7', 'the time is over');
  }
  if (extensions.smtputf8) return null;
  if (envelope.reversePath !== null && !isAscii(envelope.reversePath)) return noUtf8('the sender');
  return smtputf8 === true && (await hasUtf8Header(content)) ? noUtf8('a header field') : null;
}

export function needsUtf8({ reversePath, parameters, recipients }: Envelope): boolean {
  if (parameters.smtputf8 === true || (reversePath !== null && !isAscii(reversePath))) return true;
  return recipients.some(({ address }) => !isAscii(address));
}

export function noUtf8(what: string): Outcome {
  return failed('5.6.7', `${what} is internationalised, and the server does not offer SMTPUTF8`);
}
