// The open views: what each session has told its client. An expunged message stands until the views of its mailbox have
// been told. Memory only: a restart ends every session, and with it every view.

import type { Commit, MailboxId, ViewId } from '../rows.ts';

interface View {
  readonly mailbox: MailboxId;
  acknowledged: Commit;
}

export class Views {
  readonly #views = new Map<ViewId, View>();
  readonly #byMailbox = new Map<MailboxId, Set<View>>();

  open(id: ViewId, mailbox: MailboxId, commit: Commit): void {
    const view: View = { mailbox, acknowledged: commit };
    this.#views.set(id, view);
    const views = this.#byMailbox.get(mailbox);
    if (views === undefined) this.#byMailbox.set(mailbox, new Set([view]));
    else views.add(view);
  }

  /** Acknowledgements may come late or twice; they never go back. */
  acknowledge(id: ViewId, commit: Commit): void {
    const view = this.#views.get(id);
    if (view !== undefined && commit > view.acknowledged) view.acknowledged = commit;
  }

  close(id: ViewId): void {
    const view = this.#views.get(id);
    if (view === undefined) return;
    this.#views.delete(id);
    const views = this.#byMailbox.get(view.mailbox);
    views?.delete(view);
    if (views?.size === 0) this.#byMailbox.delete(view.mailbox);
  }

  /** The commit up to which every view of the mailbox has been told; Infinity where none is open. */
  told(mailbox: MailboxId): number {
    let least = Number.POSITIVE_INFINITY;
    for (const view of this.#byMailbox.get(mailbox) ?? []) least = Math.min(least, view.acknowledged);
    return least;
  }
}
