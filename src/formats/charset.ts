// Charsets of old and new mail to text, by the decoders of the WHATWG Encoding Standard, which know the names that mail
// uses. Nothing here fails: octets that fit no charset become something that can be read or searched.

/** A decoder for octets that come in chunks. */
export interface CharsetDecoder {
  decode(octets: Uint8Array): string;
  /** What is left at the end: the sign for an unfinished character, or ''. */
  end(): string;
}

/** Names that mail programs use and the Encoding Standard does not: those of code pages, and of JIS with extensions that
 * hardly occur. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['cp932', 'shift_jis'],
  ['cp936', 'gbk'],
  ['ms936', 'gbk'],
  ['windows-936', 'gbk'],
  ['gb_18030', 'gb18030'],
  ['gb18030-2000', 'gb18030'],
  ['cp949', 'euc-kr'],
  ['ms949', 'euc-kr'],
  ['uhc', 'euc-kr'],
  ['euckr', 'euc-kr'],
  ['cp950', 'big5'],
  ['ms950', 'big5'],
  ['windows-950', 'big5'],
  ['eucjp', 'euc-jp'],
  ['eucjp-ms', 'euc-jp'],
  ['cp51932', 'euc-jp'],
  ['iso-2022-jp-1', 'iso-2022-jp'],
  ['iso-2022-jp-2', 'iso-2022-jp'],
  ['iso-2022-jp-3', 'iso-2022-jp'],
  ['iso-2022-jp-ms', 'iso-2022-jp'],
  ['cp50220', 'iso-2022-jp'],
  ['cp50221', 'iso-2022-jp'],
  ['win-1250', 'windows-1250'],
  ['win-1251', 'windows-1251'],
  ['koi8u', 'koi8-u'],
]);

/** The decoder of a charset by any of its names; null where nobody knows it. */
function decoderOf(charset: string): TextDecoder | null {
  try {
    return new TextDecoder(ALIASES.get(charset) ?? charset);
  } catch {
    return null;
  }
}

/**
 * A decoder for a charset as a message names it. US-ASCII, an unknown name and none are read as UTF-8 for as long as the
 * octets are that, and as Windows-1252 from the first chunk that is not.
 */
export function charsetDecoder(charset: string | null): CharsetDecoder {
  const name = (charset ?? '').toLowerCase();
  const known = name === '' || name === 'us-ascii' || name === 'ascii' ? null : decoderOf(name);
  if (known !== null) return { decode: (octets) => known.decode(octets, { stream: true }), end: () => known.decode() };
  return new Guess();
}

/** Text in no charset that anybody named. */
class Guess implements CharsetDecoder {
  /** null: it is no UTF-8. */
  #utf8: TextDecoder | null = new TextDecoder('utf-8', { fatal: true });
  /** Octets of a character that the chunks so far have begun. */
  #begun: Uint8Array = new Uint8Array(0);

  decode(octets: Uint8Array): string {
    if (this.#utf8 !== null) {
      try {
        const text = this.#utf8.decode(octets, { stream: true });
        this.#begun = unfinished(octets.length < 4 ? Buffer.concat([this.#begun, octets]) : octets);
        return text;
      } catch {
        this.#utf8 = null;
      }
    }
    return this.#begunText() + WESTERN.decode(octets);
  }

  end(): string {
    return this.#begunText();
  }

  #begunText(): string {
    const text = WESTERN.decode(this.#begun);
    this.#begun = new Uint8Array(0);
    return text;
  }
}

/** One octet is one character: it keeps nothing from one call to the next. */
const WESTERN = new TextDecoder('windows-1252');

/** A copy of the octets of a UTF-8 character at the end that is not whole; `octets` is valid up to it. */
function unfinished(octets: Uint8Array): Uint8Array {
  for (let back = 1; back <= Math.min(3, octets.length); back += 1) {
    const octet = octets[octets.length - back] ?? 0;
    if (octet < 0x80) break;
    if (octet >= 0xc0) {
      const length = octet >= 0xf0 ? 4 : octet >= 0xe0 ? 3 : 2;
      return length > back ? octets.slice(octets.length - back) : octets.slice(0, 0);
    }
  }
  return octets.slice(0, 0);
}

/** All of some octets as text. */
export function decodeCharset(octets: Uint8Array, charset: string | null): string {
  const decoder = charsetDecoder(charset);
  return decoder.decode(octets) + decoder.end();
}
