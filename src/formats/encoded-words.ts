// Encoded words of a header (RFC 2047, RFC 2231 §5) as text, and text as encoded words. What is no encoded word stays as it
// is; nothing here fails.

import { decodeCharset } from './charset.ts';

// encoded-word = "=?" charset ["*" language] "?" encoding "?" encoded-text "?=". Wider than RFC 2047 §2: spaces in the text
// and words inside other words.
const WORD = /=\?([^?*\s]{1,60})(?:\*[^?\s]{0,60})?\?([BbQq])\?([^?]*)\?=/g;

/** One word, or several beside each other in one charset and encoding: a character may be split between them. */
interface Run {
  readonly charset: string;
  readonly octets: Buffer[];
}

/** Decodes the encoded words of an unfolded field. White space between two of them is dropped (RFC 2047 §6.2). */
export function decodeWords(value: string): string {
  if (!value.includes('=?')) return value;
  let text = '';
  let run: Run | null = null;
  let at = 0;
  for (const match of value.matchAll(WORD)) {
    const [word, charset = '', encoding = '', encoded = ''] = match;
    const between = value.slice(at, match.index);
    const adjacent = run !== null && /^[ \t]*$/.test(between);
    if (!adjacent || run?.charset !== charset.toLowerCase()) {
      text += runText(run);
      run = { charset: charset.toLowerCase(), octets: [] };
    }
    if (!adjacent) text += between;
    run.octets.push(encoding === 'B' || encoding === 'b' ? Buffer.from(encoded, 'base64') : decodeQ(encoded));
    at = match.index + word.length;
  }
  return text + runText(run) + value.slice(at);
}

function runText(run: Run | null): string {
  if (run === null) return '';
  const octets = Buffer.concat(run.octets);
  return decodeCharset(octets.includes(ESCAPE) ? joinedStates(octets) : octets, run.charset);
}

const ESCAPE = 0x1b;

/** Each word of ISO-2022-JP ends in ASCII, and the next one leaves it at once. Decoders take a change of state
 * with no text behind it for an attack, and put a sign there. */
function joinedStates(octets: Buffer): Buffer {
  return Buffer.from(octets.toString('latin1').replace(/(?:\x1b[$(]{1,2}[@-Z])+(?=\x1b[$(])/g, ''), 'latin1');
}

/** The Q encoding (RFC 2047 §4.2): `_` is a space, `=XX` an octet. What should not be in it counts as UTF-8. */
function decodeQ(encoded: string): Buffer {
  const octets = Buffer.from(encoded.replaceAll('_', ' '), 'utf8').toString('latin1');
  const decoded = octets.replace(/=([0-9A-Fa-f]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
  return Buffer.from(decoded, 'latin1');
}

/** RFC 2047 §2: an encoded word has at most 75 characters, of which these octets become 60 in base64. */
const OCTETS_IN_WORD = 45;

/** Text as encoded words, in order; no character is split between two (RFC 2047 §5). */
export function encodeWords(text: string): string[] {
  const words: string[] = [];
  let gathered = '';
  let octets = 0;
  const end = () => {
    if (gathered !== '') words.push(`=?utf-8?B?${Buffer.from(gathered).toString('base64')}?=`);
    gathered = '';
    octets = 0;
  };
  for (const character of text) {
    const size = Buffer.byteLength(character);
    if (octets + size > OCTETS_IN_WORD) end();
    gathered += character;
    octets += size;
  }
  end();
  return words;
}
