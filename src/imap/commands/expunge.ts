// EXPUNGE (RFC 3501 §6.4.3) and UID EXPUNGE (RFC 4315 §2.1). The EXPUNGE responses are news like any other's, which the
// session tells before the completion.

import type { Uid } from '../../store/rows.ts';
import { ok } from '../completion.ts';
import { messageSet } from '../grammar/sequence-set.ts';
import { command, SELECTED, type Session } from './command.ts';

/** RFC 7162 §3.2.7: HIGHESTMODSEQ with the completion of what has expunged something, after all news is told. */
export function highestModSeq({ mailbox, enabled }: Session): string | null {
  return enabled.condstore ? `HIGHESTMODSEQ ${mailbox.view.knownModSeq}` : null;
}

/** expunge = "EXPUNGE"; uid-expunge = "UID" SP "EXPUNGE" SP sequence-set */
export const expunge = command({
  name: 'EXPUNGE',
  states: SELECTED,
  uid: 'adds a set',
  grammar(scanner, uid) {
    if (!uid) return null;
    scanner.space();
    return messageSet(scanner);
  },
  async run(session, set) {
    const { mailbox, store } = session;
    const { id, view } = mailbox;
    mailbox.rights.require('expunge');
    const uids = set && (Array.from(view.resolveUids(set)) as Uid[]); // the view holds nothing else
    if (uids !== null && uids.length === 0) return ok('Expunged');
    const gone = await store.execute({ kind: 'expunge', mailbox: id, uids, force: false, view: view.id });
    return ok('Expunged', gone.uids.length > 0 ? highestModSeq(session) : null);
  },
});
