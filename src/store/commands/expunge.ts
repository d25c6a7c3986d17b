// expunge: messages leave a mailbox (RFC 3501 §6.4.3, RFC 4315 §2.1). What stays is a tombstone for views that have not
// been told, freed later, and the expunge log (RFC 7162 §3.2.5).

import { runsOf } from '../ascending.ts';
import type { CommandOf, Results } from '../commands.ts';
import { Flag, type ModSeq, type ViewId } from '../rows.ts';
import { type MailboxState, selectableMailbox } from '../writer/placement.ts';
import { deletedMessages, everyMessage, type Standing, standing } from '../writer/standing.ts';
import type { Work } from '../writer/work.ts';

export function expunge(work: Work, command: CommandOf<'expunge'>): Results['expunge'] {
  const mailbox = selectableMailbox(work, command.mailbox);
  // Most calls find nothing to do, which the counters know.
  if (mailbox.messages === 0 || (!command.force && mailbox.deleted === 0)) return nothing(mailbox);
  const doomed = chosen(work, mailbox, command);
  if (doomed.length === 0) return nothing(mailbox);
  return remove(work, mailbox, doomed, command.view);
}

function chosen(work: Work, mailbox: MailboxState, command: CommandOf<'expunge'>): readonly Standing[] {
  if (command.uids === null) return command.force ? everyMessage(work, mailbox.id) : deletedMessages(work, mailbox.id);
  const rows = standing(work, mailbox.id, command.uids);
  return command.force ? rows : rows.filter((row) => (row.flags & Flag.Deleted) !== 0);
}

function nothing(mailbox: MailboxState): Results['expunge'] {
  return { uids: new Uint32Array(0), modSeq: mailbox.highest_modseq };
}

/** Takes messages out of a mailbox. @param rows some, of those that stand there */
export function remove(
  work: Work,
  mailbox: MailboxState,
  rows: readonly Standing[],
  view: ViewId | null,
): { readonly uids: Uint32Array; readonly modSeq: ModSeq } {
  const modSeq = work.numbers.next('modseq');
  const uids = Uint32Array.from(rows, (row) => row.uid).sort();
  let unseen = 0;
  let deleted = 0;
  let octets = 0;
  for (const row of rows) {
    if ((row.flags & Flag.Seen) === 0) unseen += 1;
    if ((row.flags & Flag.Deleted) !== 0) deleted += 1;
    octets += row.size;
  }
  for (const { first, last } of runsOf(uids)) {
    // A run has no gap among the UIDs that were asked for, so nothing else stands in it. OR FAIL: a statement that can
    // be undone by itself keeps a journal, which is walked each time; for 50,000 of them that took 6 s, not half a one.
    work.db.run(
      'UPDATE OR FAIL message SET expunged = ?3 WHERE id BETWEEN (?1 << 32) | ?2 AND (?1 << 32) | ?4 AND expunged = 0',
      mailbox.id,
      first,
      work.commit,
      last,
    );
    work.db.run(
      'INSERT INTO vanished (mailbox, modseq, first, last) VALUES (?, ?, ?, ?)',
      mailbox.id,
      modSeq,
      first,
      last,
    );
  }
  work.db.run(
    `UPDATE mailbox SET highest_modseq = ?, messages = messages - ?, unseen = unseen - ?, deleted = deleted - ?,
     octets = octets - ? WHERE id = ?`,
    modSeq,
    rows.length,
    unseen,
    deleted,
    octets,
    mailbox.id,
  );
  work.publish({ kind: 'expunged', mailbox: mailbox.id, account: mailbox.account, modSeq, uids, view });
  work.buried(mailbox.id);
  return { uids, modSeq };
}
