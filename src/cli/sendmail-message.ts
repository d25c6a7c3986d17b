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
  // Each end of a line may take one octet more than it did, and the last line may have had none.
  const message = Buffer.allocUnsafe(octets.length + endsIn(octets) + 2);
  let size = 0;
  /** CRs in front of this one stand alone: a run of them is looked at once. */
  let alone = 0;
  // The line by which mailbox files tell messages apart (mbox, RFC 4155).
  let dropped = /^>?From /.test(octets.toString('latin1', 0, 6));
  for (let at = 0; at < octets.length; ) {
    let stop = at;
    while (stop < octets.length && !isEnd(octets[stop])) stop++;
    if (dotEnds && !dropped && stop === at + 1 && octets[at] === DOT) break;
    if (!dropped) {
      size += octets.copy(message, size, at, stop);
      message[size++] = CR;
      message[size++] = LF;
    }
    dropped = false;
    at = stop + 1;
    if (octets[stop] !== CR || stop < alone) continue;
    // CRLF, and the CR CR LF of a file that was converted twice, are one end.
    let next = stop;
    while (octets[next] === CR) next++;
    if (octets[next] === LF) at = next + 1;
    else alone = next;
  }
  return message.subarray(0, size);
}

function endsIn(octets: Buffer): number {
  let count = 0;
  for (let at = 0; at < octets.length; at++) if (isEnd(octets[at])) count++;
  return count;
}

function isEnd(octet: number | undefined): boolean {
  return octet === LF || octet === CR;
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
