// What SEARCH compares: text without regard to case and to compatibility forms, in the manner of i;unicode-casemap
// (RFC 5051). Both sides of a comparison pass through here.

/** Upper case, so that `ß` is `SS` and every sigma is one; compatibility forms taken apart (NFKD), so that composed and
 * decomposed letters are the same and a letter is found under its accents. */
export function fold(text: string): string {
  if (!/[^\0-\x7f]/.test(text)) return text.toUpperCase();
  return withoutLongRuns(text).normalize('NFKD').replaceAll(CAPITAL_SHARP_S, 'SS').toUpperCase();
}

/** The one letter whose lower case has another upper case. */
const CAPITAL_SHARP_S = '\u1e9e';

/** The Stream-Safe Text Process of UAX #15: normalizing a run of marks takes time with the square of its length, so one
 * that no language has is cut by a joiner. */
function withoutLongRuns(text: string): string {
  return text.replace(/\p{M}{30}(?=\p{M})/gu, '$&\u034f');
}

/**
 * Text that comes in pieces, folded in pieces that can be folded alone: cut behind white space, since what combines does
 * so within a word.
 */
export class FoldedText {
  #rest = '';

  /** Takes the next piece; gives what of it can be compared already. */
  push(text: string): string {
    const whole = this.#rest + text;
    let cut = whole.length;
    while (cut > 0 && whole.charCodeAt(cut - 1) > 32) cut -= 1;
    // A word that does not end is cut anywhere but in a surrogate pair.
    if (cut === 0 && whole.length > LONGEST_WORD) cut = whole.length - (isHighSurrogate(whole) ? 1 : 0);
    this.#rest = whole.slice(cut);
    return fold(whole.slice(0, cut));
  }

  end(): string {
    const rest = fold(this.#rest);
    this.#rest = '';
    return rest;
  }
}

/** Characters kept back at most. */
const LONGEST_WORD = 4096;

function isHighSurrogate(text: string): boolean {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last <= 0xdbff;
}
