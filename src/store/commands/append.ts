// append: messages that a client brings into a mailbox (RFC 3501 §6.3.11, RFC 3502), all of them or none, in the place of
// another or beside it (RFC 8508).

import type { CommandOf, Results } from '../commands.ts';
import type { Uid } from '../rows.ts';
import { StoreError } from '../store.ts';
import { completeBody } from '../writer/bodies.ts';
import { checkQuota, type NewMessage, place, selectableMailbox } from '../writer/placement.ts';
import { standing } from '../writer/standing.ts';
import { threadOf } from '../writer/threads.ts';
import type { Work } from '../writer/work.ts';
import { remove } from './expunge.ts';

export function append(work: Work, command: CommandOf<'append'>): Results['append'] {
  const mailbox = selectableMailbox(work, command.mailbox);
  const octets = command.messages.reduce((sum, message) => sum + message.body.size, 0);
  const old = command.replaces && replaced(work, command.replaces);
  const freed = old?.mailbox.account === mailbox.account ? old.row.size : 0;
  checkQuota(work, mailbox.account, Math.max(0, octets - freed));
  const arrivals = command.messages.map((message): NewMessage => {
    const body = completeBody(work, message.body, 1);
    work.stored(body);
    const email = work.numbers.next('email');
    return {
      body,
      email,
      thread: threadOf(work, mailbox.account, message.facts, email),
      prefix: null,
      size: message.body.size,
      lacking: message.body.lacking,
      headerSize: message.facts.headerSize,
      internalDate: message.internalDate,
      internalZone: message.internalZone,
      flags: message.flags,
      keywords: message.keywords,
    };
  });
  const { uids } = place(work, mailbox, arrivals, command.view, command.seenTo ?? null);
  if (old) remove(work, old.mailbox, [old.row], command.view);
  // UIDs as the placement gave them out.
  return { uidValidity: mailbox.uid_validity, uids: Array.from(uids) as Uid[] };
}

/** The message that is to go. @throws StoreError missing */
function replaced(work: Work, { mailbox, uid }: NonNullable<CommandOf<'append'>['replaces']>) {
  const from = selectableMailbox(work, mailbox);
  const [row] = standing(work, from.id, [uid]);
  if (row === undefined) throw new StoreError('missing', 'The message to replace is gone');
  return { mailbox: from, row };
}
