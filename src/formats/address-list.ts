// Address lists of a header (RFC 5322 §3.4, with the obsolete forms of §4.4): mailboxes, groups, comments, quoted
// strings, in one pass. Reads anything, in time linear in its length; what it finds is not validated.

import { trimSpace } from './octets.ts';

/** One thing in an address list. A group is a `group` entry, its mailboxes, and an `end`. */
export type AddressEntry =
  | {
      readonly kind: 'mailbox';
      /** Display name, or the comment that old mail has in its place; '' for none. */
      readonly name: string;
      /** Source route `@a,@b` (RFC 5322 §4.4); '' for none. */
      readonly route: string;
      /** Unquoted; '' where there is only a name. */
      readonly localPart: string;
      /** As written; '' where there is none. */
      readonly domain: string;
      readonly raw: string;
    }
  | { readonly kind: 'group'; readonly name: string }
  | { readonly kind: 'end' };

/** Entries read from one field, and tokens, of which a list of that many with long names has half; what follows is one
 * mailbox without an address. */
const MOST = 2000;
const TOKENS = 40_000;
/** A comment may hold comments; deeper ones end the outermost. */
const DEPTH = 50;

/** A token of RFC 5322 §3.2: `text` is unquoted, `raw` as written. */
interface Token {
  readonly kind: 'word' | 'quoted' | 'literal' | 'comment' | 'special';
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** White space is not `\s`: where each character is an octet, A0 is half a letter. */
const SPACE = ' \t\r\n';
/** What ends a word. Square brackets inside a word belong to it. */
const BREAK = `${SPACE}"(),:;<>@`;
/** By code, since a list may be nothing but breaks. */
const isSpace = ofCodes(SPACE);
const isBreak = ofCodes(BREAK);

function ofCodes(characters: string): readonly boolean[] {
  return Array.from({ length: 128 }, (_, code) => characters.includes(String.fromCharCode(code)));
}

export function parseAddressList(value: string): AddressEntry[] {
  const reader = new ListReader(value);
  return reader.read();
}

class ListReader {
  readonly #value: string;
  readonly #entries: AddressEntry[] = [];
  #at = 0;
  #tokens = 0;
  /** There is more than is read. */
  #cut = false;
  #inGroup = false;
  // The mailbox being read.
  #start = 0;
  #phrase: Token[] = [];
  /** There is an `@` in the phrase. */
  #isAddress = false;
  #comment = '';
  #angle: { route: string; localPart: string; domain: string } | null = null;

  constructor(value: string) {
    this.#value = value;
  }

  read(): AddressEntry[] {
    for (;;) {
      const token = this.#next();
      if (token === null) break;
      if (this.#entries.length >= MOST && !(token.kind === 'special' && ',;'.includes(token.text))) {
        this.#cut = true;
        break;
      }
      if (token.kind === 'comment') this.#comment ||= trimSpace(token.text);
      else if (token.kind !== 'special') this.#word(token);
      else this.#special(token);
    }
    if (this.#cut) this.#entries.push(mailbox('', '', '', '', trimSpace(this.#value.slice(this.#start))));
    else this.#finish(this.#value.length);
    if (this.#inGroup) this.#entries.push({ kind: 'end' });
    return this.#entries;
  }

  #word(token: Token): void {
    // Something after `<…>` without a comma: the next mailbox, so that a check of all sees it.
    if (this.#angle !== null) this.#finish(token.start);
    this.#phrase.push(token);
  }

  #special(token: Token): void {
    switch (token.text) {
      case ',':
        this.#finish(token.start);
        break;
      case ';':
        this.#finish(token.start);
        if (this.#inGroup) this.#entries.push({ kind: 'end' });
        this.#inGroup = false;
        break;
      case ':':
        this.#colon(token);
        break;
      case '<':
        if (this.#angle !== null) this.#finish(token.start);
        this.#angle = this.#angleAddress();
        break;
      case '@':
        this.#word(token);
        this.#isAddress = true;
        break;
      default:
        // A stray `>` or `)`.
        break;
    }
    if (token.text === ',' || token.text === ';' || token.text === ':') this.#start = this.#at;
  }

  /** group = display-name ":" [group-list] ";" */
  #colon(token: Token): void {
    if (this.#inGroup || this.#angle !== null || this.#isAddress) {
      this.#word(token);
      return;
    }
    this.#entries.push({ kind: 'group', name: this.#displayName() });
    this.#inGroup = true;
    this.#reset(this.#at);
  }

  /** angle-addr = [CFWS] "<" [obs-route] addr-spec ">" [CFWS]; reads up to the `>`, or to the end of the list. */
  #angleAddress(): { route: string; localPart: string; domain: string } {
    let tokens: Token[] = [];
    let route = '';
    for (;;) {
      const token = this.#next();
      if (token === null || (token.kind === 'special' && token.text === '>')) break;
      if (token.kind === 'comment') continue;
      if (token.kind === 'special' && token.text === ':' && route === '' && tokens[0]?.text === '@') {
        // obs-route = obs-domain-list ":"
        route = tokens.map((part) => part.text).join('');
        tokens = [];
      } else tokens.push(token);
    }
    return { route, ...addrSpec(tokens) };
  }

  #finish(end: number): void {
    const raw = trimSpace(this.#value.slice(this.#start, end));
    const angle = this.#angle;
    if (angle !== null) {
      const name = this.#displayName() || this.#comment;
      this.#entries.push(mailbox(name, angle.route, angle.localPart, angle.domain, raw));
    } else if (this.#phrase.length > 0) {
      const spec = addrSpec(this.#phrase);
      // Several words and no `@`: a name without an address.
      const nameOnly = spec.domain === '' && this.#phrase.length > 1;
      this.#entries.push(
        nameOnly
          ? mailbox(this.#displayName(), '', '', '', raw)
          : mailbox(this.#comment, '', spec.localPart, spec.domain, raw),
      );
    }
    this.#reset(end);
  }

  /** The next mailbox begins. */
  #reset(start: number): void {
    this.#start = start;
    this.#phrase = [];
    this.#isAddress = false;
    this.#comment = '';
    this.#angle = null;
  }

  /** The words with one space where there was white space or a comment between them. */
  #displayName(): string {
    let name = '';
    let end = -1;
    for (const token of this.#phrase) {
      name += end >= 0 && token.start > end ? ` ${token.text}` : token.text;
      end = token.end;
    }
    return name;
  }

  #next(): Token | null {
    const value = this.#value;
    let start = this.#at;
    while (isSpace[value.charCodeAt(start)]) start += 1;
    this.#at = start;
    if (start >= value.length) return null;
    this.#tokens += 1;
    if (this.#tokens > TOKENS) {
      this.#cut = true;
      return null;
    }
    const first = value[start];
    if (first === '"') return this.#enclosed('quoted', '"', '"');
    if (first === '(') return this.#enclosed('comment', '(', ')');
    if (first === '[') return this.#enclosed('literal', '[', ']');
    let end = start;
    while (end < value.length && !isBreak[value.charCodeAt(end)]) end += 1;
    const kind = end === start ? 'special' : 'word';
    this.#at = Math.max(end, start + 1);
    return { kind, text: value.slice(start, this.#at), start, end: this.#at };
  }

  /** A quoted string, a comment, or a domain literal with its brackets; quoted pairs resolved. One that is never closed
   * ends with the list. */
  #enclosed(kind: 'quoted' | 'comment' | 'literal', open: string, close: string): Token {
    const value = this.#value;
    const start = this.#at;
    let at = start + 1;
    let depth = 1;
    let text = '';
    let run = at;
    for (; at < value.length; at += 1) {
      const character = value[at];
      if (character === '\\' && at + 1 < value.length) {
        text += value.slice(run, at);
        at += 1;
        run = at;
      } else if (character === close) {
        depth -= 1;
        if (depth === 0) break;
      } else if (character === open && kind === 'comment' && depth < DEPTH) depth += 1;
    }
    text += value.slice(run, at);
    this.#at = Math.min(at + 1, value.length);
    return { kind, text: kind === 'literal' ? `[${text}]` : text, start, end: this.#at };
  }
}

function mailbox(name: string, route: string, localPart: string, domain: string, raw: string): AddressEntry {
  return { kind: 'mailbox', name, route, localPart, domain, raw };
}

/** addr-spec = local-part "@" domain. White space around dots is obsolete and dropped (RFC 5322 §4.4). */
function addrSpec(tokens: readonly Token[]): { localPart: string; domain: string } {
  // The last `@`: what stands before it can only be a local part that should have been quoted.
  const at = tokens.findLastIndex((token) => token.kind === 'special' && token.text === '@');
  const join = (parts: readonly Token[]): string => parts.map((part) => part.text).join('');
  if (at < 0) return { localPart: join(tokens), domain: '' };
  return { localPart: join(tokens.slice(0, at)), domain: join(tokens.slice(at + 1)) };
}
