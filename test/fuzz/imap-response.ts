// A reader of ENVELOPE, BODY and BODYSTRUCTURE by the grammar of RFC 3501 §9, written from that grammar alone: it shares
// nothing with what it checks. Stricter than clients are, and without a word for what a value means.

/** A part as a client would see it. */
export interface SeenPart {
  /** In lower case; a multipart's is `multipart`. */
  readonly type: string;
  readonly subtype: string;
  /** Null for a multipart. */
  readonly octets: number | null;
  /** Of text and of messages. */
  readonly lines: number | null;
  readonly parts: readonly SeenPart[];
  readonly message: SeenPart | null;
}

/** @throws SyntaxError where this is no envelope, or more than one */
export function readEnvelope(octets: string): void {
  const reader = new Reader(octets);
  reader.envelope();
  reader.end();
}

/** @param extended BODYSTRUCTURE, with the extension data, of which BODY has none
 * @param rev2 message/global is a message (RFC 9051 §7.5.2) @throws SyntaxError */
export function readBody(octets: string, extended: boolean, rev2 = false): SeenPart {
  const reader = new Reader(octets, rev2);
  const part = reader.body(extended);
  reader.end();
  return part;
}

class Reader {
  readonly #octets: string;
  readonly #rev2: boolean;
  #at = 0;

  constructor(octets: string, rev2 = false) {
    this.#octets = octets;
    this.#rev2 = rev2;
  }

  end(): void {
    if (this.#at < this.#octets.length) this.#fail('the end');
  }

  /** envelope = "(" env-date SP env-subject SP env-from SP env-sender SP env-reply-to SP env-to SP env-cc SP env-bcc SP
   *   env-in-reply-to SP env-message-id ")" */
  envelope(): void {
    this.#expect('(');
    for (const item of ['n', 'n', 'a', 'a', 'a', 'a', 'a', 'a', 'n', 'n']) {
      if (item === 'a') this.#addresses();
      else this.#nstring();
      if (this.#next() !== ')') this.#expect(' ');
    }
    this.#expect(')');
  }

  /** "(" 1*address ")" / nil */
  #addresses(): void {
    if (this.#nil()) return;
    this.#expect('(');
    let inGroup = false;
    do {
      this.#expect('(');
      const [name, , mailbox, host] = this.#spaced(4, () => this.#nstring());
      this.#expect(')');
      // RFC 3501 §7.4.2: without a host a group begins, or, where there is no mailbox either, ends.
      if (host !== null) continue;
      if (name !== null || inGroup === (mailbox !== null)) this.#fail('a group in order');
      inGroup = mailbox !== null;
    } while (this.#next() === '(');
    if (inGroup) this.#fail('the end of the group');
    this.#expect(')');
  }

  /** body = "(" (body-type-1part / body-type-mpart) ")" */
  body(extended: boolean): SeenPart {
    this.#expect('(');
    const part = this.#next() === '(' ? this.#multipart(extended) : this.#single(extended);
    this.#expect(')');
    return part;
  }

  /** body-type-mpart = 1*body SP media-subtype [SP body-ext-mpart] */
  #multipart(extended: boolean): SeenPart {
    const parts: SeenPart[] = [];
    while (this.#next() === '(') parts.push(this.body(extended));
    this.#expect(' ');
    const subtype = this.#string();
    if (extended) {
      this.#expect(' ');
      this.#parameters();
      this.#extension();
    }
    return { type: 'multipart', subtype, octets: null, lines: null, parts, message: null };
  }

  /** body-type-1part = (body-type-basic / body-type-msg / body-type-text) [SP body-ext-1part] */
  #single(extended: boolean): SeenPart {
    const [type = '', subtype = ''] = this.#spaced(2, () => this.#string().toLowerCase());
    this.#expect(' ');
    this.#parameters();
    this.#expect(' ');
    this.#spaced(2, () => this.#nstring());
    this.#expect(' ');
    this.#string();
    this.#expect(' ');
    const octets = this.#number();
    let message: SeenPart | null = null;
    let lines: number | null = null;
    if (type === 'message' && (subtype === 'rfc822' || (subtype === 'global' && this.#rev2))) {
      this.#expect(' ');
      this.envelope();
      this.#expect(' ');
      message = this.body(extended);
    }
    if (message !== null || type === 'text') {
      this.#expect(' ');
      lines = this.#number();
    }
    if (extended) {
      this.#expect(' ');
      this.#nstring();
      this.#extension();
    }
    return { type, subtype, octets, lines, parts: [], message };
  }

  /** SP body-fld-dsp SP body-fld-lang SP body-fld-loc */
  #extension(): void {
    this.#expect(' ');
    if (!this.#nil()) {
      this.#expect('(');
      this.#string();
      this.#expect(' ');
      this.#parameters();
      this.#expect(')');
    }
    this.#expect(' ');
    if (this.#next() === '(') this.#strings(1);
    else this.#nstring();
    this.#expect(' ');
    this.#nstring();
  }

  /** body-fld-param = "(" string SP string *(SP string SP string) ")" / nil */
  #parameters(): void {
    if (!this.#nil()) this.#strings(2);
  }

  /** "(" string *(SP string) ")", their number a multiple of `unit`. */
  #strings(unit: number): void {
    this.#expect('(');
    let count = 0;
    do {
      if (count > 0) this.#expect(' ');
      this.#string();
      count += 1;
    } while (this.#next() === ' ');
    if (count % unit !== 0) this.#fail('pairs');
    this.#expect(')');
  }

  #spaced<T>(count: number, read: () => T): T[] {
    return Array.from({ length: count }, (_, at) => {
      if (at > 0) this.#expect(' ');
      return read();
    });
  }

  #nil(): boolean {
    const found = this.#octets.startsWith('NIL', this.#at);
    if (found) this.#at += 3;
    return found;
  }

  #nstring(): string | null {
    return this.#nil() ? null : this.#string();
  }

  /** string = quoted / literal; CHAR8 = %x01-ff */
  #string(): string {
    // quoted = DQUOTE *QUOTED-CHAR DQUOTE
    const quoted = this.#match(/"((?:[\x01-\x09\x0b\x0c\x0e-\x21\x23-\x5b\x5d-\x7f]|\\["\\])*)"/y);
    if (quoted !== null) return (quoted[1] ?? '').replace(/\\(.)/gs, '$1');
    const length = Number(this.#match(/\{(0|[1-9]\d*)\}\r\n/y)?.[1] ?? this.#fail('a string'));
    const text = this.#octets.slice(this.#at, this.#at + length);
    if (text.length < length || text.includes('\0')) this.#fail('the octets of a literal');
    this.#at += length;
    return text;
  }

  #number(): number {
    const number = Number(this.#match(/\d+/y)?.[0] ?? this.#fail('a number'));
    return number < 2 ** 32 ? number : this.#fail('32 bits');
  }

  #next(): string | undefined {
    return this.#octets[this.#at];
  }

  #expect(character: string): void {
    if (this.#next() !== character) this.#fail(character);
    this.#at += 1;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#octets);
    if (found !== null) this.#at = pattern.lastIndex;
    return found;
  }

  #fail(wanted: string): never {
    const found = JSON.stringify(this.#octets.slice(this.#at, this.#at + 30));
    throw new SyntaxError(`wanted ${wanted} at octet ${this.#at}, found ${found}`);
  }
}
