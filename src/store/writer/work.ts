// What a command's function works with: the connection inside its transaction, the numbers to give out, and what to say
// and do once everything is on disk.

import type { Connection } from '../engine.ts';
import type { BodyId, Commit, MailboxId } from '../rows.ts';
import type { Change } from '../store.ts';
import type { Numbers } from './numbers.ts';
import type { Views } from './views.ts';

/** A body whose chunks arrive before its command. */
interface Stage {
  readonly body: BodyId;
  chunks: number;
  /** Octets of the chunk that came last. */
  last: number;
  /** A chunk could not be stored: no command can use the body. */
  broken: boolean;
}

/** The stages of this process, by the number that their session gave them. */
export type Stages = Map<number, Stage>;

/** A change without the number of its commit, which the batch adds. */
export type Published = Change extends infer Each ? (Each extends Change ? Omit<Each, 'commit'> : never) : never;

export interface Work {
  readonly db: Connection;
  readonly numbers: Numbers;
  /** The commit that this command will be part of. */
  readonly commit: Commit;
  /** ms since the epoch, by the clock of whoever sent the command. */
  readonly now: number;
  /** Of the session that sent the command, where it says so. */
  readonly origin: string | null;
  readonly views: Views;
  readonly stages: Stages;
  /** Tells followers, once the transaction is on disk; nothing if the command fails. */
  publish(change: Published): void;
  /** Does something in memory, once the transaction is on disk; nothing if the command fails. */
  after(action: () => void): void;
  /** A new body is in a mailbox: the deriver may look at it. */
  stored(body: BodyId): void;
  /** Nothing refers to a body any more. */
  unused(body: BodyId): void;
  /** A body is gone: whoever keeps something about it may forget it. */
  freed(body: BodyId): void;
  /** Messages of a mailbox became tombstones. */
  buried(mailbox: MailboxId): void;
  /** A mailbox or account is gone: its rows are to be freed. */
  doomed(): void;
}
