// Elements of DER (X.690), as far as certificates are looked into here: tag, length, content; nothing is decoded.

export interface Element {
  readonly tag: number;
  /** Offsets of the content, and behind it. */
  readonly content: number;
  readonly end: number;
}

/** The element at an offset; null where it does not fit. */
export function element(octets: Uint8Array, at: number): Element | null {
  const [tag, first] = octets.subarray(at, at + 2);
  if (tag === undefined || first === undefined) return null;
  let length = first;
  let content = at + 2;
  if (first >= 0x80) {
    const count = first & 0x7f;
    if (count === 0 || count > 3) return null;
    length = 0;
    for (const octet of octets.subarray(content, content + count)) length = length * 256 + octet;
    content += count;
  }
  const end = content + length;
  return end <= octets.length ? { tag, content, end } : null;
}

/** The elements within one; null where they do not fill it. */
export function elements(octets: Uint8Array, { content, end }: Element): readonly Element[] | null {
  const found: Element[] = [];
  for (let at = content; at < end; ) {
    const one = element(octets, at);
    if (one === null || one.end > end) return null;
    found.push(one);
    at = one.end;
  }
  return found;
}
