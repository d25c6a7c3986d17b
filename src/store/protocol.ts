// What the store's threads say to each other: plain values over MessagePorts. The front is the thread whose sessions use
// the store, the writer owns mail.db, the upkeep thread does what nobody waits for.

import type { StageChunk } from './commands/table.ts';
import type { CommandKind, CommandOf } from './commands.ts';
import type { BodyId, Commit, MailboxId, ViewId } from './rows.ts';
import type { Change, StoreError } from './store.ts';

/** Front to writer, in parcels of one or more: a command (id 0 wants no answer), what becomes of a view, the time, or the
 * end. `now` is ms by the front's clock. */
export interface Request {
  readonly id: number;
  readonly now: number;
  readonly command: CommandOf<CommandKind> | StageChunk;
}

/** What becomes of a view: the writer takes it as soon as it sees it, before whatever else waits. */
export type ViewStep = { readonly id: 'view'; readonly view: ViewId } & (
  | { readonly step: 'opened'; readonly mailbox: MailboxId; readonly told: Commit }
  | { readonly step: 'told'; readonly told: Commit }
  | { readonly step: 'closed' }
);

export type ToWriter = Request | ViewStep | { readonly id: 'tick'; readonly now: number } | { readonly id: 'close' };

/** An error on its way between threads. `detail` is for the log. */
export interface Failure {
  readonly kind: StoreError['kind'];
  readonly message: string;
  readonly detail: string;
}

export type Answer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly failure: Failure };

/** Writer to front: what one transaction did. Changes first, in their order, then the answers. */
export interface Outcome {
  readonly kind: 'outcome';
  readonly commit: Commit;
  readonly changes: readonly Change[];
  readonly answers: readonly Answer[];
}

export type FromWriter =
  | Outcome
  | { readonly kind: 'ready'; readonly commit: Commit }
  | { readonly kind: 'refused'; readonly failure: Failure }
  /** A sync has failed: no command is done any more. */
  | { readonly kind: 'broken'; readonly failure: Failure }
  | { readonly kind: 'warning'; readonly text: string };

/** What the writer thread is started with. */
export interface WriterData {
  readonly path: string;
  /** The file beside it that tells whether it was put back from a backup. */
  readonly epoch: string;
  /** The file that is given up where the disk is full. */
  readonly ballast: string;
  readonly walCap: number;
  /** Octets of the disk that mail leaves free. */
  readonly diskReserve: number;
  readonly upkeep: MessagePort;
}

/** What the upkeep thread is started with. */
export interface UpkeepData {
  readonly mail: string;
  readonly derived: string;
  /** Module that derives summaries, as a URL; null: none are kept. */
  readonly deriver: string | null;
  readonly writer: MessagePort;
}

/** Writer to upkeep. */
export type WriterToUpkeep =
  | { readonly kind: 'checkpoint' }
  | { readonly kind: 'stored' | 'freed'; readonly bodies: readonly BodyId[] };

/** Upkeep to writer: the database has what could be copied from the log. */
export interface UpkeepToWriter {
  readonly kind: 'checkpointed';
}

/** Front to upkeep: keep what was derived, derive this now, make derived.db anew (the front has let go of it), the end. */
export type ToUpkeep =
  | { readonly kind: 'keep'; readonly summaries: readonly (readonly [BodyId, Uint8Array])[] }
  | { readonly kind: 'derive'; readonly id: number; readonly body: BodyId }
  | { readonly kind: 'released' }
  | { readonly kind: 'close' };

/** Upkeep to front. `open`: derived.db can be read. `unfit`: it cannot any more, and is made anew when it is released. */
export type FromUpkeep =
  | { readonly kind: 'open' | 'unfit' }
  | {
      readonly kind: 'derived';
      readonly id: number;
      readonly summary: Uint8Array | null;
      readonly error: string | null;
    }
  | { readonly kind: 'warning'; readonly text: string };
