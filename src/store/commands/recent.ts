// Which messages are \Recent to whom (RFC 3501 §2.3.2).

import type { CommandOf, Results } from '../commands.ts';
import { selectableMailbox } from '../writer/placement.ts';
import type { Work } from '../writer/work.ts';

/** Whoever announces new messages first takes \Recent. @returns what was not yet taken before */
export function claimRecent(work: Work, command: CommandOf<'claim-recent'>): Results['claim-recent'] {
  const mailbox = selectableMailbox(work, command.mailbox);
  const upTo = Math.min(command.upTo + 1, mailbox.uid_next);
  if (upTo > mailbox.recent_from) work.db.run('UPDATE mailbox SET recent_from = ? WHERE id = ?', upTo, mailbox.id);
  return { recentFrom: mailbox.recent_from };
}
