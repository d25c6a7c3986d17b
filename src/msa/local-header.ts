// The header of a message that a local program wrote, made whole: as completion.ts does for users, and with the addresses
// that were written without a domain, and the name of who sends.

import { type Address, formatAddress } from '../formats/address.ts';
import { parseHeader } from '../formats/header.ts';
import { asBuffer } from '../formats/octets.ts';
import type { ArrivedHeader } from '../mta/content.ts';
import { completeHeader, headerFields } from './completion.ts';
import { asciiSubject, displayName, qualifiedField } from './qualification.ts';

export interface LocalFacts {
  /** The domain of addresses that have none. */
  readonly origin: string;
  /** The field, with its CRLF. */
  readonly received: string;
  /** Date and Message-ID, without their names. */
  readonly date: string;
  readonly messageId: string;
  readonly from: Address;
  readonly fullName: string | null;
}

export function completeLocalHeader(arrived: ArrivedHeader, facts: LocalFacts): Uint8Array {
  const { received, date, messageId, from, fullName } = facts;
  const mailbox = `<${formatAddress(from)}>`;
  return completeHeader(written(arrived, facts.origin), {
    received,
    date: `Date: ${date}\r\n`,
    messageId: `Message-ID: ${messageId}\r\n`,
    from: `From: ${fullName === null ? mailbox : `${displayName(fullName)} ${mailbox}`}\r\n`,
  });
}

/** With what local programs leave out, and in ASCII where there is a way to say it so. */
function written(arrived: ArrivedHeader, origin: string): ArrivedHeader {
  const octets = asBuffer(arrived.octets);
  const parts: Buffer[] = [];
  let end = 0;
  for (const field of headerFields(arrived)) {
    const better = qualifiedField(field, origin) ?? asciiSubject(field);
    if (better === null) continue;
    parts.push(octets.subarray(end, field.offset), Buffer.from(better));
    end = field.offset + field.length;
  }
  if (parts.length === 0) return arrived;
  const whole = Buffer.concat([...parts, octets.subarray(end)]);
  return { octets: whole, fields: parseHeader(whole) };
}
