// Views as sessions have them. Nobody waits: the writer hears of a view before anything is read for it, and of all that
// becomes of it in order.

import type { Commit, MailboxId, ViewId } from '../rows.ts';
import type { Views } from '../store.ts';
import type { Feed } from './feed.ts';
import type { WriterLine } from './writer-line.ts';

export class ViewLine implements Views {
  readonly #line: WriterLine;
  readonly #feed: Feed;
  #last = 0;

  constructor(line: WriterLine, feed: Feed) {
    this.#line = line;
    this.#feed = feed;
  }

  open(mailbox: MailboxId): { readonly view: ViewId; readonly commit: Commit } {
    this.#last += 1;
    const view = this.#last as ViewId; // branded where it is made
    const { commit } = this.#feed;
    // A read that begins now sees what was expunged up to this commit as gone. What is expunged by a later one, the writer
    // frees only after it has looked for what had been sent to it by then.
    this.#line.sendNow({ id: 'view', view, step: 'opened', mailbox, told: commit });
    return { view, commit };
  }

  acknowledge(view: ViewId, commit: Commit): void {
    this.#line.send({ id: 'view', view, step: 'told', told: commit });
  }

  close(view: ViewId): void {
    this.#line.send({ id: 'view', view, step: 'closed' });
  }
}
