// Reads one command's octets by the terminals of RFC 3501 §9: atoms, strings, numbers, lists. Pure. What it cannot read
// is an ImapRefusal (BAD); a literal whose octets are not there yet is a LiteralWanted, and the reader will come back.

import { isUtf8 } from 'node:buffer';
import { bad, type ImapRefusal } from '../completion.ts';
import { LIMIT } from '../limits.ts';

/** The text so far ends in `{octets}` or `{octets+}`: parse again when the literal and the line behind it are there. */
export class LiteralWanted extends Error {
  override readonly name = 'LiteralWanted';
  readonly announced: LiteralHead;
  constructor(announced: LiteralHead) {
    super('literal wanted');
    this.announced = announced;
  }
}

/** `synchronising`: the client waits for `+` before it sends the octets (RFC 7888 §4 has the other kind). `literal8`: they
 * may be any, also NUL (RFC 3516 §7). */
export interface LiteralHead {
  readonly octets: number;
  readonly synchronising: boolean;
  readonly literal8: boolean;
}

const MAX_63_BITS = 2n ** 63n - 1n;

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const OPEN = 0x28;
const ZERO = 0x30;
const BACKSLASH = 0x5c;
const BRACE = 0x7b;

function charClass(accepts: (char: string) => boolean): Uint8Array {
  const table = new Uint8Array(256);
  for (let octet = 0x21; octet < 0x7f; octet++) table[octet] = accepts(String.fromCharCode(octet)) ? 1 : 0;
  return table;
}

/** RFC 3501 §9:
 * ATOM-CHAR = <any CHAR except atom-specials>
 * atom-specials = "(" / ")" / "{" / SP / CTL / list-wildcards / quoted-specials / resp-specials */
const ATOM = charClass((char) => !'(){%*"\\]'.includes(char));
/** ASTRING-CHAR = ATOM-CHAR / resp-specials */
const ASTRING = charClass((char) => char === ']' || ATOM[char.charCodeAt(0)] === 1);
/** list-char = ATOM-CHAR / list-wildcards / resp-specials */
const LIST_MAILBOX = charClass((char) => '%*'.includes(char) || ASTRING[char.charCodeAt(0)] === 1);
/** tag = 1*<any ASTRING-CHAR except "+"> */
const TAG = charClass((char) => char !== '+' && ASTRING[char.charCodeAt(0)] === 1);
/** What a word of a command is made of: names of commands, keys and items, with their dots and hyphens. */
const WORD = charClass((char) => /[A-Za-z0-9.\-_=+/]/.test(char));

export class Scanner {
  /** The client speaks UTF-8 (RFC 9755 §3): strings in quotes are no other octets, names are not in modified UTF-7. */
  utf8 = false;
  /** The client speaks IMAP4rev2, in which some things cannot be said. */
  rev2 = false;
  readonly #octets: Buffer;
  #at = 0;
  #depth = 0;
  #streamed: LiteralHead | null = null;

  /** @param octets one command so far: lines with their line ends, and literals where they stand */
  constructor(octets: Buffer) {
    this.#octets = octets;
  }

  /** The literal at the end of the text that `streamedLiteral` found, whose octets do not pass through here. */
  get streamed(): LiteralHead | null {
    return this.#streamed;
  }

  /** The next octet, or -1 at the end of the command. */
  peek(): number {
    const octet = this.#octets[this.#at];
    return octet === undefined || octet === LF || (octet === CR && this.#octets[this.#at + 1] === LF) ? -1 : octet;
  }

  /** A BAD that says where; never what the octets were, since they may be a password. */
  problem(expected: string): ImapRefusal {
    return bad(`Expected ${expected} at octet ${this.#at + 1} of the command`);
  }

  end(): void {
    if (this.peek() !== -1) throw this.problem('the end of the command');
  }

  /** True, and past it, if the next octet is this ASCII character. */
  accept(char: string): boolean {
    if (this.#octets[this.#at] !== char.charCodeAt(0)) return false;
    this.#at++;
    return true;
  }

  /** True, and past it, if these ASCII characters come next, in any case. @param text in upper case */
  acceptText(text: string): boolean {
    if (this.#octets.toString('latin1', this.#at, this.#at + text.length).toUpperCase() !== text) return false;
    this.#at += text.length;
    return true;
  }

  expect(char: string): void {
    if (!this.accept(char)) throw this.problem(char === ' ' ? 'a space' : `"${char}"`);
  }

  space(): void {
    this.expect(' ');
  }

  /** tag = 1*<any ASTRING-CHAR except "+"> */
  tag(): string {
    const tag = this.#run(TAG, 'a tag');
    if (tag.length > LIMIT.tag) throw bad('The tag is too long');
    // Half a tag is none: nobody waits for what is answered to it.
    if (this.peek() !== SPACE && this.peek() !== -1) throw this.problem('a space behind the tag');
    return tag;
  }

  /** A word of the grammar itself, in upper case: `FETCH`, `BODY.PEEK`. */
  word(expected: string): string {
    return this.#run(WORD, expected).toUpperCase();
  }

  /** The word at hand, without taking it; empty if there is none. */
  peekWord(): string {
    return this.#octets.toString('latin1', this.#at, this.#endOf(WORD)).toUpperCase();
  }

  /** atom = 1*ATOM-CHAR */
  atom(expected = 'an atom'): string {
    return this.#run(ATOM, expected);
  }

  /** number = 1*DIGIT, unsigned 32 bits */
  number(): number {
    const start = this.#at;
    let value = 0;
    for (;;) {
      const digit = (this.#octets[this.#at] ?? 0) - 0x30;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
      if (value > 0xffff_ffff) throw bad('A number is larger than 32 bits');
      this.#at++;
    }
    if (this.#at === start) throw this.problem('a number');
    return value;
  }

  /** number64 = 1*DIGIT, unsigned 63 bits (RFC 9051 §9), as is mod-sequence-valzer (RFC 7162 §7). What is beyond the
   * integers that a number holds is larger than any message, and higher than any MODSEQ that the store gives out. */
  number64(expected = 'a number'): number {
    const digits = /^\d{1,19}(?!\d)/.exec(this.#octets.toString('latin1', this.#at, this.#at + 20))?.[0];
    if (digits === undefined) throw this.problem(expected);
    if (BigInt(digits) > MAX_63_BITS) throw bad('A number is larger than 63 bits');
    this.#at += digits.length;
    return Math.min(Number(digits), Number.MAX_SAFE_INTEGER);
  }

  /** nz-number = digit-nz *DIGIT */
  nzNumber(): number {
    this.#nonZero();
    return this.number();
  }

  /** nz-number64 = digit-nz *DIGIT */
  nzNumber64(): number {
    this.#nonZero();
    return this.number64();
  }

  /** digit-nz = %x31-39 */
  #nonZero(): void {
    if (this.#octets[this.#at] === ZERO) throw this.problem('a number that does not begin with zero');
  }

  /** astring = 1*ASTRING-CHAR / string */
  astring(): Buffer {
    return this.#octets[this.#at] === QUOTE || this.#octets[this.#at] === BRACE
      ? this.string()
      : this.#take(ASTRING, 'a string');
  }

  /** list-mailbox = 1*list-char / string */
  listMailbox(): Buffer {
    return this.#octets[this.#at] === QUOTE || this.#octets[this.#at] === BRACE
      ? this.string()
      : this.#take(LIST_MAILBOX, 'a mailbox pattern');
  }

  /** string = quoted / literal */
  string(): Buffer {
    if (this.#octets[this.#at] === QUOTE) return this.#quoted();
    if (this.#octets[this.#at] === BRACE) return this.#literal();
    throw this.problem('a string');
  }

  /** nstring = string / nil */
  nstring(): Buffer | null {
    if (this.#octets[this.#at] === QUOTE || this.#octets[this.#at] === BRACE) return this.string();
    if (this.word('a string or NIL') !== 'NIL') throw this.problem('a string or NIL');
    return null;
  }

  /** nstring / literal8; literal8 = "~{" number64 ["+"] "}" CRLF *OCTET (RFC 4466 §3): any octet, also NUL. */
  nstring8(): Buffer | null {
    return this.accept('~') ? this.#literal(true) : this.nstring();
  }

  /** "(" [item *(SP item)] ")", bounded in depth and length. */
  list<T>(item: () => T): T[] {
    this.expect('(');
    if (++this.#depth > LIMIT.listDepth) throw bad('Lists are nested too deeply');
    const items: T[] = [];
    if (!this.accept(')')) {
      do {
        if (items.length >= LIMIT.listLength) throw bad('A list is too long');
        items.push(item());
      } while (this.accept(' '));
      this.expect(')');
    }
    this.#depth--;
    return items;
  }

  /** literal / literal8 that ends the text so far and that the command takes from the connection itself. */
  streamedLiteral(): LiteralHead {
    const literal8 = this.accept('~');
    const head = { ...this.#literalHead(), literal8 };
    if (this.#at < this.#octets.length) throw this.problem('nothing behind the literal');
    this.#streamed = head;
    return head;
  }

  /** quoted = DQUOTE *QUOTED-CHAR DQUOTE
   * QUOTED-CHAR = <any TEXT-CHAR except quoted-specials> / "\" quoted-specials
   * More lenient than RFC 3501 §9: octets above 127 are taken, as RFC 9051 §9 has them. */
  #quoted(): Buffer {
    const octets = this.#octets;
    const start = ++this.#at;
    let escaped = false;
    for (; ; this.#at++) {
      const octet = octets[this.#at];
      if (octet === QUOTE) break;
      if (octet === BACKSLASH) {
        escaped = true;
        const next = octets[++this.#at];
        if (next !== QUOTE && next !== BACKSLASH) throw this.problem('a quote or a backslash behind the backslash');
      } else if (octet === undefined || octet === LF || octet === CR || octet === 0) {
        throw this.problem('the end of a quoted string');
      }
    }
    const inner = octets.subarray(start, this.#at++);
    if (this.utf8 && !isUtf8(inner)) throw bad('A quoted string is not in UTF-8');
    return escaped ? Buffer.from(inner.toString('latin1').replace(/\\(["\\])/g, '$1'), 'latin1') : inner;
  }

  /** literal = "{" number64 ["+"] "}" CRLF *CHAR8; CHAR8 is any octet but NUL. */
  #literal(nul = false): Buffer {
    const head = this.#literalHead();
    if (this.#at === this.#octets.length) throw new LiteralWanted(head);
    const literal = this.#octets.subarray(this.#at, this.#at + head.octets);
    this.#at += head.octets;
    if (!nul && literal.includes(0)) throw bad('A literal holds a NUL octet');
    return literal;
  }

  #literalHead(): LiteralHead {
    this.expect('{');
    const octets = this.number64();
    const synchronising = !this.accept('+');
    this.expect('}');
    this.accept('\r');
    if (!this.accept('\n')) throw this.problem('a line end behind the literal announcement');
    return { octets, synchronising, literal8: false };
  }

  #endOf(table: Uint8Array): number {
    let end = this.#at;
    while (table[this.#octets[end] ?? 0] === 1) end++;
    return end;
  }

  #take(table: Uint8Array, expected: string): Buffer {
    const start = this.#at;
    const end = this.#endOf(table);
    if (end === start) throw this.problem(expected);
    this.#at = end;
    return this.#octets.subarray(start, end);
  }

  #run(table: Uint8Array, expected: string): string {
    return this.#take(table, expected).toString('latin1');
  }

  /** True at "(": the next thing is a list. */
  get atList(): boolean {
    return this.#octets[this.#at] === OPEN;
  }

  /** True at a quoted string. */
  get atQuote(): boolean {
    return this.#octets[this.#at] === QUOTE;
  }
}
