// Mailbox names in the store (RFC 3501 §5.1): UTF-8 text, levels split by `/`, INBOX in this case wherever it stands
// first. Case matters in all other names. What IMAP writes on the wire (modified UTF-7, wildcards) is IMAP's.

import { Limit } from './limits.ts';

/** The name in its one spelling, or undefined if no mailbox can have it. */
export function checkMailboxName(name: string): string | undefined {
  if (name === 'INBOX') return name;
  if (name === '' || Buffer.byteLength(name) > Limit.mailboxName || !name.isWellFormed()) return undefined;
  if (/[\0-\x1f\x7f\u2028\u2029]/.test(name)) return undefined;
  const levels = name.split('/');
  if (levels.length > Limit.mailboxDepth || levels.includes('')) return undefined;
  if (/^inbox$/i.test(levels[0] ?? '')) levels[0] = 'INBOX';
  return levels.join('/');
}

/** The names above a name, from the top. */
export function ancestors(name: string): readonly string[] {
  const levels = name.split('/');
  return levels.slice(1).map((_, at) => levels.slice(0, at + 1).join('/'));
}

/** Bounds of the names below a name: those from `first` on and before `end`, in the order of octets. */
export function below(name: string): { readonly first: string; readonly end: string } {
  // `0` is the character behind `/`.
  return { first: `${name}/`, end: `${name}0` };
}
