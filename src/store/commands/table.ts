// The table of commands: which function does each, and what it asks of the disk.

import type { CommandKind, CommandOf, Results } from '../commands.ts';
import { discardStage, stageChunk } from '../writer/bodies.ts';
import type { Work } from '../writer/work.ts';
import { accept } from './accept.ts';
import { accessKey, forgetAccessKeys } from './access-keys.ts';
import { changeAccount, putAccount, removeAccount, setPassword } from './accounts.ts';
import { annotate } from './annotations.ts';
import { append } from './append.ts';
import { expunge } from './expunge.ts';
import { flags } from './flags.ts';
import { createMailbox, deleteMailbox, renameMailbox, subscribe } from './mailboxes.ts';
import { forgetOnce } from './once.ts';
import { count, queueControl, settle, suspendDestination } from './queue.ts';
import { countTlsResults, putShownProtection, putStsPolicy } from './receivers.ts';
import { claimRecent } from './recent.ts';
import { setRights } from './rights.ts';
import { makeTlsReport, putReceivedTlsReport, settleTlsPost } from './tls-reports.ts';
import { copy, move } from './transfer.ts';

/** One chunk of a body ahead of its command: sent by the store's own front, never by its callers. */
export interface StageChunk {
  readonly kind: 'stage';
  readonly stage: number;
  /** Which chunk, from 0. */
  readonly place: number;
  /** In memory of their own. */
  readonly octets: Uint8Array<ArrayBuffer>;
}

/** How far a command must get before it is answered. `memory`: nothing is written. `written`: the operating system has
 * it; losing it with the power harms nobody. `durable`: it is on disk. */
export type Depth = 'memory' | 'written' | 'durable';

type Handler<K extends CommandKind> = (work: Work, command: CommandOf<K>) => Results[K];

interface Row<K extends CommandKind> {
  readonly depth: Depth;
  /** Brings octets, and is refused while the disk is nearly full. What gives room, or reports a failure, is not. */
  readonly grows?: true;
  readonly run: Handler<K>;
}

const commands: { readonly [K in CommandKind]: Row<K> } = {
  accept: { depth: 'durable', grows: true, run: accept },
  settle: {
    depth: 'durable',
    run: (work, command) => {
      settle(work, command.settlements);
      for (const report of command.reports) accept(work, report);
      if (command.doubleBounces !== undefined) count(work, 'double bounces', command.doubleBounces);
      return undefined;
    },
  },
  append: { depth: 'durable', grows: true, run: append },
  flags: { depth: 'durable', run: flags },
  copy: { depth: 'durable', run: copy },
  move: { depth: 'durable', run: move },
  expunge: { depth: 'durable', run: expunge },
  'create-mailbox': { depth: 'durable', run: createMailbox },
  'delete-mailbox': { depth: 'durable', run: quiet(deleteMailbox) },
  'rename-mailbox': { depth: 'durable', run: quiet(renameMailbox) },
  'access-key': { depth: 'durable', run: accessKey },
  'forget-access-keys': { depth: 'durable', run: quiet(forgetAccessKeys) },
  'set-rights': { depth: 'durable', run: quiet(setRights) },
  annotate: { depth: 'durable', run: quiet(annotate) },
  subscribe: { depth: 'durable', run: quiet(subscribe) },
  // \Recent that is claimed twice after a power failure is shown twice: no reason to sync.
  'claim-recent': { depth: 'written', run: claimRecent },
  'put-account': { depth: 'durable', run: putAccount },
  'set-password': { depth: 'durable', run: quiet(setPassword) },
  'change-account': { depth: 'durable', run: quiet(changeAccount) },
  'remove-account': { depth: 'durable', run: quiet(removeAccount) },
  'queue-control': { depth: 'durable', run: queueControl },
  'suspend-destination': { depth: 'durable', run: suspendDestination },
  // Lost with the power, they are learnt again.
  'put-sts-policy': { depth: 'written', run: quiet(putStsPolicy) },
  'put-shown-protection': { depth: 'written', run: quiet(putShownProtection) },
  // A key that is forgotten twice, or after a power failure never, harms nobody.
  'forget-once': { depth: 'written', run: quiet(forgetOnce) },
  'count-tls-results': { depth: 'written', run: quiet(countTlsResults) },
  'make-tls-report': { depth: 'durable', grows: true, run: makeTlsReport },
  // Handed over twice, it is known by its id.
  'settle-tls-post': { depth: 'written', run: quiet(settleTlsPost) },
  'put-received-tls-report': { depth: 'durable', grows: true, run: putReceivedTlsReport },
  discard: {
    depth: 'memory',
    run: (work, command) => {
      work.after(() => discardStage(work, command.stage));
      return undefined;
    },
  },
};

/** A command whose result is that it was done. */
function quiet<C>(run: (work: Work, command: C) => void): (work: Work, command: C) => undefined {
  return (work, command) => {
    run(work, command);
    return undefined;
  };
}

export function depthOf(command: CommandOf<CommandKind> | StageChunk): Depth {
  if (command.kind === 'stage') return 'written';
  return commands[command.kind].depth;
}

export function grows(command: CommandOf<CommandKind> | StageChunk): boolean {
  return command.kind === 'stage' || commands[command.kind].grows === true;
}

export function perform(work: Work, command: CommandOf<CommandKind> | StageChunk): unknown {
  if (command.kind === 'stage') return stageChunk(work, command.stage, command.place, command.octets);
  // The table pairs each kind with its function, which the type of an index by union cannot say.
  const { run } = commands[command.kind] as { run(work: Work, command: CommandOf<CommandKind>): unknown };
  return run(work, command);
}
