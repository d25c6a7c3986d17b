// SEARCH and UID SEARCH (RFC 3501 §6.4.4, RFC 7162 §3.1.5): the messages that this client knows, judged page by page. What a key means is
// src/imap/search's business.

import type { MessageRow, Uid } from '../../store/rows.ts';
import { ok, uidRequired } from '../completion.ts';
import { searchProgram } from '../grammar/search-program.ts';
import { LIMIT } from '../limits.ts';
import { readOctets } from '../message-octets.ts';
import { Progress } from '../progress.ts';
import { openSummary } from '../render/summary.ts';
import type { SearchContent } from '../search/message-text.ts';
import { compileSearch, type RequiredFlags, type SearchMessage } from '../search/program.ts';
import { command, SELECTED, type Session } from './command.ts';
import { enableCondstore } from './enable.ts';

/** What one row costs of a turn, beside what is read of its body. */
const ROW_COST = 256;

/** search = "SEARCH" [SP "CHARSET" SP astring] 1*(SP search-key) */
export const search = command({
  name: 'SEARCH',
  states: SELECTED,
  uid: 'allowed',
  expunge: 'told in UID form',
  grammar(scanner) {
    scanner.space();
    return searchProgram(scanner);
  },
  async run(session, program, byUid) {
    const { mailbox, store } = session;
    const { id, view } = mailbox;
    const { all } = view;
    const { flags, modSeq, sequences, judge, matches } = compileSearch(program, {
      sequence: all.length,
      uid: all.at(-1) ?? 0,
    });
    if (sequences && session.enabled.uidOnly) throw uidRequired();
    if (modSeq) enableCondstore(session);
    const uids = await withFlags(session, all, flags);
    if (flags.decide) {
      await answer(session, byUid ? uids : uids.map((uid) => view.sequenceOf(uid as Uid /* of the view */)));
      return ok('Searched');
    }
    const found: number[] = [];
    let highest = 0;
    const progress = new Progress(session);
    for (let at = 0; at < uids.length; at += LIMIT.page) {
      const { rows } = await store.read.messages(id, uids.subarray(at, at + LIMIT.page));
      for (const [place, row] of rows.entries()) {
        progress.report(at + place, uids.length);
        const message = searchMessage(row, view.sequenceOf(row.uid), view.isRecent(row.uid));
        const hit = judge(message) ?? (await matches(message, contentOf(session, row)));
        if (hit) {
          found.push(byUid ? row.uid : message.sequence);
          highest = Math.max(highest, row.modSeq);
        }
        session.turn.spend(ROW_COST);
        if (session.turn.over) await session.turn.pass();
      }
    }
    await answer(session, found, modSeq && found.length > 0 ? ` (MODSEQ ${highest})` : '');
    return ok('Searched');
  },
});

/** Those of the view's messages that have the flags, which the store has at hand: no row is read for the others. One
 * that is gone, and of which this client has not been told, is among them only where no flag is asked for. */
async function withFlags({ mailbox, store }: Session, uids: Uint32Array, { set, clear }: RequiredFlags) {
  if (set === 0 && clear === 0) return uids;
  const found = await store.read.uidsWith(mailbox.id, set, clear);
  let at = 0;
  return uids.filter((uid) => {
    while ((found.uids[at] ?? Number.POSITIVE_INFINITY) < uid) at += 1;
    return found.uids[at] === uid;
  });
}

/** mailbox-data =/ "SEARCH" [1*(SP nz-number) SP search-sort-mod-seq]
 * search-sort-mod-seq = "(" "MODSEQ" SP mod-sequence-value ")" (RFC 7162 §7) */
async function answer({ writer }: Session, numbers: readonly number[] | Uint32Array, modSeq = ''): Promise<void> {
  writer.text('* SEARCH');
  for (let at = 0; at < numbers.length; at += LIMIT.page) {
    writer.text(` ${numbers.slice(at, at + LIMIT.page).join(' ')}`);
    await writer.ready();
  }
  writer.text(`${modSeq}\r\n`);
}

function searchMessage(row: MessageRow, sequence: number, recent: boolean): SearchMessage {
  return { ...row, sequence, recent, prefixSize: row.prefix.length };
}

/** What is read of a message while it is searched, others having their turn in between. */
function contentOf({ store, turn }: Session, row: MessageRow): SearchContent {
  return {
    async octets(offset, length) {
      await turn.pass();
      const octets = await readOctets(store.read, row, offset, Math.min(row.size, offset + length));
      turn.spend(octets.length);
      return octets;
    },
    async root() {
      const blob = (await store.read.summaries([row.body])).get(row.body);
      if (!blob) throw new Error('a body has no summary');
      return openSummary(blob).root;
    },
    async searched(characters) {
      turn.spend(characters);
      await turn.pass();
    },
  };
}
