// What a client missed since it was last here (RFC 7162 §3.2.5, §3.2.6): UIDs that vanished, then flags that changed.
// What is in the client's view is never called vanished here: if it is gone, that is news, and comes as such.

import { MAX_UID } from '../../store/limits.ts';
import type { ModSeq } from '../../store/rows.ts';
import type { UidRun } from '../../store/store.ts';
import type { Remembered } from '../grammar/resynchronisation.ts';
import { flagReport } from '../render/flag-report.ts';
import type { SetRange } from '../search/keys.ts';
import { rangesOf } from '../search/number-set.ts';
import type { SelectedMailbox } from '../selected-mailbox.ts';
import { common, orderly, vanishedLines, without } from '../vanished.ts';
import type { View } from '../view.ts';
import type { Session } from './command.ts';

/** After SELECT with QRESYNC. Says nothing where UIDVALIDITY is another one: then nothing that is remembered counts. */
export async function resynchronise(session: Session, mailbox: SelectedMailbox, memory: Remembered): Promise<void> {
  const { row, view } = mailbox;
  if (memory.uidValidity !== row.uidValidity) return;
  const since = memory.modSeq as ModSeq; // as a client says it
  const lowest = memory.match ? lastMatch(view, memory.match) + 1 : 1;
  const asked = memory.known && rangesOf(memory.known, 0);
  const known = asked ? [...asked] : [{ first: 1, last: MAX_UID }];
  await tellVanished(session, mailbox, since, common(known, [{ first: lowest, last: row.uidNext - 1 }]));
  let at: ModSeq = since;
  let after: number | undefined;
  for (;;) {
    await session.writer.ready();
    const { rows } = await session.store.read.changedSince(row.id, at, after);
    for (const message of rows) {
      const sequence = view.sequenceOf(message.uid);
      if (sequence === 0 || asked?.has(message.uid) === false) continue;
      const recent = view.isRecent(message.uid);
      mailbox.introduce(message.keywords);
      session.writer.line(flagReport({ sequence, uid: message.uid }, message, { recent }, session.enabled));
      view.flagsTold(message.uid, message.modSeq);
    }
    const last = rows.at(-1);
    if (!last) return;
    at = last.modSeq;
    after = last.uid;
  }
}

/** VANISHED (EARLIER), of what is within `asked`. @param asked orderly */
export async function tellVanished(
  { store, writer }: Session,
  { id, view }: SelectedMailbox,
  since: ModSeq,
  asked: readonly UidRun[],
): Promise<void> {
  const { runs } = await store.read.vanishedSince(id, since);
  const gone = without(common(orderly(runs), asked), view.all);
  for (const line of vanishedLines(gone, true)) {
    writer.line(line);
    if (writer.full) await writer.ready();
  }
}

/** RFC 7162 §3.2.5.2: the highest UID that has the number that the client remembers. Messages only go, so all below it
 * are those that the client knows. 0: there is none. */
function lastMatch(view: View, match: NonNullable<Remembered['match']>): number {
  const sequences = numbers(match.sequences);
  const uids = numbers(match.uids);
  let last = 0;
  let before = 0;
  for (;;) {
    const sequence = sequences.next().value;
    const uid = uids.next().value;
    if (sequence === undefined || uid === undefined || sequence > view.exists) return last;
    // RFC 7162 §7: in ascending order. What is not is worth no more of our time.
    if (sequence <= before) return last;
    before = sequence;
    if (view.uidOf(sequence) === uid) last = uid;
  }
}

function* numbers(set: readonly SetRange[]): Generator<number, undefined> {
  for (const { first, last } of set) for (let number = Number(first); number <= Number(last); number++) yield number;
}
