// Group commit: all that waits shares one transaction and its sync, each command inside a savepoint of its own. What the
// commands did is told only when it is on disk.

import { type Depth, depthOf, grows, perform, type StageChunk } from '../commands/table.ts';
import { type CommandKind, type CommandOf, stagedBodies } from '../commands.ts';
import { type Connection, isDiskFull, isSyncFailure, storeError } from '../engine.ts';
import type { Answer, Failure, Outcome, Request } from '../protocol.ts';
import type { BodyId, MailboxId } from '../rows.ts';
import { type Change, StoreError } from '../store.ts';
import { breakStage, discardStage } from './bodies.ts';
import { Numbers } from './numbers.ts';
import { joinQueueChanges } from './queue-changes.ts';
import { Views } from './views.ts';
import type { Published, Stages, Work } from './work.ts';

/** What a batch asks the rest of the writer, and what that wants to hear of. */
export interface Surroundings {
  /** Is the disk nearly full? */
  diskLow(): boolean;
  /** The disk is full. @returns whether something was given up for what has failed, to try it again */
  makeRoom(): boolean;
  stored(bodies: readonly BodyId[]): void;
  unused(body: BodyId): void;
  freed(body: BodyId): void;
  buried(mailbox: MailboxId): void;
  doomed(): void;
}

/** The whole transaction is gone, and with it what the commands before had done. */
class TransactionLost extends Error {}

export class Batch {
  readonly views = new Views();
  readonly stages: Stages = new Map();
  readonly numbers: Numbers;
  readonly #db: Connection;
  readonly #around: Surroundings;
  #synced: boolean | undefined;
  /** Set when a sync has failed: from then on nobody knows what is on disk. */
  #poison: StoreError | undefined;
  #syncFailed = false;

  constructor(db: Connection, around: Surroundings) {
    this.#db = db;
    this.#around = around;
    this.numbers = new Numbers(db);
  }

  /** Why no command is done any more, or undefined. */
  get broken(): Failure | undefined {
    return this.#poison && failureOf(this.#poison);
  }

  /** A sync has failed: what the kernel gives back of the log may be something else than what was written. */
  get syncFailed(): boolean {
    return this.#syncFailed;
  }

  /** Does the commands in one transaction; if that is lost, each in its own. */
  run(requests: readonly Request[]): Outcome {
    try {
      return this.#transaction(requests);
    } catch (error) {
      this.#rollBack();
      const cause = error instanceof TransactionLost ? error.cause : error;
      if (isDiskFull(cause) && this.#around.makeRoom()) return this.run(requests);
      this.distrust(cause);
      if (requests.length === 1 || this.#poison !== undefined) return this.#failed(requests, storeError(cause));
    }
    // One command may have filled the disk; the others are not to suffer for it.
    const outcomes = requests.map((request) => this.run([request]));
    return {
      kind: 'outcome',
      commit: this.numbers.commit,
      changes: outcomes.flatMap((outcome) => outcome.changes),
      answers: outcomes.flatMap((outcome) => outcome.answers),
    };
  }

  /** Runs work that is nobody's command, without a sync. @throws what the engine throws; then nothing was done */
  runUnsynced(action: () => void): void {
    this.#begin('written');
    try {
      action();
      this.#db.run('COMMIT');
    } catch (error) {
      this.#rollBack();
      this.distrust(error);
      throw error;
    }
  }

  /** Something failed, here or in a checkpoint. Was it a sync, then octets that were staged without one may be gone, and a
   * later sync would not tell. */
  distrust(error: unknown): void {
    if (!isSyncFailure(error)) return;
    this.#syncFailed = true;
    this.#poison ??= storeError(error);
  }

  /** No command is done any more. */
  giveUp(why: StoreError): void {
    this.#poison ??= why;
  }

  #transaction(requests: readonly Request[]): Outcome {
    if (this.#poison !== undefined) return this.#failed(requests, this.#poison);
    const depth = deepest(requests);
    const full = requests.some(({ command }) => grows(command)) && this.#around.diskLow();
    const changes: Change[] = [];
    const actions: (() => void)[] = [];
    const stored: BodyId[] = [];
    const answers: Answer[] = [];
    if (depth !== 'memory') this.#begin(depth);
    const commit = this.numbers.nextCommit;
    const state = {
      db: this.#db,
      numbers: this.numbers,
      commit,
      views: this.views,
      stages: this.stages,
      publish: (change: Published) => {
        // Adding the commit to a change without one makes a Change; a spread of a union loses that.
        changes.push({ commit, ...change } as Change);
      },
      after: (action: () => void) => actions.push(action),
      stored: (body: BodyId) => stored.push(body),
      unused: (body: BodyId) => actions.push(() => this.#around.unused(body)),
      freed: (body: BodyId) => actions.push(() => this.#around.freed(body)),
      buried: (mailbox: MailboxId) => actions.push(() => this.#around.buried(mailbox)),
      doomed: () => actions.push(() => this.#around.doomed()),
    };
    for (const request of requests) {
      const marks = [changes.length, actions.length, stored.length] as const;
      const failed = this.#command(request, state, answers, depth, full);
      if (!failed) continue;
      changes.length = marks[0];
      actions.length = marks[1];
      stored.length = marks[2];
      this.#giveUp(request.command, (action) => actions.push(action));
    }
    const saved = depth !== 'memory' && this.numbers.save(changes.length > 0);
    if (depth !== 'memory') this.#db.run('COMMIT');
    if (saved) this.numbers.saved();
    for (const action of actions) action();
    if (stored.length > 0) this.#around.stored(stored);
    const now = requests.reduce((latest, request) => Math.max(latest, request.now), 0);
    return { kind: 'outcome', commit: this.numbers.commit, changes: joinQueueChanges(changes, now), answers };
  }

  /** @returns whether it failed. @throws TransactionLost */
  #command(
    request: Request,
    state: Omit<Work, 'now' | 'origin'>,
    answers: Answer[],
    depth: Depth,
    full: boolean,
  ): boolean {
    const { id, command } = request;
    const work: Work = {
      ...state,
      now: 'now' in command ? command.now : request.now,
      origin: ('origin' in command ? command.origin : null) ?? null,
    };
    if (depth !== 'memory') this.#db.run('SAVEPOINT command');
    try {
      if (full && grows(command)) throw new StoreError('full', 'The disk is nearly full');
      const result = perform(work, command);
      if (depth !== 'memory') this.#db.run('RELEASE command');
      if (id !== 0) answers.push({ id, result });
      return false;
    } catch (error) {
      if (depth !== 'memory') {
        // Errors such as a full disk may have rolled back everything; that one is to be seen to before anything else.
        if (isDiskFull(error) || !this.#db.inTransaction)
          throw new TransactionLost('The transaction is lost', { cause: error });
        this.#db.run('ROLLBACK TO command');
        this.#db.run('RELEASE command');
      }
      if (id !== 0) answers.push({ id, failure: failureOf(error) });
      return true;
    }
  }

  #begin(depth: 'written' | 'durable'): void {
    // A transaction that may be lost with the power is not synced. The log is one file, written in order, and a sync
    // takes all of it to disk: once a later transaction is durable, so is every one before it. So a body staged without
    // a sync is on disk when the accept that links it is.
    const synced = depth === 'durable';
    if (this.#synced !== synced) {
      this.#db.exec(synced ? 'PRAGMA synchronous = FULL' : 'PRAGMA synchronous = NORMAL');
      this.#synced = synced;
    }
    this.#db.run('BEGIN IMMEDIATE');
  }

  #rollBack(): void {
    if (this.#db.inTransaction) this.#db.run('ROLLBACK');
  }

  #failed(requests: readonly Request[], error: StoreError): Outcome {
    for (const { command } of requests) this.#giveUp(command, (action) => action());
    const failure = failureOf(error);
    const answers = requests.flatMap(({ id }) => (id === 0 ? [] : [{ id, failure }]));
    return { kind: 'outcome', commit: this.numbers.commit, changes: [], answers };
  }

  /** A staged body is good for one command, also where that fails. */
  #giveUp(command: CommandOf<CommandKind> | StageChunk, later: (action: () => void) => void): void {
    const state = { stages: this.stages, unused: (body: BodyId) => this.#around.unused(body) };
    if (command.kind === 'stage') {
      breakStage(this, command.stage);
      return;
    }
    for (const { stage } of stagedBodies(command)) {
      if (stage !== null) later(() => discardStage(state, stage));
    }
  }
}

function deepest(requests: readonly Request[]): Depth {
  let depth: Depth = 'memory';
  for (const { command } of requests) {
    const own = depthOf(command);
    if (own === 'durable') return own;
    if (own === 'written') depth = own;
  }
  return depth;
}

/** An error as it goes between threads. */
export function failureOf(error: unknown): Failure {
  const { kind, message, stack, cause } = storeError(error);
  const detail = cause instanceof Error ? (cause.stack ?? cause.message) : (stack ?? message);
  return { kind, message, detail };
}
