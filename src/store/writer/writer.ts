// The writer of mail.db: group commit, the log's cap and the freeing, put together over one connection.

import { statSync } from 'node:fs';
import { Connection, storeError } from '../engine.ts';
import { Limit } from '../limits.ts';
import type { FromWriter, Outcome, Request, ViewStep, WriterData, WriterToUpkeep } from '../protocol.ts';
import type { BodyId, MailboxId } from '../rows.ts';
import { StoreError } from '../store.ts';
import { Ballast } from './ballast.ts';
import { Batch } from './batch.ts';
import { DiskRoom } from './disk-room.ts';
import { LogKeeper } from './log-keeper.ts';
import { openMail, renew } from './mail-file.ts';
import type { Numbers } from './numbers.ts';
import { octetsOf } from './octets.ts';
import { Sweep } from './sweep.ts';

/** About what a command writes besides its body: a page in each table and index that it touches. */
const COMMAND_OCTETS = 16_384;

/** What SQLite makes a new database of. */
const PAGE_OCTETS = 4_096;

/** ms until freeing is tried again after it failed. */
const SWEEP_PAUSE = 30_000;

export class Writer {
  readonly #db: Connection;
  readonly #batch: Batch;
  readonly #sweep: Sweep;
  readonly #log: LogKeeper;
  readonly #room: DiskRoom;
  readonly #ballast: Ballast;
  readonly #data: WriterData;
  readonly #say: (message: FromWriter) => void;
  /** By the front's clock, ms. */
  #now = 0;
  /** When freeing last had its turn, by the thread's own monotonic clock: it measures spans only. */
  #sweptAt = 0;
  #pausedUntil = 0;
  #closed = false;
  /** The last transaction when the store got its number. */
  #numbered: number;
  /** Of mail.db, as it was opened. */
  readonly #inode: bigint | undefined | null;
  /** It has been said that no command is done any more. */
  #broken = false;
  /** Something happened since freeing last found nothing to do. */
  #dirty = true;

  /** Opens the store and brings it up to date. @param Kind of the connection @throws StoreError */
  constructor(data: WriterData, say: (message: FromWriter) => void, Kind = Connection) {
    this.#data = data;
    this.#say = say;
    const warn = (text: string) => say({ kind: 'warning', text });
    this.#ballast = new Ballast(data.ballast, data.walCap / 4, warn);
    this.#db = openMail(data, Kind, this.#ballast, warn);
    this.#inode = inodeOf(data.path);
    this.#room = new DiskRoom(data.path, data.diskReserve, () => this.#freePages() * PAGE_OCTETS, warn);
    this.#batch = new Batch(this.#db, {
      diskLow: () => this.#room.low(),
      makeRoom: () => this.#makeRoom(),
      stored: (bodies) => this.#tellUpkeep({ kind: 'stored', bodies }),
      unused: (body: BodyId) => this.#sweep.unused(body),
      freed: (body: BodyId) => this.#sweep.freed(body),
      buried: (mailbox: MailboxId) => this.#sweep.buried(mailbox, this.numbers.commit, this.#now),
      doomed: () => this.#sweep.doomed(),
    });
    this.#numbered = this.numbers.commit;
    this.#sweep = new Sweep(this.#db, this.#batch.views);
    this.#sweep.load(this.numbers.commit, this.#now, new Set());
    this.#log = new LogKeeper(this.#db, data.walCap, () => this.#tellUpkeep({ kind: 'checkpoint' }), warn);
  }

  get numbers(): Numbers {
    return this.#batch.numbers;
  }

  commit(requests: readonly Request[]): Outcome {
    this.#now = Math.max(this.#now, requests.at(-1)?.now ?? 0);
    const outcome = this.#batch.run(requests);
    this.#dirty = true;
    this.#tellBroken();
    this.#keepLog(requests.reduce((sum, request) => sum + octetsOf(request) + COMMAND_OCTETS, 0));
    return outcome;
  }

  view(step: ViewStep): void {
    const { views } = this.#batch;
    if (step.step === 'opened') views.open(step.view, step.mailbox, step.told);
    else if (step.step === 'told') views.acknowledge(step.view, step.told);
    else views.close(step.view);
    this.#dirty = true;
  }

  /** The front's clock, where nothing else tells it. */
  tick(now: number): void {
    const first = this.#now === 0;
    this.#now = Math.max(this.#now, now);
    this.#dirty = true;
    this.#lookForFile();
    this.#renewNumber();
    // What lives for less than a minute, such as a test's, needs none.
    if (!this.#closed && !first) this.#ballast.keep(this.#room.spare());
  }

  /** What is written to a file that was removed, or moved away for a backup to take its place, is lost. */
  #lookForFile(): void {
    const { path } = this.#data;
    if (this.#closed || this.#broken) return;
    const inode = inodeOf(path);
    // Whoever may not look knows nothing.
    if (inode === this.#inode || inode === null || this.#inode === null) return;
    this.#batch.giveUp(new StoreError('failed', `${path} is not the file any more that was opened`));
    this.#tellBroken();
  }

  checkpointed(): void {
    this.#guardLog(() => this.#log.checkpointed());
  }

  /** Should freeing have a turn at the next idle moment? Under constant load it is given one after some patience. */
  freeSoon(): boolean {
    if (this.#dirty && performance.now() - this.#sweptAt > Limit.sweepPatience) return this.free();
    return this.#dirty;
  }

  /** One slice of freeing. @returns whether there may be more to do */
  free(): boolean {
    if (this.#closed || this.#broken || !this.#dirty || this.#now < this.#pausedUntil) return false;
    if (!this.#sweep.due(this.#now)) {
      this.#dirty = false;
      this.#tellFreed();
      return false;
    }
    const start = performance.now();
    let more = true;
    let steps = 0;
    try {
      this.#batch.runUnsynced(() => {
        while (more && performance.now() - start < Limit.sweepSlice) {
          more = this.#sweep.step(this.#now);
          steps += 1;
        }
      });
    } catch (error) {
      this.#say({ kind: 'warning', text: `Freeing was put off: ${storeError(error).message}` });
      this.#tellBroken();
      this.#pausedUntil = this.#now + SWEEP_PAUSE;
      const staged = new Set([...this.#batch.stages.values()].map((stage) => stage.body));
      this.#sweep.load(this.numbers.commit, this.#now, staged);
      return false;
    }
    this.#dirty = more;
    this.#sweptAt = performance.now();
    this.#tellFreed();
    this.#keepLog(steps * COMMAND_OCTETS);
    return more;
  }

  close(): void {
    this.#closed = true;
    this.#data.upkeep.close();
    if (!this.#broken) renew(this.#db, this.#data.epoch, (text) => this.#say({ kind: 'warning', text }));
    if (!this.#batch.syncFailed) this.#tidyLog();
    this.#db.close();
  }

  /** The next start finds one file and nothing to recover. A reader elsewhere may prevent it; then the log stays. */
  #tidyLog(): void {
    try {
      this.#db.get('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch (error) {
      this.#say({ kind: 'warning', text: `The last checkpoint failed: ${storeError(error).message}` });
    }
  }

  /** A backup that was made while this run goes on is known as one also where the run is killed: but for the last minute. */
  #renewNumber(): void {
    if (this.#closed || this.#broken || this.numbers.commit === this.#numbered) return;
    this.#numbered = this.numbers.commit;
    const failed = renew(this.#db, this.#data.epoch, (text) => this.#say({ kind: 'warning', text }));
    this.#batch.distrust(failed);
    this.#tellBroken();
  }

  #makeRoom(): boolean {
    if (!this.#ballast.drop()) return false;
    // At once, before others take the room: the log as it lies there is then free for what deletes.
    this.#guardLog(() => this.#log.restart());
    return true;
  }

  #freePages(): number {
    return this.#db.get<{ freelist_count: number }>('PRAGMA freelist_count')?.freelist_count ?? 0;
  }

  #keepLog(octets: number): void {
    this.#guardLog(() => this.#log.committed(octets, performance.now()));
  }

  /** Without a checkpoint, such as on a full disk, the log grows: that is all. After a failed sync there is none any more: it
   * copies pages as they are, and what the kernel has dropped would take the place of what is whole. The next start takes
   * of the log what its checksums vouch for. */
  #guardLog(action: () => void): void {
    if (this.#closed || this.#batch.syncFailed) return;
    try {
      action();
    } catch (error) {
      this.#say({ kind: 'warning', text: `A checkpoint failed: ${storeError(error).message}` });
      this.#batch.distrust(error);
      this.#tellBroken();
    }
  }

  #tellBroken(): void {
    if (this.#batch.broken === undefined || this.#broken) return;
    this.#broken = true;
    this.#say({ kind: 'broken', failure: this.#batch.broken });
    if (this.#batch.syncFailed) this.#cutLog();
  }

  #cutLog(): void {
    try {
      this.#log.cut(`${this.#data.path}-wal`);
    } catch (error) {
      this.#say({ kind: 'warning', text: `What failed may be done at the next start: ${storeError(error).message}` });
    }
  }

  #tellFreed(): void {
    const bodies = this.#sweep.takeFreed();
    if (bodies.length > 0) this.#tellUpkeep({ kind: 'freed', bodies });
  }

  #tellUpkeep(message: WriterToUpkeep): void {
    this.#data.upkeep.postMessage(message);
  }
}

/** Undefined: there is no such file; null: it cannot be looked at. */
function inodeOf(path: string): bigint | undefined | null {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino;
  } catch {
    return null;
  }
}
