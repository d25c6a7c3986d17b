// A read: one short transaction on this thread's own read-only connection. It begins and ends within one call, so that
// no statement is ever open across an await, where it would pin the log for everybody.

import type { Connection } from '../engine.ts';
import type { Commit } from '../rows.ts';

export class Snapshots {
  readonly db: Connection;
  readonly #reached: (commit: Commit) => Promise<void> | undefined;

  /** @param reached when changes up to a commit have been published on this thread; undefined: they have been */
  constructor(db: Connection, reached: (commit: Commit) => Promise<void> | undefined) {
    this.db = db;
    this.#reached = reached;
  }

  /** Reads in one snapshot. */
  read<T>(look: (db: Connection) => T): T {
    this.db.run('BEGIN');
    try {
      return look(this.db);
    } finally {
      // SQLite has ended it where the disk could not be read: then that is what went wrong.
      if (this.db.inTransaction) this.db.run('COMMIT');
    }
  }

  /** As `read`, and answers when whoever follows has been told of every change that the snapshot has. */
  async readTold<T>(look: (db: Connection, commit: Commit) => T): Promise<T> {
    const { commit, result } = this.read((db) => {
      const commit = commitOf(db);
      return { commit, result: look(db, commit) };
    });
    await this.#reached(commit);
    return result;
  }
}

function commitOf(db: Connection): Commit {
  const row = db.get<{ commit_number: Commit }>('SELECT commit_number FROM meta');
  if (row === undefined) throw new Error('The store has no meta row');
  return row.commit_number;
}
