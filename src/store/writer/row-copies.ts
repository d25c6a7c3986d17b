// Rows that are copied. All but what a copy has of its own (UID, MODSEQ, save date: RFC 8514 §1) is taken over by SQLite, so
// that a row never leaves it; neighbours that stay neighbours, with their flags as they are, by one statement.

import type { MailboxId, ModSeq } from '../rows.ts';
import type { Work } from './work.ts';

/** A row to copy. */
export interface RowSource {
  readonly mailbox: MailboxId;
  readonly uid: number;
  readonly flags: number;
  /** As the column holds them. */
  readonly keywords: string | null;
}

/** @param flags expressions for the two columns that a copy may change */
const copySql = (
  flags: string,
) => `INSERT INTO message (id, modseq, save_date, flags, keywords, body, size, header_size,
  internal_date, internal_zone, email, thread, prefix, lacking)
  SELECT ((?1 << 32) | ?2) + id - ((?3 << 32) | ?4), ?6, ?7, ${flags}, body, size, header_size,
  internal_date, internal_zone, email, thread, prefix, lacking
  FROM message WHERE id BETWEEN (?3 << 32) | ?4 AND (?3 << 32) | ?5`;
const sql = { asTheyAre: copySql('flags, keywords'), changed: copySql('?8, ?9') } as const;

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

  /** @param uid of the copy: one more than that of the copy before @param flags and @param keywords that it has */
  add(source: RowSource, uid: number, flags: number, keywords: string | null): void {
    const same = flags === source.flags && keywords === source.keywords;
    const next = source.mailbox === this.#from && source.uid === this.#last + 1;
    if (same && next && uid - this.#uid === source.uid - this.#first) {
      this.#last = source.uid;
      return;
    }
    this.end();
    if (!same) {
      this.#work.db.run(sql.changed, ...this.#values(source.mailbox, uid, source.uid, source.uid), flags, keywords);
      return;
    }
    this.#from = source.mailbox;
    this.#first = source.uid;
    this.#last = source.uid;
    this.#uid = uid;
  }

  /** Writes what has been added. */
  end(): void {
    if (this.#from === null) return;
    this.#work.db.run(sql.asTheyAre, ...this.#values(this.#from, this.#uid, this.#first, this.#last));
    this.#from = null;
  }

  #values(from: MailboxId, uid: number, first: number, last: number): number[] {
    return [this.#to, uid, from, first, last, this.#modSeq, this.#work.now];
  }
}
