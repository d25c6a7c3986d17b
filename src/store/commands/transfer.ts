// copy and move: messages go from one mailbox to another, all that still stand or none (RFC 3501 §6.4.7, RFC 6851).
// A copy is a row: the body is shared, and so is the e-mail id (RFC 8474 §5.1).

import type { CommandOf, CopyResult } from '../commands.ts';
import { splitKeywords } from '../keywords.ts';
import { Flag } from '../rows.ts';
import { holdBodies } from '../writer/bodies.ts';
import { type Copy, checkQuota, type MailboxState, place, selectableMailbox } from '../writer/placement.ts';
import { hasSeen } from '../writer/private-seen.ts';
import { type Standing, standing } from '../writer/standing.ts';
import type { Work } from '../writer/work.ts';
import { remove } from './expunge.ts';

export function copy(work: Work, command: CommandOf<'copy'>): CopyResult {
  const { from, to, rows } = ends(work, command);
  checkQuota(work, to.account, octetsOf(rows));
  return placeCopies(work, from, to, rows, command);
}

export function move(work: Work, command: CommandOf<'move'>): CopyResult {
  const { from, to, rows } = ends(work, command);
  // Within an account a move adds nothing to what is used.
  if (from.account !== to.account) checkQuota(work, to.account, octetsOf(rows));
  return moveRows(work, from, to, rows, command);
}

/** How messages are transferred: what of a command matters to each. */
type Terms = Pick<CommandOf<'copy'>, 'view' | 'keep' | 'seenFrom' | 'seenTo'>;

/** Moves messages that stand in `from`. The target is told first, so that no follower sees a message nowhere. */
export function moveRows(
  work: Work,
  from: MailboxState,
  to: MailboxState,
  rows: readonly Standing[],
  terms: Terms,
): CopyResult {
  const copies = placeCopies(work, from, to, rows, terms);
  if (rows.length > 0) remove(work, from, rows, terms.view);
  return copies;
}

function ends(work: Work, command: CommandOf<'copy' | 'move'>) {
  const from = selectableMailbox(work, command.from);
  const to = selectableMailbox(work, command.to);
  return { from, to, rows: standing(work, from.id, command.uids) };
}

function octetsOf(rows: readonly Standing[]): number {
  return rows.reduce((sum, row) => sum + row.size, 0);
}

function placeCopies(
  work: Work,
  from: MailboxState,
  to: MailboxState,
  rows: readonly Standing[],
  terms: Terms,
): CopyResult {
  const sources = Uint32Array.from(rows, (row) => row.uid);
  if (rows.length === 0) return { uidValidity: to.uid_validity, from: sources, to: new Uint32Array(0) };
  const copies = rows.map((row) => copyOf(work, from, row, terms));
  holdBodies(
    work,
    rows.map((row) => row.body),
  );
  const { uids } = place(work, to, copies, terms.view, terms.seenTo ?? null);
  return { uidValidity: to.uid_validity, from: sources, to: uids };
}

/** A copy has the flags of its source, as far as they are kept. */
function copyOf(work: Work, from: MailboxState, row: Standing, { keep, seenFrom }: Terms): Copy {
  const seen = seenFrom ? hasSeen(work, from.id, seenFrom, row.uid) : (row.flags & Flag.Seen) !== 0;
  const all = seen ? row.flags | Flag.Seen : row.flags & ~Flag.Seen;
  return {
    copyOf: { mailbox: from.id, uid: row.uid, flags: row.flags, keywords: row.keywords },
    size: row.size,
    flags: keep === undefined ? all : all & keep.flags,
    keywords: keep?.keywords === false ? [] : splitKeywords(row.keywords),
  };
}
