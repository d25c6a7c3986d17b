// flags: STORE of flags and keywords (RFC 3501 §6.4.6), conditional where asked (RFC 7162 §3.1.3). What was expunged can be
// changed as long as it is kept: whoever names it has not been told, nor have others who then hear of the change.

import type { CommandOf, FlagScope, Results } from '../commands.ts';
import { joinKeywords, Keywords, splitKeywords } from '../keywords.ts';
import { Flag, type ModSeq } from '../rows.ts';
import { FlagRuns } from '../writer/flag-runs.ts';
import { ALL_FLAGS, selectableMailbox } from '../writer/placement.ts';
import { hasSeen, setPrivateSeen } from '../writer/private-seen.ts';
import { remaining, type Standing } from '../writer/standing.ts';
import type { Work } from '../writer/work.ts';

interface Unnumbered {
  readonly uid: number;
  readonly flags: number;
  readonly keywords: readonly string[];
}

interface Changed extends Unnumbered {
  readonly modSeq: number;
}

export function flags(work: Work, command: CommandOf<'flags'>): Results['flags'] {
  const mailbox = selectableMailbox(work, command.mailbox);
  const known = new Keywords(mailbox.keywords);
  // Keywords that are only taken away need not become known.
  const named = command.mode === 'remove' ? command.keywords : known.accept(command.keywords);
  const after: Changed[] = [];
  const changed: Changed[] = [];
  const modified: number[] = [];
  const seen: Changed[] = [];
  const seenBy = command.seenBy ?? null;
  const runs = new FlagRuns(work, mailbox.id);
  let modSeq: ModSeq | undefined;
  let unseen = 0;
  let deleted = 0;
  for (const row of remaining(work, mailbox.id, command.uids)) {
    // Only a view may not know that it is gone; and gone is not unchanged.
    if (row.expunged !== 0 && (command.view === null || command.unchangedSince !== null)) continue;
    if (command.unchangedSince !== null && row.modseq > command.unchangedSince) {
      modified.push(row.uid);
      continue;
    }
    const before =
      seenBy === null ? row : { ...row, flags: withSeen(row.flags, hasSeen(work, mailbox.id, seenBy, row.uid)) };
    const next = within(command.only, before, change(before, command, named));
    const text = joinKeywords(next.keywords);
    if (next.flags === before.flags && text === row.keywords) {
      after.push({ ...next, modSeq: row.modseq });
      continue;
    }
    modSeq ??= work.numbers.next('modseq');
    const told = { uid: row.uid, flags: next.flags, keywords: next.keywords, modSeq };
    after.push(told);
    // What all see of the message.
    const shared = seenBy === null ? next.flags : withSeen(next.flags, bit(row.flags, Flag.Seen) === 1);
    if (seenBy !== null && bit(next.flags, Flag.Seen) !== bit(before.flags, Flag.Seen)) {
      setPrivateSeen(work, mailbox.id, seenBy, row.uid, bit(next.flags, Flag.Seen) === 1);
      seen.push(told);
    }
    if (shared !== row.flags || text !== row.keywords) {
      changed.push(shared === told.flags ? told : { ...told, flags: shared });
    }
    if (row.expunged === 0) {
      unseen += bit(row.flags, Flag.Seen) - bit(shared, Flag.Seen);
      deleted += bit(shared, Flag.Deleted) - bit(row.flags, Flag.Deleted);
    }
    runs.set(row.uid, modSeq, shared, text);
  }
  runs.end();
  if (modSeq !== undefined) {
    work.db.run(
      'UPDATE mailbox SET highest_modseq = ?, unseen = unseen + ?, deleted = deleted + ?, keywords = ? WHERE id = ?',
      modSeq,
      unseen,
      deleted,
      known.text,
      mailbox.id,
    );
    const change = { mailbox: mailbox.id, account: mailbox.account, modSeq, view: command.view };
    if (changed.length > 0) work.publish({ kind: 'flags', ...change, ...columns(changed) });
    if (seenBy !== null && seen.length > 0) work.publish({ kind: 'seen', by: seenBy, ...change, ...columns(seen) });
  }
  return {
    modSeq: modSeq ?? mailbox.highest_modseq,
    ...columns(after),
    modSeqs: Float64Array.from(after, (row) => row.modSeq),
    modified: Uint32Array.from(modified),
  };
}

function change(row: Standing, command: CommandOf<'flags'>, named: readonly string[]): Unnumbered {
  const bits = command.flags & ALL_FLAGS;
  const { uid } = row;
  const before = splitKeywords(row.keywords);
  switch (command.mode) {
    case 'add':
      return {
        uid,
        flags: row.flags | bits,
        keywords: named.length === 0 ? before : [...new Set([...before, ...named])],
      };
    case 'remove': {
      const gone = new Set(named.map((keyword) => keyword.toLowerCase()));
      const keywords = gone.size === 0 ? before : before.filter((keyword) => !gone.has(keyword.toLowerCase()));
      return { uid, flags: row.flags & ~bits, keywords };
    }
    case 'replace':
      return { uid, flags: bits, keywords: sameSet(before, named) ? before : named };
  }
}

/** A message after a change of which only a part may be made. */
function within(only: FlagScope | undefined, row: Standing, next: Unnumbered): Unnumbered {
  if (only === undefined) return next;
  return {
    uid: row.uid,
    flags: (next.flags & only.flags) | (row.flags & ~only.flags),
    keywords: only.keywords ? next.keywords : splitKeywords(row.keywords),
  };
}

function withSeen(flags: number, seen: boolean): number {
  return seen ? flags | Flag.Seen : flags & ~Flag.Seen;
}

/** Two orders of the same keywords are no change. */
function sameSet(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((keyword) => others.includes(keyword));
}

function bit(flags: number, flag: number): 0 | 1 {
  return (flags & flag) === 0 ? 0 : 1;
}

/** Rows as the columns that replies and changes carry. */
function columns(rows: readonly Changed[]): Pick<Results['flags'], 'uids' | 'flags' | 'keywords'> {
  const uids = new Uint32Array(rows.length);
  const flags = new Uint8Array(rows.length);
  let named = false;
  for (const [at, row] of rows.entries()) {
    uids[at] = row.uid;
    flags[at] = row.flags;
    named ||= row.keywords.length > 0;
  }
  return { uids, flags, keywords: named ? rows.map((row) => row.keywords) : null };
}
