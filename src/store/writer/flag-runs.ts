// Flags and keywords as they are written: neighbours that get the same, which is what STORE of many mostly gives, by one
// statement.

import type { MailboxId, ModSeq } from '../rows.ts';
import type { Work } from './work.ts';

export class FlagRuns {
  readonly #work: Work;
  readonly #mailbox: MailboxId;
  #run: { first: number; last: number; modSeq: ModSeq; flags: number; keywords: string | null } | null = null;

  constructor(work: Work, mailbox: MailboxId) {
    this.#work = work;
    this.#mailbox = mailbox;
  }

  /** What a message has from now on. @param keywords as the column holds them */
  set(uid: number, modSeq: ModSeq, flags: number, keywords: string | null): void {
    const run = this.#run;
    if (run?.last === uid - 1 && run.modSeq === modSeq && run.flags === flags && run.keywords === keywords) {
      run.last = uid;
      return;
    }
    this.end();
    this.#run = { first: uid, last: uid, modSeq, flags, keywords };
  }

  /** Writes what has been set. */
  end(): void {
    if (this.#run === null) return;
    const { first, last, modSeq, flags, keywords } = this.#run;
    // OR FAIL: as where messages are expunged. Without it every other one of 50,000 took 15 s, not half a one.
    this.#work.db.run(
      `UPDATE OR FAIL message SET modseq = ?4, flags = ?5, keywords = ?6 WHERE id BETWEEN (?1 << 32) | ?2 AND (?1 << 32) | ?3`,
      this.#mailbox,
      first,
      last,
      modSeq,
      flags,
      keywords,
    );
    this.#run = null;
  }
}
