// flags: STORE of flags and keywords (RFC 3501 §6.4.6), conditional where asked (RFC 7162 §3.1.3).

import type { CommandOf, Results } from '../commands.ts';
import { joinKeywords, Keywords, splitKeywords } from '../keywords.ts';
import { Flag, type ModSeq } from '../rows.ts';
import { ALL_FLAGS, selectableMailbox } from '../writer/placement.ts';
import { type Standing, standing } from '../writer/standing.ts';
import type { Work } from '../writer/work.ts';

interface Changed {
  readonly uid: number;
  readonly flags: number;
  readonly keywords: readonly string[];
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
  let modSeq: ModSeq | undefined;
  let unseen = 0;
  let deleted = 0;
  for (const row of standing(work, mailbox.id, command.uids)) {
    if (command.unchangedSince !== null && row.modseq > command.unchangedSince) {
      modified.push(row.uid);
      continue;
    }
    const next = change(row, command, named);
    const text = joinKeywords(next.keywords);
    if (next.flags === row.flags && text === row.keywords) {
      after.push({ ...next, modSeq: row.modseq });
      continue;
    }
    modSeq ??= work.numbers.next('modseq');
    after.push({ ...next, modSeq });
    changed.push({ ...next, modSeq });
    unseen += bit(row.flags, Flag.Seen) - bit(next.flags, Flag.Seen);
    deleted += bit(next.flags, Flag.Deleted) - bit(row.flags, Flag.Deleted);
    work.db.run(
      'UPDATE message SET modseq = ?, flags = ?, keywords = ? WHERE id = (? << 32) | ?',
      modSeq,
      next.flags,
      text,
      mailbox.id,
      row.uid,
    );
  }
  if (modSeq !== undefined) {
    work.db.run(
      'UPDATE mailbox SET highest_modseq = ?, unseen = unseen + ?, deleted = deleted + ?, keywords = ? WHERE id = ?',
      modSeq,
      unseen,
      deleted,
      known.text,
      mailbox.id,
    );
    work.publish({
      kind: 'flags',
      mailbox: mailbox.id,
      account: mailbox.account,
      modSeq,
      ...columns(changed),
      view: command.view,
    });
  }
  return {
    modSeq: modSeq ?? mailbox.highest_modseq,
    ...columns(after),
    modSeqs: Float64Array.from(after, (row) => row.modSeq),
    modified: Uint32Array.from(modified),
  };
}

function change(row: Standing, command: CommandOf<'flags'>, named: readonly string[]): Omit<Changed, 'modSeq'> {
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

/** Two orders of the same keywords are no change. */
function sameSet(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((keyword) => others.includes(keyword));
}

function bit(flags: number, flag: number): 0 | 1 {
  return (flags & flag) === 0 ? 0 : 1;
}

/** Rows as the columns that replies and changes carry. */
function columns(rows: readonly Changed[]): Pick<Results['flags'], 'uids' | 'flags' | 'keywords'> {
  return {
    uids: Uint32Array.from(rows, (row) => row.uid),
    flags: Uint8Array.from(rows, (row) => row.flags),
    keywords: rows.some((row) => row.keywords.length > 0) ? rows.map((row) => row.keywords) : null,
  };
}
