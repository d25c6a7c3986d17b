// Views: what a session holds open, and which messages are \Recent to it (RFC 3501 §2.3.2).

import type { CommandOf, Results } from '../commands.ts';
import type { MailboxId, Uid } from '../rows.ts';
import { selectableMailbox } from '../writer/placement.ts';
import type { Work } from '../writer/work.ts';

/** open-view. What views hold is memory, and follows once the transaction is on disk, like everything else. */
export function openView(work: Work, command: CommandOf<'open-view'>): Results['open-view'] {
  const mailbox = selectableMailbox(work, command.mailbox);
  if (command.claimRecent) setRecent(work, mailbox.id, mailbox.recent_from, mailbox.uid_next);
  // The commit before this one: it may be that nothing is written now, and then the next commit has this number.
  const { commit } = work.numbers;
  const view = work.views.reserve();
  work.after(() => work.views.open(view, mailbox.id, commit));
  const recentBefore = command.claimRecent ? mailbox.uid_next : mailbox.recent_from;
  return { view, commit, recentFrom: mailbox.recent_from, recentBefore };
}

export function acknowledgeView(work: Work, command: CommandOf<'acknowledge-view'>): void {
  work.after(() => work.views.acknowledge(command.view, command.commit));
}

export function closeView(work: Work, command: CommandOf<'close-view'>): void {
  work.after(() => work.views.close(command.view));
}

/** Whoever announces new messages first takes \Recent. @returns what was not yet taken before */
export function claimRecent(work: Work, command: CommandOf<'claim-recent'>): Results['claim-recent'] {
  const mailbox = selectableMailbox(work, command.mailbox);
  const upTo = Math.min(command.upTo + 1, mailbox.uid_next);
  // A UID, as both of its sources are.
  setRecent(work, mailbox.id, mailbox.recent_from, upTo as Uid);
  return { recentFrom: mailbox.recent_from };
}

function setRecent(work: Work, mailbox: MailboxId, before: Uid, after: Uid): void {
  if (after > before) work.db.run('UPDATE mailbox SET recent_from = ? WHERE id = ?', after, mailbox);
}
