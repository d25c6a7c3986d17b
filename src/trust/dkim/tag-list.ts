// Tag lists (RFC 6376 §3.2), of which signatures and key records are made. Text in, tags out.

/** tag-list = tag-spec *( ";" tag-spec ) [ ";" ]; white space around names and values does not count, names have a case.
 * @returns null for what is none, or has a tag twice */
export function parseTagList(text: string): ReadonlyMap<string, string> | null {
  const tags = new Map<string, string>();
  const specs = text.split(';');
  if (specs.at(-1)?.trim() === '') specs.pop();
  for (const spec of specs) {
    const equals = spec.indexOf('=');
    const name = spec.slice(0, Math.max(equals, 0)).trim();
    const value = spec.slice(equals + 1).trim();
    if (!/^[a-z][a-z0-9_]*$/i.test(name) || tags.has(name) || /[^\t\r\n -~]/.test(value)) return null;
    tags.set(name, value);
  }
  return tags;
}

/** A value of several words between colons. */
export function wordsOf(value: string): readonly string[] {
  return value.split(':').map((word) => word.trim().toLowerCase());
}

/** base64string, in which white space does not count (RFC 6376 §2.10). Null for what is none. */
export function octetsOf(value: string): Buffer | null {
  const text = value.replace(/[ \t\r\n]+/g, '');
  return /^[A-Za-z0-9+/]+={0,2}$/.test(text) ? Buffer.from(text, 'base64') : null;
}
