// SASLprep (RFC 4013) as far as two programs must agree on it: the form in which a name or a password is hashed or compared,
// so that `é` typed on two keyboards is one text.

/** RFC 4013 §2.3: tables C.1.2 to C.9 of RFC 3454, without what the mapping and NFKC have taken away. */
const PROHIBITED =
  /[\p{Cc}\p{Co}\p{Cs}\p{Noncharacter_Code_Point}\u06DD\u070F\u180E\u200E\u200F\u2028-\u202E\u2061-\u2063\u206A-\u206F\u2FF0-\u2FFB\uFFF9-\uFFFD\u{1D173}-\u{1D17A}\u{E0001}\u{E0020}-\u{E007F}]/u;

/** Is there a character that RFC 4013 §2.3 prohibits? The check of §2.4 is left out: names are addresses here, for which
 * SASLprep was not made (§1), and one in Hebrew with a domain in ASCII would fail it.
 * @param prepared what `saslprep` made */
export function hasProhibited(prepared: string): boolean {
  return PROHIBITED.test(prepared);
}

/**
 * The mapping of RFC 4013 §2.1 and the NFKC of §2.2. Lighter than SASLprep: nothing is prohibited here (§2.3 to §2.5 would
 * refuse passwords that people already have; `hasProhibited` is for who has to), and ASCII is never changed.
 * @returns empty for what is made only of what maps to nothing
 */
export function saslprep(text: string): string {
  return text
    .replace(/[\u00A0\u1680\u2000-\u200A\u202F\u205F\u3000]/g, ' ')
    .replace(/[\u034F\u180B-\u180D\uFE00-\uFE0F]|[\u00AD\u1806\u200B-\u200D\u2060\uFEFF]/g, '')
    .normalize('NFKC');
}
