// Mailbox names: on the wire modified UTF-7 (RFC 3501 §5.1.3), or UTF-8 (RFC 9755 §3), which they are in the store;
// INBOX in any case, `/` between levels, and the patterns of LIST. Pure.

import { isUtf8 } from 'node:buffer';
import { bad, no } from '../completion.ts';
import type { Enabled } from '../enabled.ts';
import { LIMIT } from '../limits.ts';
import type { Scanner } from './scanner.ts';

export const DELIMITER = '/';

/** RFC 3501 §5.1.3: "&" begins modified BASE64 of UTF-16BE, "-" ends it, "&-" is "&" itself. Null: not in that form, as
 * is what could have been written plainly (one name must not have two spellings). */
export function decodeName(text: string): string | null {
  const decoded = text.replace(/&([^-]*)-/g, (_, base64: string) => {
    if (base64 === '') return '\u0000';
    const octets = Buffer.from(base64.replaceAll(',', '/'), 'base64');
    return octets.length % 2 === 0 && octets.length > 0 ? octets.swap16().toString('utf16le') : '';
  });
  const name = decoded.replaceAll('\u0000', '&');
  return encodeName(name) === text && name.isWellFormed() ? name : null;
}

/** The name in modified UTF-7: printable ASCII as it is, all else in runs of modified BASE64. */
export function encodeName(name: string): string {
  return name.replace(/&|[^\x20-\x7e]+/g, (run) => {
    if (run === '&') return '&-';
    const base64 = Buffer.from(run, 'utf16le').swap16().toString('base64');
    return `&${base64.replace(/=+$/, '').replaceAll('/', ',')}-`;
  });
}

/** "INBOX" in any case is INBOX (RFC 3501 §5.1), also as the first level of a longer name. */
export function storedName(name: string): string {
  return /^inbox(?=$|\/)/i.test(name) ? `INBOX${name.slice(5)}` : name;
}

/** The names above a name, the nearest first. */
export function* namesAbove(name: string): Generator<string> {
  for (let at = name.lastIndexOf(DELIMITER); at > 0; at = name.lastIndexOf(DELIMITER, at - 1)) yield name.slice(0, at);
}

/** A name as Net-Unicode has it: composed (RFC 5198 §2, RFC 9755 §3). What is not ASCII is UTF-8, also before it was
 * enabled. @returns null for what is not in modified UTF-7, which no mailbox is named */
function decode(octets: Buffer, utf8: boolean): string | null {
  const plain = utf8 || octets.some((octet) => octet > 127);
  if (plain && !isUtf8(octets)) throw bad('A mailbox name is not in UTF-8');
  const name = plain ? octets.toString() : decodeName(octets.toString('latin1'));
  return name?.normalize('NFC') ?? null;
}

/** mailbox = "INBOX" / astring; the name as the store has it. It need not exist, nor be one that could. */
export function mailbox(scanner: Scanner): string {
  return mailboxName(scanner.astring(), scanner.utf8);
}

/** The name that these octets write. @throws ImapRefusal BAD, and NO [CANNOT] for an astring that is no name */
export function mailboxName(octets: Buffer, utf8: boolean): string {
  return requiredName(writtenName(octets, utf8));
}

/** The same; null for an astring that is no name. @throws ImapRefusal BAD */
export function writtenName(octets: Buffer, utf8: boolean): string | null {
  const name = decode(octets, utf8);
  return name === null ? null : storedName(name);
}

/** @throws ImapRefusal NO [CANNOT] */
export function requiredName(name: string | null): string {
  if (name === null) throw no('No mailbox has that name: it is not in modified UTF-7', 'CANNOT');
  return name;
}

/** A pattern that no name matches: none has a control character. */
const NO_NAME = '\0';

/** The pattern that a reference name and a mailbox pattern of LIST make together (RFC 3501 §6.3.8), in the store's
 * spelling. The reference is put in front as it is. RFC 9051 §6.3.9: what is not accepted, as a pattern that is too long or
 * not in modified UTF-7, matches nothing. */
export function listPattern(reference: Buffer, pattern: Buffer, utf8: boolean): string {
  const [above, below] = [decode(reference, utf8), decode(pattern, utf8)];
  if (above === null || below === null || above.length + below.length > 2 * LIMIT.mailboxName) return NO_NAME;
  return storedName(above + below);
}

/** Refuses names that no mailbox can have. @throws ImapRefusal NO [CANNOT] (RFC 5530 §3) */
export function checkNewName(name: string): void {
  const levels = name.split(DELIMITER);
  const wrong = levels.some((level) => level === '')
    ? 'A level of the name is empty'
    : /[\p{Cc}\u2028\u2029]/u.test(name)
      ? 'The name has a control character'
      : /[%*]/.test(name)
        ? 'The name has a wildcard of LIST'
        : levels.length > LIMIT.mailboxDepth || Buffer.byteLength(name) > LIMIT.mailboxName
          ? 'The name is too long or too deep'
          : null;
  if (wrong) throw no(wrong, 'CANNOT');
}

/** A name as an astring that every client reads, as binary text: always quoted. The name is printable ASCII once encoded, or
 * UTF-8 for those who have enabled it. */
export function nameText(name: string, { utf8 }: Pick<Enabled, 'utf8'>): string {
  const written = utf8 ? Buffer.from(name).toString('latin1') : encodeName(name);
  return `"${written.replace(/["\\]/g, '\\$&')}"`;
}

/** RFC 3501 §6.3.8: "*" matches zero or more characters, "%" the same but for the delimiter. INBOX matches in any case,
 * also as the first level of a longer name.
 * @param pattern in the store's spelling, as `listPattern` makes it */
export function matchesPattern(name: string, pattern: string): boolean {
  // Only the last wildcard of each kind is ever tried again, so that no pattern is expensive: what stands before it has
  // matched as early as it could.
  const anyCase = name === 'INBOX' || name.startsWith(`INBOX${DELIMITER}`) ? 5 : 0;
  let n = 0;
  let p = 0;
  let star = { p: -1, n: 0 };
  let percent = { p: -1, n: 0 };
  while (n < name.length) {
    const char = pattern[p];
    if (char === '*') {
      star = { p: ++p, n };
      percent = { p: -1, n };
    } else if (char === '%') {
      percent = { p: ++p, n };
    } else if (char === name[n] || (n < anyCase && char === name[n]?.toLowerCase())) {
      n++;
      p++;
    } else if (percent.p !== -1 && name[percent.n] !== DELIMITER) {
      n = ++percent.n;
      p = percent.p;
    } else if (star.p !== -1) {
      percent.p = -1;
      n = ++star.n;
      p = star.p;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*' || pattern[p] === '%') p++;
  return p === pattern.length;
}
