// Reverse-path and forward-path as MAIL and RCPT carry them (RFC 5321 §4.1.2): brackets, source route, mailbox. What a
// mailbox is stands in formats/address.ts.

import { type Address, parseMailbox } from '../../formats/address.ts';
import { LIMITS } from './limits.ts';

/** A path and what follows it. `address` is null for `<>`, and `postmaster` for the one name that may stand without a
 * domain (RFC 5321 §4.1.1.3). `ascii`: no octet of it was beyond ASCII. */
export interface Path {
  readonly address: Address | null | 'postmaster';
  readonly ascii: boolean;
  /** The parameters, with the space before them; '' where there are none. */
  readonly rest: string;
}

// A-d-l = At-domain *( "," At-domain ), with its ":" (RFC 5321 §4.1.2). Appendix C: accepted and ignored.
const SOURCE_ROUTE = /^@[^\s,:@<>"]+(?:,@[^\s,:@<>"]+)*:/;

// Wider than RFC 5321 §4.1.2: a dot at an end, or next to another one, needs quotes. Large carriers have given out such
// addresses without them. From here on they are said with quotes, which those carriers take.
const DOTTED = /^([\w!#$%&'*+\-/=?^`{|}~.]+)@/;

/**
 * Path = "<" [ A-d-l ":" ] Mailbox ">"
 * @param text from the "<" on
 * @returns null for anything else
 */
export function parsePath(text: string): Path | null {
  const end = closingBracket(text);
  if (end < 0 || Buffer.byteLength(text.slice(0, end + 1)) > LIMITS.path) return null;
  const rest = text.slice(end + 1);
  if (rest !== '' && !rest.startsWith(' ')) return null;
  const inner = text.slice(1, end);
  const ascii = !/[^\0-\x7f]/.test(inner);
  if (inner === '') return { address: null, ascii, rest };
  if (inner.toLowerCase() === 'postmaster') return { address: 'postmaster', ascii, rest };
  const mailbox = inner.startsWith('@') ? inner.replace(SOURCE_ROUTE, '') : inner;
  const address = parseMailbox(mailbox) ?? parseMailbox(mailbox.replace(DOTTED, '"$1"@'));
  return address === null ? null : { address, ascii, rest };
}

/** The ">" that ends the path: not one inside a Quoted-string, where a quoted-pair hides a DQUOTE. */
function closingBracket(text: string): number {
  let quoted = false;
  for (let at = 1; at < text.length; at++) {
    const character = text[at];
    if (quoted && character === '\\') at++;
    else if (character === '"') quoted = !quoted;
    else if (character === '>' && !quoted) return at;
  }
  return -1;
}
