// Charsets of old and new mail to text, by the decoders of the WHATWG Encoding Standard, which know the names that mail
// uses. Nothing here fails: octets that fit no charset become something that can be read or searched.

/** A decoder for octets that come in chunks. */
export interface CharsetDecoder {
  decode(octets: Uint8Array): string;
  /** What is left at the end: the sign for an unfinished character, or ''. */
  end(): string;
}

/** The decoder of a charset by any of its names; null where nobody knows it. `fatal`: it throws on wrong octets. */
function decoderOf(charset: string, fatal: boolean): TextDecoder | null {
  try {
    return new TextDecoder(charset, { fatal, ignoreBOM: false });
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
  const known = name === '' || name === 'us-ascii' || name === 'ascii' ? null : decoderOf(name, false);
  if (known !== null) return { decode: (octets) => known.decode(octets, { stream: true }), end: () => known.decode() };
  return new Guess();
}

/** Text in no charset that anybody named. */
class Guess implements CharsetDecoder {
  #decoder = new TextDecoder('utf-8', { fatal: true });

  decode(octets: Uint8Array): string {
    try {
      return this.#decoder.decode(octets, { stream: true });
    } catch {
      this.#decoder = new TextDecoder('windows-1252');
      return this.#decoder.decode(octets, { stream: true });
    }
  }

  end(): string {
    try {
      return this.#decoder.decode();
    } catch {
      return '\ufffd';
    }
  }
}

/** All of some octets as text. */
export function decodeCharset(octets: Uint8Array, charset: string | null): string {
  const decoder = charsetDecoder(charset);
  return decoder.decode(octets) + decoder.end();
}

/**
 * The argument of a SEARCH in the charset that the client names (RFC 3501 §6.4.4).
 * @returns null where the charset is not known ([BADCHARSET]) or the octets are not of it
 */
export function decodeStrictly(octets: Uint8Array, charset: string): string | null {
  try {
    return decoderOf(charset.toLowerCase(), true)?.decode(octets) ?? null;
  } catch {
    return null;
  }
}
