// SEARCH and UID SEARCH (RFC 3501 §6.4.4): the messages that this client knows, judged page by page. What a key means is
// src/imap/search's business.

import type { MessageRow } from '../../store/rows.ts';
import { ok } from '../completion.ts';
import { searchProgram } from '../grammar/search-program.ts';
import { LIMIT } from '../limits.ts';
import { readOctets } from '../message-octets.ts';
import { openSummary } from '../render/summary.ts';
import type { SearchContent } from '../search/message-text.ts';
import { compileSearch, type SearchMessage } from '../search/program.ts';
import { command, SELECTED, type Session } from './command.ts';

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
    const { mailbox, store, writer } = session;
    const { id, view } = mailbox;
    const { all: uids } = view;
    const { judge, matches } = compileSearch(program, { sequence: uids.length, uid: uids.at(-1) ?? 0 });
    const found: number[] = [];
    for (let at = 0; at < uids.length; at += LIMIT.page) {
      const { rows } = await store.read.messages(id, uids.subarray(at, at + LIMIT.page));
      for (const row of rows) {
        const message = searchMessage(row, view.sequenceOf(row.uid), view.isRecent(row.uid));
        const hit = judge(message) ?? (await matches(message, contentOf(session, row)));
        if (hit) found.push(byUid ? row.uid : message.sequence);
        session.turn.spend(ROW_COST);
        if (session.turn.over) await session.turn.pass();
      }
    }
    writer.text('* SEARCH');
    for (let at = 0; at < found.length; at += LIMIT.page) {
      writer.text(` ${found.slice(at, at + LIMIT.page).join(' ')}`);
      await writer.ready();
    }
    writer.text('\r\n');
    return ok('Searched');
  },
});

function searchMessage(row: MessageRow, sequence: number, recent: boolean): SearchMessage {
  const { uid, flags, keywords, internalDate, internalZone, size, headerSize, prefix } = row;
  return {
    sequence,
    uid,
    flags,
    keywords,
    recent,
    internalDate,
    internalZone,
    size,
    headerSize,
    prefixSize: prefix.length,
  };
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
  };
}
