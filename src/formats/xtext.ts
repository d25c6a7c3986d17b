// xtext (RFC 3461 §4) and the address forms of RFC 6533 §3: how ENVID and ORCPT carry any character in an SMTP argument.

// xchar = any ASCII CHAR between "!" (33) and "~" (126) inclusive, except for "+" and "=".
const XTEXT = /^(?:[!-*,-<>-~]|\+[0-9A-Fa-f]{2})*$/;

/** Any text as xtext; characters beyond ASCII as the octets of their UTF-8. */
export function encodeXtext(text: string): string {
  return text.replace(/[^!-*,-<>-~]+/g, (run) => {
    let out = '';
    for (const octet of Buffer.from(run, 'utf8')) out += `+${hex(octet)}`;
    return out;
  });
}

/** Is this an xtext of a text, to the letter of RFC 3461 §4, and another than we would write? */
export function isForeignXtext(said: string | undefined, text: string): said is string {
  return said !== undefined && said !== encodeXtext(text) && !/\+.?[a-f]/.test(said);
}

/**
 * The text that an xtext stands for. Wider than RFC 3461 §4: lower case hexadecimal digits are read.
 * @returns null where it is no xtext, or stands for a control character or for octets that are no UTF-8
 */
export function decodeXtext(xtext: string): string | null {
  if (!XTEXT.test(xtext)) return null;
  if (!xtext.includes('+')) return xtext;
  const octets = xtext.replace(/\+(..)/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
  // A field of a report is made of this: no line may be broken by it (RFC 3461 §4.4 asks for printable characters).
  if (/[\0-\x1f\x7f]/.test(octets)) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(octets, 'latin1'));
  } catch {
    return null;
  }
}

/** The address that any of the three forms of RFC 6533 §3 stands for. */
export function decodeUtf8Address(written: string): string {
  return written.replace(/\\x\{([0-9A-Fa-f]{1,6})\}/g, (embedded, digits: string) => {
    const code = Number.parseInt(digits, 16);
    // EmbeddedUnicodeChar has no surrogates and nothing beyond 10FFFF.
    return code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? embedded : String.fromCodePoint(code);
  });
}

/** An address in the utf-8-addr-xtext form of RFC 6533 §3: ASCII only. */
export function utf8AddressXtext(address: string): string {
  return address.replace(/[^!-*,-<>-[\]-~]/gu, (character) => `\\x{${hex(character.codePointAt(0) ?? 0)}}`);
}

function hex(value: number): string {
  return value.toString(16).toUpperCase().padStart(2, '0');
}
