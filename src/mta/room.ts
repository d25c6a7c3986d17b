// Room for more mail, looked at before a byte of it is taken (RFC 5321 §4.2.3: 452): on the disk for any message, in the
// queue for what goes elsewhere. Mail between local mailboxes need not wait for a queue that is full.

import { Refusal } from '../formats/refusal.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Store } from '../store/store.ts';
import { storeRefusal } from './store-refusal.ts';

export interface Room {
  /** At MAIL. @param size as declared (RFC 1870), octets @throws Refusal */
  message(size: number): Promise<void>;
  /** At RCPT of an address elsewhere: the refusal, or null. */
  remote(): Promise<Refusal | null>;
}

export interface RoomOptions {
  readonly store: {
    readonly read: Pick<Store['read'], 'spare'> & { readonly queue: Pick<Store['read']['queue'], 'size'> };
  };
  /** Of the disk that the store is on; null: nobody knows. */
  readonly disk: () => Promise<{ readonly free: number; readonly size: number } | null>;
  readonly limits: {
    /** Octets of the disk that mail leaves free. */
    readonly diskFree: number;
    /** Entries of the queue. */
    readonly queueEntries: number;
  };
  readonly clock: Clock;
  readonly log: Log;
}

/** ms that an answer holds: a flood of messages costs a look a second. */
const AGE = 1_000;
/** Of a small disk no more than this part is kept free. */
const PART = 4;

export function createRoom({ store, disk, limits, clock, log }: RoomOptions): Room {
  /** Octets that mail may still take. */
  const left = remembered(clock, async () => {
    const found = await disk();
    if (found === null) return Number.POSITIVE_INFINITY;
    return found.free + (await store.read.spare()) - Math.min(limits.diskFree, found.size / PART);
  });
  const entries = remembered(clock, () => store.read.queue.size(limits.queueEntries));
  const told = { disk: false, queue: false };
  const tell = (what: keyof typeof told, full: boolean): void => {
    if (full && !told[what]) log.warn({ part: what }, `the ${what} is full: mail is put off until there is room`);
    told[what] = full;
  };
  return {
    async message(size) {
      const room = await asked(left);
      tell('disk', room < 0);
      if (room < size) throw new Refusal(452, '4.3.1', 'Insufficient system storage', 'the disk is nearly full');
    },
    async remote() {
      const full = (await asked(entries)) >= limits.queueEntries;
      tell('queue', full);
      return full ? new Refusal(452, '4.3.1', 'Too much mail is waiting to leave', 'the queue is full') : null;
    },
  };
}

/** @throws Refusal where the store cannot say */
async function asked(ask: () => Promise<number>): Promise<number> {
  try {
    return await ask();
  } catch (error) {
    throw storeRefusal(error);
  }
}

/** Asks again once the answer is old; who asks meanwhile shares it. */
function remembered(clock: Clock, ask: () => Promise<number>): () => Promise<number> {
  let known: { readonly answer: Promise<number>; readonly until: number } | null = null;
  return () => {
    if (known === null || known.until <= clock.now()) {
      known = { answer: ask(), until: clock.now() + AGE };
    }
    return known.answer;
  };
}
