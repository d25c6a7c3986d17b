// What a client reads of a message's flags when they have changed, and how a FETCH response names its message
// (RFC 3501 §7.4.2, RFC 7162 §3.2.4, RFC 9586 §3.2). Pure.

import type { Enabled } from '../enabled.ts';
import { flagList } from '../grammar/flags.ts';

interface Numbered {
  readonly sequence: number;
  readonly uid: number;
}

interface Flagged {
  readonly flags: number;
  readonly keywords: readonly string[];
  readonly modSeq: number;
}

/** `* 5 FETCH (`, or `* 25900 UIDFETCH (` for a client that wants no sequence numbers. */
export function fetchHead({ sequence, uid }: Numbered, { uidOnly }: Enabled): string {
  return uidOnly ? `* ${uid} UIDFETCH (` : `* ${sequence} FETCH (`;
}

/**
 * A FETCH response that nobody's FETCH has asked for.
 * @param told `recent`: the message is so in this session; `silent`: the client knows its flags, and is told the MODSEQ
 *   only; `withUid`: a UID command is answered (RFC 3501 §6.4.8)
 */
export function flagReport(
  message: Numbered,
  { flags, keywords, modSeq }: Flagged,
  told: { readonly recent: boolean; readonly silent?: boolean; readonly withUid?: boolean },
  enabled: Enabled,
): string {
  const items: string[] = [];
  if ((told.withUid || enabled.condstore) && !enabled.uidOnly) items.push(`UID ${message.uid}`);
  if (!told.silent) items.push(`FLAGS ${flagList(flags, keywords, told.recent)}`);
  if (enabled.condstore) items.push(`MODSEQ (${modSeq})`);
  return `${fetchHead(message, enabled)}${items.join(' ')})`;
}
