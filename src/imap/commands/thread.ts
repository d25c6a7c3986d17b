// THREAD and UID THREAD (RFC 5256 §3, draft-ietf-morg-inthread).

import type { Turn } from '../../platform/turn.ts';
import { bad, ok } from '../completion.ts';
import { searchCriteria } from '../grammar/search-program.ts';
import { asks } from '../search/keys.ts';
import type { Sortable } from '../sort/order.ts';
import { orderedSubject } from '../sort/ordered-subject.ts';
import { references, refs } from '../sort/references.ts';
import { sortables } from '../sort/sortables.ts';
import { type ThreadNode, threadData } from '../sort/thread-tree.ts';
import { command, SELECTED } from './command.ts';
import { searchSelected, selectedSearch } from './search.ts';

const ALGORITHMS: ReadonlyMap<string, (messages: readonly Sortable[], turn: Turn) => Promise<ThreadNode[]>> = new Map([
  ['ORDEREDSUBJECT', orderedSubject],
  ['REFERENCES', references],
  ['REFS', refs],
]);

/** thread = "THREAD" SP thread-alg SP search-criteria */
export const thread = command({
  name: 'THREAD',
  states: SELECTED,
  uid: 'allowed',
  expunge: 'told in UID form',
  grammar(scanner) {
    scanner.space();
    const algorithm = ALGORITHMS.get(scanner.atom('a threading algorithm').toUpperCase());
    if (!algorithm) throw bad('THREAD names an algorithm that is not known');
    scanner.space();
    return { algorithm, program: searchCriteria(scanner) };
  },
  numbered: ({ program }) => asks(program, 'sequence'),
  async run(session, { algorithm, program }, byUid) {
    const { mailbox, turn, writer } = session;
    const found = await searchSelected(session, selectedSearch(session, { asked: null, program, byUid }));
    const messages = await sortables(mailbox.sorting, mailbox.id, found, true);
    const roots = await algorithm(messages, turn);
    writer.text('* THREAD');
    for (const piece of threadData(roots, (uid) => (byUid ? uid : mailbox.view.sequenceOf(uid)))) {
      writer.text(piece);
      await writer.ready();
    }
    writer.text('\r\n');
    return ok('Threaded');
  },
});
