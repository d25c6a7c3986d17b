// annotate: what users note about mailboxes and about the server (RFC 5464), and which special use a mailbox has. All of a
// command or nothing.

import type { CommandOf } from '../commands.ts';
import { Limit } from '../limits.ts';
import type { AccountId, MailboxId, ModSeq, SpecialUse } from '../rows.ts';
import { StoreError } from '../store.ts';
import { type MailboxState, mailboxState } from '../writer/placement.ts';
import type { Work } from '../writer/work.ts';

/** Stands for the server among mailboxes, and for everybody among accounts: no row has this id. */
const NONE = 0;

/** @throws StoreError missing (the mailbox), quota: more annotations, or octets, than there may be */
export function annotate(work: Work, command: CommandOf<'annotate'>): void {
  const mailbox = command.mailbox === null ? null : mailboxState(work, command.mailbox);
  for (const { entry, shared, value } of command.entries) {
    const holder = shared ? NONE : command.account;
    if (value === null) {
      work.db.run(
        'DELETE FROM mailbox_annotation WHERE mailbox = ? AND account = ? AND entry = ?',
        mailbox?.id ?? NONE,
        holder,
        entry,
      );
      continue;
    }
    work.db.run(
      `INSERT INTO mailbox_annotation (mailbox, account, entry, value) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET value = excluded.value`,
      mailbox?.id ?? NONE,
      holder,
      entry,
      value,
    );
  }
  checkBounds(work, mailbox, command.account);
  const { specialUse } = command;
  const modSeq = mailbox && raisedModSeq(work, mailbox.id);
  if (mailbox !== null && specialUse !== undefined) setSpecialUse(work, mailbox, specialUse);
  work.publish({
    kind: 'annotated',
    mailbox: mailbox?.id ?? null,
    modSeq,
    account: mailbox?.account ?? command.account,
    name: mailbox?.name ?? '',
    by: command.account,
    entries: command.entries.map(({ entry, shared }) => ({ entry, shared })),
    specialUse: specialUse !== undefined,
    origin: command.origin,
  });
}

/** RFC 7162 §3.2: an annotation that changes raises the MODSEQ of its mailbox, though no message has it. */
function raisedModSeq(work: Work, mailbox: MailboxId): ModSeq {
  const modSeq = work.numbers.next('modseq');
  work.db.run('UPDATE mailbox SET highest_modseq = ? WHERE id = ?', modSeq, mailbox);
  return modSeq;
}

/** @throws StoreError quota */
function checkBounds(work: Work, mailbox: MailboxState | null, account: AccountId): void {
  const most = work.db.get<{ entries: number }>(
    `SELECT count(*) AS entries FROM mailbox_annotation WHERE mailbox = ? AND account IN (${NONE}, ?)
     GROUP BY account ORDER BY entries DESC`,
    mailbox?.id ?? NONE,
    account,
  );
  if ((most?.entries ?? 0) > Limit.annotations) throw new StoreError('quota', 'There are too many annotations');
  const sum = mailbox
    ? work.db.get<{ octets: number | null }>(
        `SELECT sum(octet_length(entry) + octet_length(value)) AS octets FROM mailbox_annotation
         WHERE mailbox IN (SELECT id FROM mailbox WHERE account = ?)`,
        mailbox.account,
      )
    : null;
  if ((sum?.octets ?? 0) > Limit.annotationsOctets) throw new StoreError('quota', 'Annotations take too much room');
}

/** One mailbox of an account has a use: another one loses it, and who follows hears so. */
function setSpecialUse(work: Work, mailbox: MailboxState, use: SpecialUse | null): void {
  const { account } = mailbox;
  const others = work.db.all<{ id: MailboxId; name: string }>(
    'SELECT id, name FROM mailbox WHERE account = ? AND special_use = ? AND id <> ?',
    account,
    use,
    mailbox.id,
  );
  for (const { id, name } of others) {
    work.db.run('UPDATE mailbox SET special_use = NULL WHERE id = ?', id);
    // Nobody has said that of the other one: its own session hears of it, too (RFC 6154 §5.4).
    work.publish({
      kind: 'annotated',
      mailbox: id,
      modSeq: raisedModSeq(work, id),
      account,
      name,
      by: account,
      entries: [],
      specialUse: true,
      origin: null,
    });
  }
  work.db.run('UPDATE mailbox SET special_use = ? WHERE id = ?', use, mailbox.id);
}

/** What is noted about one mailbox is noted about another, too: RENAME of INBOX leaves INBOX (RFC 5464 §4.1). */
export function copyAnnotations(work: Work, from: MailboxId, to: MailboxId): void {
  work.db.run(
    `INSERT INTO mailbox_annotation (mailbox, account, entry, value)
     SELECT ?, account, entry, value FROM mailbox_annotation WHERE mailbox = ?`,
    to,
    from,
  );
}
