// Why a content is refused by the listener itself, whatever its Receiver thinks of it: the replies of DATA and BDAT.

import { Refusal } from '../../formats/refusal.ts';

/** Why a content cannot be accepted. Each of the first three is how one server's end of data is smuggled past another
 * that reads line ends differently. */
export type Fault = 'bare CR' | 'bare LF' | 'NUL' | 'line too long';

export function unfit(fault: Fault): Refusal {
  // RFC 5321 §2.3.8, §4.1.1.4, RFC 5322 §2.3: what differs between receivers is how mail is smuggled. RFC 5321
  // §4.5.3.1.6: lines.
  if (fault === 'line too long') return new Refusal(550, '5.6.0', 'A line of the message is too long', fault);
  return new Refusal(550, '5.6.11', `The message has a ${fault}: lines end with CR LF, and NUL is not allowed`, fault);
}

/** @param max octets */
export function tooLarge(max: number): Refusal {
  return new Refusal(552, '5.3.4', `Message exceeds the maximum size of ${max} octets`);
}
