// Mutants of searching: what a result is, what of it is saved and followed, how it is sorted and threaded, and that the
// index changes none of it.

import type { Mutant } from './mutant.ts';

const transcripts = 'test/imap/transcripts.test.ts';
const order = 'test/imap/sort/order.test.ts';
const threads = 'test/imap/sort/threads.test.ts';
const subjects = 'test/imap/sort/base-subject.test.ts';
const textIndex = 'test/store/text-index.test.ts';

export const searchMutants: readonly Mutant[] = [
  {
    rule: 'ESEARCH: no MIN without results',
    file: 'src/imap/commands/search-answer.ts',
    from: 'if (asked.min && first !== undefined)',
    to: 'if (asked.min)',
    caughtBy: transcripts,
    test: 'without results',
  },
  {
    rule: 'SEARCHRES: what is expunged leaves the saved result',
    file: 'src/imap/view.ts',
    from: 'this.#saved.filter((uid) => this.#uids.sequenceOf(uid) > 0)',
    to: 'this.#saved',
    caughtBy: transcripts,
    test: 'what was expunged is no longer meant',
  },
  {
    rule: 'SEARCHRES: a SEARCH that is refused saves nothing',
    file: 'src/imap/commands/search.ts',
    from: 'if (asked?.save) mailbox.view.save(new Uint32Array(0));',
    to: '',
    caughtBy: transcripts,
    test: 'what changes the variable',
  },
  {
    rule: 'PARTIAL counts from the last',
    file: 'src/imap/grammar/search-return.ts',
    from: 'if (!fromEnd) return [Math.min',
    to: 'return [Math.min',
    caughtBy: transcripts,
    test: 'a part of the results',
  },
  {
    rule: 'WITHIN: a second more or less makes a difference',
    file: 'src/imap/search/program.ts',
    from: 'seconds(message.internalDate) <= target',
    to: 'seconds(message.internalDate) <= target + 1',
    caughtBy: transcripts,
    test: 'OLDER and YOUNGER',
  },
  {
    rule: 'CONTEXT: sequence numbers mean what they meant',
    file: 'src/imap/search/pinned.ts',
    from: "if (key.key === 'uid') return key;",
    to: 'return key;',
    caughtBy: transcripts,
    test: 'sequence numbers hold',
  },
  {
    rule: 'CONTEXT: REMOVEFROM comes before EXPUNGE',
    file: 'src/imap/selected-mailbox.ts',
    from: 'if (expunges && view.untoldExpunges && !contexts.idle) contexts.remove(view.gone, this.place());',
    to: '',
    caughtBy: transcripts,
    test: 'followed|sequence numbers hold',
  },
  {
    rule: 'MULTISEARCH: nothing is said of a mailbox without results',
    file: 'src/imap/commands/esearch.ts',
    from: '  if (found.uids.length === 0) return;\n',
    to: '',
    caughtBy: transcripts,
    test: 'many mailboxes',
  },
  {
    rule: 'SORT: the criterion that is said first counts most',
    file: 'src/imap/sort/order.ts',
    from: 'criteria.toReversed()',
    to: 'criteria',
    caughtBy: order,
    test: 'dates of a day',
  },
  {
    rule: 'SORT: dates that are far apart are put in order by halves',
    file: 'src/imap/sort/order.ts',
    from: 'count > Number.MAX_SAFE_INTEGER',
    to: 'count > Number.POSITIVE_INFINITY',
    caughtBy: order,
    test: 'dates of all times',
  },
  {
    rule: 'a blob that is all that is left is the base subject',
    file: 'src/imap/sort/base-subject.ts',
    from: 'this.start = behind < this.end ? behind : last;',
    to: 'this.start = behind;',
    caughtBy: subjects,
    test: '',
  },
  {
    rule: "THREAD: a message's own word on its parent counts",
    file: 'src/imap/sort/references.ts',
    from: 'if (last && link.parent === null) attach',
    to: 'if (last) attach',
    caughtBy: threads,
    test: 'REFERENCES',
  },
  {
    rule: 'the index rules nothing out that it does not know',
    file: 'src/store/upkeep/text-index.ts',
    from: 'if (!done || matching.has(body)) possible.add(body);',
    to: 'if (matching.has(body)) possible.add(body);',
    caughtBy: textIndex,
    test: 'does not know',
  },
  {
    rule: 'the index finds a short string at the end of a text',
    file: 'src/store/upkeep/text-index.ts',
    from: ' : text) + END;',
    to: ' : text);',
    caughtBy: textIndex,
    test: 'short strings',
  },
  {
    rule: 'the index rules nothing out where one of several strings is everywhere',
    file: 'src/store/upkeep/text-index.ts',
    from: "parts.length === 0 || parts.includes(null) ? null : `(${parts.join(' OR ')})`",
    to: "parts.length === 0 ? null : `(${parts.filter((part) => part !== null).join(' OR ')})`",
    caughtBy: textIndex,
    test: 'short strings',
  },
  {
    rule: 'the index forgets bodies that are gone',
    file: 'src/store/upkeep/text-index.ts',
    from: "if (isDone(db, body)) db.run('DELETE FROM text_index WHERE rowid = ?', body);",
    to: '',
    caughtBy: textIndex,
    test: 'passes through',
  },
];
