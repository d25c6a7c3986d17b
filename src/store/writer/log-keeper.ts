// Keeps the write-ahead log under its cap. The upkeep thread copies pages to the database while commits go on; the
// writer only finishes the little that is left, if anything, between two commits, so that the next one begins the log
// anew.

import { statSync, truncateSync } from 'node:fs';
import type { Connection } from '../engine.ts';
import { Limit } from '../limits.ts';

/** Octets of the log's header, and of a page in it: page and frame header. */
const HEADER = 32;
const FRAME = 4_096 + 24;

/** Transactions between two looks at the log, unless they were large. */
const LOOK_EVERY = 32;
const LOOK_OCTETS = 2_097_152;

/** How often at most the writer waits for readers when the log is over its cap, and how long, ms. A session's read is
 * over by then; for a reader that is not, nobody waits longer. */
const RESTART_EVERY = 5_000;
const RESTART_WAIT = 100;

interface LogState {
  readonly log: number;
  readonly checkpointed: number;
}

export class LogKeeper {
  readonly #db: Connection;
  readonly #cap: number;
  readonly #ask: () => void;
  readonly #warn: (text: string) => void;
  #transactions = 0;
  #octets = 0;
  #asked = false;
  #restartedAt = Number.NEGATIVE_INFINITY;

  /** @param ask lets the upkeep thread begin a checkpoint, which it reports by `checkpointed` */
  constructor(db: Connection, cap: number, ask: () => void, warn: (text: string) => void) {
    this.#db = db;
    this.#cap = cap;
    this.#ask = ask;
    this.#warn = warn;
  }

  /** A transaction of about so many octets was committed at `now` ms. Call between transactions. */
  committed(octets: number, now: number): void {
    this.#transactions += 1;
    this.#octets += octets;
    if (this.#transactions < LOOK_EVERY && this.#octets < LOOK_OCTETS) return;
    this.#transactions = 0;
    this.#octets = 0;
    this.#look(now);
  }

  /** The upkeep thread has done what it could. */
  checkpointed(): void {
    this.#asked = false;
    const { log, checkpointed } = this.#checkpoint('NOOP');
    if (checkpointed < log) this.#checkpoint('PASSIVE');
  }

  /** Copies all of the log to the database, for which readers are waited for, so that the next transaction begins it anew
   * in the room that it has. Call between transactions. */
  restart(): LogState {
    this.#db.exec(`PRAGMA busy_timeout = ${RESTART_WAIT}`);
    try {
      return this.#checkpoint('RESTART');
    } finally {
      this.#db.exec(`PRAGMA busy_timeout = ${Limit.checkpointWait}`);
    }
  }

  /** Takes away what is behind the last transaction: one whose sync has failed was answered so, and would be done at the next
   * start. Call between transactions. @throws what the file system throws */
  cut(path: string): void {
    const { log } = this.#checkpoint('NOOP');
    const end = HEADER + log * FRAME;
    if (log >= 0 && statSync(path).size > end) truncateSync(path, end);
  }

  #look(now: number): void {
    const { log, checkpointed } = this.#checkpoint('NOOP');
    if (log * FRAME > this.#cap && now - this.#restartedAt >= RESTART_EVERY) {
      this.#restartedAt = now;
      const { log: left, checkpointed: done } = this.restart();
      if (left !== done) this.#warn('The write-ahead log is over its cap: a reader holds an old state of the store');
    } else if (!this.#asked && (log - checkpointed) * FRAME > this.#cap / 4) {
      this.#asked = true;
      this.#ask();
    }
  }

  #checkpoint(mode: 'NOOP' | 'PASSIVE' | 'RESTART'): LogState {
    return this.#db.get<LogState>(`PRAGMA wal_checkpoint(${mode})`) ?? { log: 0, checkpointed: 0 };
  }
}
