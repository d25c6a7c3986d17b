// Message identifiers (RFC 5322 §3.6.4): making one, and reading those that stand in a field.

/** Identifiers longer than this are taken for junk; octets. */
const LONGEST = 998;

/** A msg-id with its angle brackets. `random` is unique and of letters, digits, `.` and `-`; `hostname` is ours. */
export function messageId(random: string, hostname: string): string {
  return `<${random}@${hostname}>`;
}

/**
 * The identifiers in a Message-ID, In-Reply-To or References field, without angle brackets, in their order, at most
 * `limit` (the last ones, which are the nearest ancestors). White space inside one is dropped (obsolete folding).
 */
export function messageIds(value: string, limit: number): readonly string[] {
  const ids: string[] = [];
  let at = value.length;
  // From the end, so that a hostile field costs no more than what is kept of it.
  while (ids.length < limit) {
    const close = value.lastIndexOf('>', at - 1);
    if (close <= 0) break;
    const open = value.lastIndexOf('<', close);
    if (open < 0) break;
    if (close - open <= LONGEST) {
      const id = value.slice(open + 1, close).replace(/\s+/g, '');
      if (id !== '' && !/[\0-\x1f\x7f>]/.test(id)) ids.push(id);
    }
    at = open;
    if (at <= 0) break;
  }
  return ids.reverse();
}
