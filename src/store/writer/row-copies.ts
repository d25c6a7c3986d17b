// Copies of rows that take everything over as it is. Neighbours that stay neighbours are copied by one statement: a row then
// never leaves SQLite.

import type { MailboxId, ModSeq } from '../rows.ts';
import type { Work } from './work.ts';

/** Where a row stands. */
export interface RowPlace {
  readonly mailbox: MailboxId;
  readonly uid: number;
}

export class RowCopies {
  readonly #work: Work;
  readonly #to: MailboxId;
  readonly #modSeq: ModSeq;
  #from: MailboxId | null = null;
  #first = 0;
  #last = 0;
  /** The UID that the first one gets. */
  #uid = 0;

  constructor(work: Work, to: MailboxId, modSeq: ModSeq) {
    this.#work = work;
    this.#to = to;
    this.#modSeq = modSeq;
  }

  /** @param uid of the copy: one more than that of the copy before */
  add({ mailbox, uid: source }: RowPlace, uid: number): void {
    if (mailbox === this.#from && source === this.#last + 1 && uid - this.#uid === source - this.#first) {
      this.#last = source;
      return;
    }
    this.end();
    this.#from = mailbox;
    this.#first = source;
    this.#last = source;
    this.#uid = uid;
  }

  /** Writes what has been added. */
  end(): void {
    if (this.#from === null) return;
    this.#work.db.run(
      `INSERT INTO message (id, modseq, flags, keywords, body, size, header_size, internal_date, internal_zone, save_date,
       email, thread, prefix, lacking)
       SELECT ((?1 << 32) | ?2) + id - ((?3 << 32) | ?4), ?6, flags, keywords, body, size, header_size, internal_date,
       internal_zone, ?7, email, thread, prefix, lacking
       FROM message WHERE id BETWEEN (?3 << 32) | ?4 AND (?3 << 32) | ?5`,
      this.#to,
      this.#uid,
      this.#from,
      this.#first,
      this.#last,
      this.#modSeq,
      this.#work.now,
    );
    this.#from = null;
  }
}
