// The numbers that the store gives out, each kind counted in the meta row. A number is never given out twice: a command
// that fails leaves a gap.

import type { Connection } from '../engine.ts';
import type { AccountId, BodyId, Commit, EntryId, MailboxId, ModSeq, TransitId } from '../rows.ts';

/** What is counted, and the type of its numbers. */
interface Kinds {
  modseq: ModSeq;
  uid_validity: number;
  account: AccountId;
  mailbox: MailboxId;
  body: BodyId;
  email: number;
  transit: TransitId;
  entry: EntryId;
}

type Row = { -readonly [K in keyof Kinds]: number } & { commit_number: number };

export class Numbers {
  readonly #connection: Connection;
  readonly #last: Row;
  #dirty = false;
  #commit: Commit;

  constructor(connection: Connection) {
    this.#connection = connection;
    const row = connection.get<Row>(
      'SELECT commit_number, modseq, uid_validity, account, mailbox, body, email, transit, entry FROM meta',
    );
    if (row === undefined) throw new Error('The store has no meta row');
    this.#last = { ...row };
    // Numbers become branded here, where they are made.
    this.#commit = row.commit_number as Commit;
  }

  /** The last transaction that is on disk. */
  get commit(): Commit {
    return this.#commit;
  }

  /** The number that the transaction under way will have. */
  get nextCommit(): Commit {
    return (this.#commit + 1) as Commit; // branded where it is made
  }

  /** The next number of a kind. */
  next<K extends keyof Kinds>(kind: K): Kinds[K] {
    this.#dirty = true;
    this.#last[kind] += 1;
    return this.#last[kind] as Kinds[K]; // branded where it is made
  }

  /** Writes what was given out, inside the transaction. @returns whether there was anything to write */
  save(changed: boolean): boolean {
    if (!this.#dirty && !changed) return false;
    const { modseq, uid_validity, account, mailbox, body, email, transit, entry } = this.#last;
    this.#connection.run(
      `UPDATE meta SET commit_number = ?, modseq = ?, uid_validity = ?, account = ?, mailbox = ?, body = ?, email = ?,
       transit = ?, entry = ?`,
      this.nextCommit,
      modseq,
      uid_validity,
      account,
      mailbox,
      body,
      email,
      transit,
      entry,
    );
    return true;
  }

  /** The transaction whose numbers were saved is on disk. */
  saved(): void {
    this.#commit = this.nextCommit;
    this.#dirty = false;
  }
}
