// accept: one body, its local deliveries and its queue entries, all of them or none (DESIGN.md §2). What 250 stands for.

import type { Accept, Placed, Results } from '../commands.ts';
import { checkMailboxName } from '../mailbox-name.ts';
import type { AccountId, BodyId, EntryId } from '../rows.ts';
import { StoreError } from '../store.ts';
import { completeBody, discardStage } from '../writer/bodies.ts';
import { type MailboxState, mailboxNamed, place, storedPrefix } from '../writer/placement.ts';
import { threadOf } from '../writer/threads.ts';
import type { Work } from '../writer/work.ts';
import { firstTime } from './once.ts';
import { dispatch } from './queue.ts';

export function accept(work: Work, command: Accept): Results['accept'] {
  const refs = command.deliveries.length + (command.dispatch === null ? 0 : 1);
  if (refs === 0 || (command.once !== undefined && !firstTime(work, command.once))) {
    const { stage } = command.body;
    if (stage !== null) work.after(() => discardStage(work, stage));
    return { placed: [], entries: [] };
  }
  const body = completeBody(work, command.body, refs);
  // Nobody asks for the summary of what only passes through.
  if (command.deliveries.length > 0) work.stored(body);
  return { placed: deliver(work, command, body), entries: send(work, command, body) };
}

function send(work: Work, command: Accept, body: BodyId): readonly EntryId[] {
  return command.dispatch === null ? [] : dispatch(work, command, command.dispatch, body);
}

function deliver(work: Work, command: Accept, body: BodyId): readonly Placed[] {
  const threads = new Map<AccountId, number>();
  return command.deliveries.map((delivery) => {
    const mailbox = destination(work, delivery.account, delivery.mailbox);
    const email = work.numbers.next('email');
    const thread = threads.get(delivery.account) ?? threadOf(work, delivery.account, command.facts, email);
    threads.set(delivery.account, thread);
    const { prefix, flags, keywords, internalDate } = delivery;
    const { uids } = place(
      work,
      mailbox,
      [
        {
          body,
          email,
          thread,
          prefix: storedPrefix(prefix),
          size: prefix.length + command.body.size,
          lacking: command.body.lacking,
          headerSize: prefix.length + command.facts.headerSize,
          internalDate,
          internalZone: 0,
          flags,
          keywords,
        },
      ],
      null,
    );
    const [uid = 0] = uids;
    // A UID as the placement gave it out.
    return { mailbox: mailbox.id, uidValidity: mailbox.uid_validity, uid: uid as Placed['uid'] };
  });
}

/** The mailbox of that name, or INBOX if there is none (any more). @throws StoreError missing, for no account */
function destination(work: Work, account: AccountId, name: string): MailboxState {
  const named = mailboxNamed(work, account, checkMailboxName(name) ?? 'INBOX');
  if (named !== undefined && named.selectable === 1) return named;
  const inbox = mailboxNamed(work, account, 'INBOX');
  if (inbox === undefined) throw new StoreError('missing', 'There is no such account');
  return inbox;
}
