// The store as sessions have it: sends commands to the writer, publishes what they changed, and then answers them.

import type { Worker } from 'node:worker_threads';
import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import type { StageChunk } from '../commands/table.ts';
import { type CommandKind, type CommandOf, type StagedBody, stagedBodies } from '../commands.ts';
import { Limit } from '../limits.ts';
import type { Failure, FromWriter, Outcome, Request, ToWriter } from '../protocol.ts';
import type { MailboxIndex } from '../reads/mailbox-index.ts';
import { type Change, type Reads, type Staging, type Store, StoreError, type Topic, type Views } from '../store.ts';
import type { Feed } from './feed.ts';
import { BodyStaging, type StagingBudget } from './staging.ts';
import { ViewLine } from './view-line.ts';
import { WriterLine } from './writer-line.ts';

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: StoreError) => void;
}

/** What a front is put together from. */
export interface FrontParts {
  readonly writer: Worker;
  readonly feed: Feed;
  readonly index: MailboxIndex;
  readonly read: Reads;
  readonly budget: StagingBudget;
  readonly clock: Clock;
  readonly log: Log;
  /** Closes what reads beside the writer, and last what can only read. */
  readonly closeReaders: () => Promise<void>;
  /** Gives the store free for another server. */
  readonly unlock: () => void;
}

export class Front implements Store {
  readonly read: Reads;
  readonly views: Views;
  readonly #parts: FrontParts;
  readonly #line: WriterLine;
  readonly #waiting = new Map<number, Waiting>();
  /** Bodies that were finished and not yet used. */
  readonly #finished = new WeakMap<StagedBody, BodyStaging>();
  #lastId = 0;
  /** The writer has said that it does nothing any more. */
  #broken = false;
  #state: 'open' | 'closing' | 'failed' = 'open';
  #closing: Promise<void> | undefined;
  #drained: (() => void) | undefined;
  #stopTicking: () => void = () => {};
  readonly #failure = Promise.withResolvers<StoreError>();
  /** The writer has ended, be it by itself. */
  readonly #gone: Promise<void>;

  constructor(parts: FrontParts) {
    this.#parts = parts;
    this.#line = new WriterLine(parts.writer, (message, error) => this.#unsendable(message, error));
    this.read = parts.read;
    this.views = new ViewLine(this.#line, parts.feed);
    this.#gone = new Promise((resolve) => {
      parts.writer.once('exit', () => resolve());
    });
    parts.writer.on('message', (message: FromWriter) => this.#hear(message));
    parts.writer.on('error', (error) => this.#fail(error instanceof Error ? error : new Error(String(error))));
    parts.writer.on('exit', () => this.#fail(new Error('The store thread ended')));
    this.#tick();
  }

  // The writer's table gives each kind its own result: what arrives is what the caller's kind promises.
  readonly execute: Store['execute'] = (command) => this.#send(command) as Promise<never>;

  stage(): Staging {
    return new BodyStaging(this.#parts.budget, {
      chunk: async (stage, place, octets) => {
        await this.#send({ kind: 'stage', stage, place, octets });
      },
      discard: (stage) => this.#post({ id: 0, now: this.#parts.clock.now(), command: { kind: 'discard', stage } }),
      finished: (body, staging) => this.#finished.set(body, staging),
    });
  }

  get failed(): Promise<StoreError> {
    return this.#failure.promise;
  }

  follow(topic: Topic, listener: (change: Change) => void): () => void {
    return this.#parts.feed.follow(topic, listener);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #send(command: CommandOf<CommandKind> | StageChunk): Promise<unknown> {
    if (this.#state !== 'open') {
      throw new StoreError(this.#state === 'failed' ? 'failed' : 'closed', 'The store takes no commands any more');
    }
    const bodies = command.kind === 'stage' ? [] : stagedBodies(command);
    this.#lastId += 1;
    const id = this.#lastId;
    try {
      return await new Promise((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject });
        this.#post({ id, now: this.#parts.clock.now(), command });
      });
    } finally {
      for (const body of bodies) this.#finished.get(body)?.over();
    }
  }

  #post(request: Request): void {
    if (this.#state === 'failed') return;
    const { command } = request;
    this.#line.send({ ...request, command: portable(command) }, memoryOf(command));
  }

  /** A command with something in it that is no plain value: it is nobody's to answer. */
  #unsendable({ id }: ToWriter, error: unknown): void {
    if (typeof id !== 'number') return;
    this.#waiting.get(id)?.reject(new StoreError('failed', 'A command cannot be sent', { cause: error }));
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.#drained?.();
  }

  #hear(message: FromWriter): void {
    switch (message.kind) {
      case 'outcome':
        this.#settle(message);
        break;
      case 'broken':
        this.#broken = true;
        this.#parts.log.fatal({ detail: message.failure.detail }, 'The store takes nothing any more');
        this.#failure.resolve(new StoreError('failed', message.failure.message));
        break;
      case 'warning':
        this.#parts.log.warn({ part: 'store' }, message.text);
        break;
      default:
        // The two others are said before there is a front.
        break;
    }
  }

  #settle({ commit, changes, answers }: Outcome): void {
    const { feed, index, log } = this.#parts;
    for (const change of changes) index.apply(change);
    feed.publish(commit, changes, (error) => log.error({ err: error }, 'A follower of the store threw'));
    for (const answer of answers) {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if ('failure' in answer) waiting?.reject(this.#errorOf(answer.failure));
      else waiting?.resolve(answer.result);
    }
    if (this.#waiting.size === 0) this.#drained?.();
  }

  #errorOf({ kind, message, detail }: Failure): StoreError {
    const { log } = this.#parts;
    if (kind === 'failed') log.error({ detail }, 'The store could not do a command');
    else if (kind === 'full') log.warn({ part: 'store' }, message);
    return new StoreError(kind, message);
  }

  /** The writer is gone: nothing that waits can be answered by it. */
  #fail(error: Error): void {
    if (this.#state !== 'open' && this.#waiting.size === 0) return;
    if (this.#state === 'open') this.#parts.log.fatal({ err: error }, 'The store thread is gone');
    this.#state = 'failed';
    this.#failure.resolve(new StoreError('failed', 'The store thread is gone', { cause: error }));
    for (const [id, { reject }] of this.#waiting) {
      this.#waiting.delete(id);
      reject(new StoreError('failed', 'The store thread is gone', { cause: error }));
    }
    // Nothing more will be told: reads are not to wait for it.
    this.#parts.feed.close();
    this.#drained?.();
  }

  /** The writer knows no clock of its own. */
  #tick(): void {
    const { clock } = this.#parts;
    if (this.#state === 'open') this.#line.send({ id: 'tick', now: clock.now() });
    this.#stopTicking = clock.after(Limit.tick, () => this.#tick());
  }

  async #close(): Promise<void> {
    this.#stopTicking();
    const { feed, closeReaders, unlock } = this.#parts;
    if (this.#state === 'open') this.#state = 'closing';
    if (this.#waiting.size > 0) {
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
      });
    }
    feed.close();
    // Whoever closes a database last tidies up its log: the writer. Where that must not be done to it any more, it is a reader,
    // which cannot.
    if (!this.#broken) await closeReaders();
    this.#line.send({ id: 'close' });
    await this.#gone;
    if (this.#broken) await closeReaders();
    unlock();
  }
}

/** Octets in memory of their own, which goes over to the writer. */
function memoryOf(command: Request['command']): ArrayBuffer[] {
  if (command.kind === 'stage') return [command.octets.buffer];
  return stagedBodies(command).flatMap(({ tail }) => (tail.length < Limit.copiedOctets ? [] : [tail.buffer]));
}

/** The command with octets in memory of their own: a message takes the whole memory of a view along. */
function portable(command: Request['command']): Request['command'] {
  switch (command.kind) {
    case 'accept':
      return {
        ...command,
        deliveries: command.deliveries.map((delivery) => ({ ...delivery, prefix: compact(delivery.prefix) })),
        dispatch: command.dispatch && { ...command.dispatch, prefix: compact(command.dispatch.prefix) },
      };
    case 'settle': {
      // The same kind comes back, which the union of kinds does not say.
      const reports = command.reports.map((report) => portable(report) as CommandOf<'accept'>);
      return { ...command, reports };
    }
    case 'annotate':
      return {
        ...command,
        entries: command.entries.map((set) => ({ ...set, value: set.value && compact(set.value) })),
      };
    default:
      return command;
  }
}

function compact(octets: Uint8Array): Uint8Array {
  return octets.byteLength === octets.buffer.byteLength ? octets : new Uint8Array(octets);
}
