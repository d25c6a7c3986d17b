// Opens the Message Store in a folder: lock, threads, reads, and the front that holds them together.

import type { Worker } from 'node:worker_threads';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { startThread } from '../platform/start-thread.ts';
import { Connection, unopened } from './engine.ts';
import { checkFileSystem, lockStore } from './exclusion.ts';
import { makeFolder, storeFiles } from './folder.ts';
import { Feed } from './front/feed.ts';
import { Front } from './front/front.ts';
import { StagingBudget } from './front/staging.ts';
import { UpkeepLine } from './front/upkeep-line.ts';
import { Limit } from './limits.ts';
import type { FromWriter, UpkeepData, WriterData } from './protocol.ts';
import { MailboxIndex } from './reads/mailbox-index.ts';
import { createReads } from './reads/reads.ts';
import { Summaries } from './reads/summaries.ts';
import type { Commit } from './rows.ts';
import { type Store, StoreError } from './store.ts';

export interface StoreOptions {
  /** The data folder; made where it is missing, readable for its owner only. */
  readonly folder: string;
  readonly log: Log;
  readonly clock: Clock;
  /** A module that derives summaries (see upkeep/deriver.ts); null: there are none. */
  readonly deriver: URL | null;
  /** Octets of the write-ahead log. */
  readonly walCap?: number;
  /** Octets of the disk that mail leaves free (of a small one a quarter), so that deleting goes on working. */
  readonly diskReserve?: number;
  /** Octets of one body, and of all bodies under way. */
  readonly stagingPerSession?: number;
  readonly stagingTotal?: number;
}

/** Opens a store, or makes one. @throws StoreError refused: open elsewhere, of a newer version, on a network drive */
export async function openStore(options: StoreOptions): Promise<Store> {
  const files = storeFiles(options.folder);
  makeFolder(options.folder);
  checkFileSystem(options.folder);
  const lock = lockStore(files.lock);
  const channel = new MessageChannel();
  const walCap = options.walCap ?? Limit.walOctets;
  const writer = startWriter({
    path: files.mail,
    epoch: files.epoch,
    ballast: files.ballast,
    walCap,
    // The log at its cap, and as much again in mail.db.
    diskReserve: options.diskReserve ?? 2 * walCap,
    upkeep: channel.port1,
  });
  let upkeep: UpkeepLine | undefined;
  try {
    const commit = await ready(writer, options.log);
    const line = new UpkeepLine(
      startUpkeep({
        mail: files.mail,
        derived: files.derived,
        deriver: options.deriver?.href ?? null,
        writer: channel.port2,
      }),
      options.log,
    );
    upkeep = line;
    const mail = new Connection(files.mail, { readOnly: true, wait: Limit.checkpointWait, cache: 8_192 });
    const feed = new Feed(commit);
    const index = new MailboxIndex();
    const summaries = new Summaries(mail, files.derived, options.deriver?.href ?? null, line);
    line.onOpen = () => summaries.open();
    line.onUnfit = () => summaries.release();
    return new Front({
      writer,
      feed,
      index,
      read: createReads(mail, index, summaries, (seen) => feed.reached(seen)),
      budget: new StagingBudget(
        options.stagingPerSession ?? Limit.stagingPerSession,
        options.stagingTotal ?? Limit.stagingTotal,
      ),
      clock: options.clock,
      log: options.log,
      closeReaders: async () => {
        await line.close();
        summaries.close();
        // Last: the upkeep thread's could write, too.
        mail.close();
      },
      unlock: () => lock.close(),
    });
  } catch (error) {
    await upkeep?.close();
    await writer.terminate();
    lock.close();
    throw unopened(error, files.mail);
  }
}

function startWriter(data: WriterData): Worker {
  return startThread(new URL('./writer/thread.ts', import.meta.url), { name: 'store', data, transfer: [data.upkeep] });
}

function startUpkeep(data: UpkeepData): Worker {
  return startThread(new URL('./upkeep/thread.ts', import.meta.url), { name: 'upkeep', data, transfer: [data.writer] });
}

/** Waits until the writer has opened the store, and logs what it found there. @throws StoreError */
function ready(writer: Worker, log: Log): Promise<Commit> {
  return new Promise((resolve, reject) => {
    const done = () => {
      writer.off('message', hear).off('error', fail).off('exit', fail);
    };
    const hear = (message: FromWriter) => {
      if (message.kind === 'ready') {
        done();
        resolve(message.commit);
      } else if (message.kind === 'refused') {
        done();
        reject(new StoreError(message.failure.kind, message.failure.message));
      } else if (message.kind === 'warning') log.warn({ part: 'store' }, message.text);
    };
    const fail = (error: unknown) => {
      done();
      reject(new StoreError('failed', 'The store thread did not start', { cause: error }));
    };
    writer.on('message', hear).on('error', fail).on('exit', fail);
  });
}
