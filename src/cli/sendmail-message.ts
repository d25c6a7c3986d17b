// A message as a local program writes it, made fit for SMTP (RFC 5321 §2.3.8): LF becomes CRLF, the end is found, and what
// only a file knows is dropped. And the recipients that its header names (RFC 5322 §3.6.3).

import { type Address, toAddress } from '../formats/address.ts';
import { parseAddressList } from '../formats/address-list.ts';
import type { HeaderField } from '../formats/header.ts';

const LF = 10;
const CR = 13;
const DOT = 46;

/**
 * The message in CRLF lines, the last one ended too. A CR that stands alone, as programs write that draw progress bars, ends
 * a line: nobody could relay it.
 * @param dotEnds a line with a single dot is the end, and the rest is not looked at
 */
export function canonicalMessage(octets: Buffer, dotEnds: boolean): Buffer {
  const parts: Buffer[] = [];
  const end = Buffer.from('\r\n');
  // The line by which mailbox files tell messages apart (mbox, RFC 4155).
  for (let at = /^>?From /.test(octets.toString('latin1', 0, 6)) ? nextLine(octets, 0).next : 0; at < octets.length; ) {
    const { stop, next } = nextLine(octets, at);
    if (dotEnds && stop === at + 1 && octets[at] === DOT) break;
    parts.push(octets.subarray(at, stop), end);
    at = next;
  }
  return Buffer.concat(parts);
}

/** Where the line ends, and where the next one begins. */
function nextLine(octets: Buffer, from: number): { stop: number; next: number } {
  const feed = octets.indexOf(LF, from);
  const lineFeed = feed < 0 ? octets.length : feed;
  const back = octets.subarray(from, lineFeed).indexOf(CR);
  if (back < 0) return { stop: lineFeed, next: lineFeed + 1 };
  const stop = from + back;
  // CRLF, and the CR CR LF of a file that was converted twice, are one end.
  let next = stop;
  while (octets[next] === CR && next < lineFeed) next++;
  return { stop, next: next === lineFeed && feed >= 0 ? next + 1 : stop + 1 };
}

/** Recipients that cannot be read. */
export class UnreadableRecipient extends Error {
  override readonly name = 'UnreadableRecipient';
}

/**
 * The addresses of a list as people write it, `domain` for those without one.
 * @throws UnreadableRecipient
 */
export function addressesIn(list: string, domain: string): readonly Address[] {
  const found: Address[] = [];
  for (const entry of parseAddressList(list)) {
    if (entry.kind !== 'mailbox') continue;
    const address = toAddress(entry.localPart, entry.domain === '' ? domain : entry.domain);
    if (address === null) throw new UnreadableRecipient(`"${entry.raw.slice(0, 200)}" is no address`);
    found.push(address);
  }
  return found;
}

/** What -t reads: the Resent fields of a message that is sent on (RFC 5322 §3.6.6), else To, Cc and Bcc.
 * @throws UnreadableRecipient */
export function recipientsOf(header: readonly HeaderField[], domain: string): readonly Address[] {
  const named = (names: readonly string[]) => header.filter((field) => names.some((name) => field.is(name)));
  const resent = named(['resent-to', 'resent-cc', 'resent-bcc']);
  const fields = resent.length > 0 ? resent : named(['to', 'cc', 'bcc']);
  return fields.flatMap((field) => addressesIn(field.value, domain));
}
