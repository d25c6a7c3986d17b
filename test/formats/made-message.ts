// Messages made by a seeded generator, with what they are made of: the oracle for structure, sections and search. Text
// in several charsets and encodings, attachments, multiparts, messages inside messages.

import type { Random } from '../fuzz/random.ts';

/** An entity as it was made. `octets` are `header` and `body`. */
export interface Made {
  readonly octets: Buffer;
  /** With its empty line. */
  readonly header: Buffer;
  readonly body: Buffer;
  readonly type: string;
  readonly parts: readonly Made[] | null;
  readonly message: Made | null;
  /** Of a part with text: that text. Of another: null. */
  readonly text: string | null;
  /** Of an attachment: its octets and its name. */
  readonly file: { readonly name: string; readonly content: Buffer } | null;
}

export interface Making {
  /** Multiparts and messages inside each other. */
  readonly depth: number;
  /** Messages inside messages, and digests. */
  readonly messages: boolean;
}

/** Words of several scripts; each charset has what it can say. */
const WORDS: readonly (readonly [charset: string, words: readonly string[]])[] = [
  ['us-ascii', ['hello', 'world', '--', 'From', '=', 'a=b', '.', '--x', 'Content-Type:', 'text']],
  ['utf-8', ['café', 'Привет', '日本語', 'שלום', 'مرحبا', 'ไทย', '한국어', 'ß', '😀', '=3D']],
  ['iso-8859-1', ['café', 'Übung', 'straße', 'niño', '=', 'plain']],
];

const SUBJECTS = ['Hello', 'café', 'Привет, мир', '日本語のメール', 'a "quoted" one', '=?', 'x'.repeat(60)];
const NAMES = ['Alice', 'Jörg Müller', 'Doe, John', 'Иван', 'O "Q" R', ''];

export class MessageMaker {
  readonly #random: Random;
  readonly #making: Making;
  #boundaries = 0;

  constructor(random: Random, making: Making) {
    this.#random = random;
    this.#making = making;
  }

  message(): Made {
    return this.#entity(this.#making.depth, this.#messageFields());
  }

  #messageFields(): string[] {
    const random = this.#random;
    return [
      `From: ${this.#mailbox()}`,
      `To: ${Array.from({ length: random.between(1, 3) }, () => this.#mailbox()).join(',\r\n\t')}`,
      `Subject: ${encodedWord(random.pick(SUBJECTS))}`,
      `Date: Tue, ${random.between(1, 28)} Jul 2003 10:${random.between(10, 59)}:37 +0${random.between(0, 9)}00`,
      `Message-ID: <${random.next()}@example.test>`,
      'MIME-Version: 1.0',
    ];
  }

  #mailbox(): string {
    const name = this.#random.pick(NAMES);
    const address = `user${this.#random.below(100)}@example.test`;
    if (name === '') return address;
    if (/[^ -~]/.test(name)) return `${encodedWord(name)} <${address}>`;
    return /[",]/.test(name) ? `"${name.replaceAll('"', '\\"')}" <${address}>` : `${name} <${address}>`;
  }

  #entity(depth: number, fields: readonly string[]): Made {
    const kind = depth > 0 ? this.#random.below(this.#making.messages ? 6 : 4) : this.#random.below(2);
    if (kind < 1) return this.#attachment(fields);
    if (kind < 2) return this.#text(fields);
    return kind < 5 ? this.#multipart(depth, fields) : this.#enclosed(depth, fields);
  }

  #text(fields: readonly string[]): Made {
    const random = this.#random;
    const [charset, words] = random.pick(WORDS);
    const lines = Array.from({ length: random.below(6) }, () =>
      Array.from({ length: random.below(8) }, () => random.pick(words)).join(' '),
    );
    const text = lines.join('\r\n');
    const octets = Buffer.from(text, charset === 'utf-8' ? 'utf8' : 'latin1');
    const encoding = random.pick(['quoted-printable', 'base64', ...(charset === 'us-ascii' ? ['7bit'] : ['8bit'])]);
    const header = [
      ...fields,
      `Content-Type: text/plain; charset=${random.once(2) ? charset : `"${charset}"`}`,
      `Content-Transfer-Encoding: ${encoding}`,
    ];
    return made(header, encoded(octets, encoding), { type: 'text/plain', text });
  }

  #attachment(fields: readonly string[]): Made {
    const random = this.#random;
    const content = random.bytes(random.below(200));
    const name = `file ${random.below(1000)}.bin`;
    const header = [
      ...fields,
      'Content-Type: application/octet-stream',
      'Content-Transfer-Encoding: base64',
      `Content-Disposition: attachment;\r\n\tfilename="${name}"`,
    ];
    return made(header, encoded(content, 'base64'), { type: 'application/octet-stream', file: { name, content } });
  }

  #multipart(depth: number, fields: readonly string[]): Made {
    const random = this.#random;
    this.#boundaries += 1;
    const boundary = `${random.pick(['=_', 'b', '-'])}${this.#boundaries}${random.pick(['', '.x', "'()+_,-./:=?"])}`;
    const subtype = random.pick(this.#making.messages ? ['mixed', 'related', 'digest'] : ['mixed', 'related']);
    const parts = Array.from({ length: random.between(1, 4) }, () => this.#entity(depth - 1, []));
    const body: Buffer[] = [Buffer.from(random.once(3) ? 'A preamble.\r\n' : '')];
    for (const part of parts) body.push(Buffer.from(`--${boundary}\r\n`), part.octets, Buffer.from('\r\n'));
    body.push(Buffer.from(`--${boundary}--`), Buffer.from(random.pick(['', '\r\n', '\r\nAn epilogue.\r\n'])));
    const header = [...fields, `Content-Type: multipart/${subtype}; boundary="${boundary}"`];
    return made(header, Buffer.concat(body), { type: `multipart/${subtype}`, parts });
  }

  #enclosed(depth: number, fields: readonly string[]): Made {
    const message = this.#entity(depth - 1, this.#messageFields());
    return made([...fields, 'Content-Type: message/rfc822'], message.octets, { type: 'message/rfc822', message });
  }
}

function made(fields: readonly string[], body: Buffer, what: Partial<Made> & { readonly type: string }): Made {
  const header = Buffer.from(`${fields.join('\r\n')}\r\n\r\n`);
  const octets = Buffer.concat([header, body]);
  return { octets, header, body, parts: null, message: null, text: null, file: null, ...what };
}

function encodedWord(text: string): string {
  return /[^ -~]/.test(text) ? `=?utf-8?B?${Buffer.from(text).toString('base64')}?=` : text;
}

/** In the transfer encoding, in lines. */
export function encoded(octets: Buffer, encoding: string): Buffer {
  if (encoding === 'base64') return Buffer.from(octets.toString('base64').replace(/.{76}(?=.)/g, '$&\r\n'));
  return encoding === 'quoted-printable' ? Buffer.from(quotedPrintable(octets)) : octets;
}

/** RFC 2045 §6.7, with lines of at most 76. */
function quotedPrintable(octets: Buffer): string {
  return octets
    .toString('latin1')
    .split('\r\n')
    .map((line) => {
      let out = '';
      let column = 0;
      for (const character of line) {
        const safe = /[!-<>-~ ]/.test(character);
        const code = character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0');
        const piece = safe ? character : `=${code}`;
        if (column + piece.length > 75) {
          out += '=\r\n';
          column = 0;
        }
        out += piece;
        column += piece.length;
      }
      return out.replace(/ $/, '=20');
    })
    .join('\r\n');
}
