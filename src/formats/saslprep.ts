// SASLprep (RFC 4013) as far as two programs must agree on it: the form in which a name or a password is hashed or compared,
// so that `é` typed on two keyboards is one text.

/**
 * The mapping of RFC 4013 §2.1 and the NFKC of §2.2. Lighter than SASLprep: nothing is prohibited here (§2.3 to §2.5 would
 * refuse passwords that people already have), and ASCII is never changed.
 */
export function saslprep(text: string): string {
  const prepared = text
    .replace(/[\u00A0\u1680\u2000-\u200A\u202F\u205F\u3000]/g, ' ')
    .replace(/[\u034F\u180B-\u180D\uFE00-\uFE0F]|[\u00AD\u1806\u200B-\u200D\u2060\uFEFF]/g, '')
    .normalize('NFKC');
  // Made only of what maps to nothing: then it is taken as it is.
  return prepared === '' ? text : prepared;
}
