// Strings as IMAP sends them (RFC 3501 §4.3, §9). In and out is binary text, one character for each octet
// (formats/octets.ts), so octets beyond ASCII pass unharmed, in a literal.

// TEXT-CHAR: any CHAR (7 bits) but CR and LF; no NUL.
const QUOTABLE = /^[\x01-\x09\x0b\x0c\x0e-\x7f]*$/;
// ASTRING-CHAR = ATOM-CHAR / "]"; NIL as an atom would be misread by some clients.
const ATOM = /^[!#$&'+,\-./0-9:;<=>?@A-Z[\]^_`a-z|}~]+$/;

/** string = quoted / literal */
export function imapString(octets: string): string {
  if (!QUOTABLE.test(octets)) return literal(octets);
  return /["\\]/.test(octets) ? `"${octets.replace(/["\\]/g, '\\$&')}"` : `"${octets}"`;
}

/** The same of text, which may be beyond ASCII: a literal can hold it. */
export function textString(text: string): string {
  return imapString(Buffer.from(text).toString('latin1'));
}

/** nstring = string / nil */
export function nstring(octets: string | null | undefined): string {
  return octets === null || octets === undefined ? 'NIL' : imapString(octets);
}

/** astring = 1*ASTRING-CHAR / string */
export function astring(octets: string): string {
  return ATOM.test(octets) && octets.toUpperCase() !== 'NIL' ? octets : imapString(octets);
}

/** value = nstring / literal8 (RFC 5464 §5): NUL needs a literal8. */
export function valueText(value: Uint8Array | null): string {
  if (value === null) return 'NIL';
  const octets = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1');
  return octets.includes('\0') ? `~{${octets.length}}\r\n${octets}` : imapString(octets);
}

/** literal = "{" number "}" CRLF *CHAR8; CHAR8 is any octet but NUL, which is dropped. */
function literal(octets: string): string {
  const text = octets.includes('\0') ? octets.replaceAll('\0', '') : octets;
  return `{${text.length}}\r\n${text}`;
}
