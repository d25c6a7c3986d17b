// Mutants of the view: each is a bug of the kind that several sessions on one mailbox bring out. The model of a mailbox has
// to find it within 2,000 steps.

import type { Mutant } from './mutant.ts';

const caughtBy = 'test/imap/model.test.ts';
/** 2,000 steps on nine connections. */
const test = 'run 3';
const file = 'src/imap/view.ts';

export const viewMutants: readonly Mutant[] = [
  {
    rule: 'view: numbers hold still during FETCH, STORE and SEARCH',
    file,
    from: 'const vanished = expunges ? ',
    to: 'const vanished = expunges || this.#gone.size > 3 ? ',
    caughtBy,
    test,
  },
  {
    rule: 'view: EXPUNGE goes from the highest number down',
    file,
    from: 'this.#uids.remove(this.#gone).reverse()',
    to: '[...this.#uids.remove(this.#gone)]',
    caughtBy,
    test,
  },
  {
    rule: 'view: what is told is told of all that is gone',
    file,
    from: 'for (const uid of uids) {\n      this.#flags.forget(uid);',
    to: 'for (const uid of uids.subarray(0, 4)) {\n      this.#flags.forget(uid);',
    caughtBy,
    test,
  },
  {
    rule: 'view: what comes and goes between two reports was never there',
    file,
    from: 'if (!untold?.delete(uid)) this.#gone.add(uid);',
    to: 'untold?.delete(uid);\n      this.#gone.add(uid);',
    caughtBy,
    test,
  },
  {
    rule: 'view: arrivals have numbers when they are told, and not before',
    file,
    from: 'for (const uid of change.uids) this.#arrived.push(uid);',
    to: 'this.#uids.append(change.uids);\n        for (const uid of change.uids) this.#arrived.push(uid);',
    caughtBy,
    test,
  },
  {
    rule: 'view: all changes of one commit count',
    file,
    from: 'change.commit < this.#commit || (change.commit === this.#commit && !this.#fed)',
    to: 'change.commit <= this.#commit',
    caughtBy,
    test,
  },
  {
    rule: 'view: flags that others change are told, also where we have changed some ourselves',
    file,
    from: 'this.#flags.note(change, change.view === this.id);',
    to: 'this.#flags.note(change, change.view !== null && change.view <= this.id);',
    caughtBy,
    test,
  },
  {
    rule: 'view: a range of UIDs has both its ends',
    file: 'src/imap/message-set.ts',
    from: 'uids.countBelow(high + 1)];',
    to: 'Math.max(uids.countBelow(high), uids.countBelow(low) + 1)];',
    caughtBy,
    test,
  },
  {
    rule: 'view: ranges that overlap name each message once',
    file: 'src/imap/message-set.ts',
    from: 'const part = uids.slice(Math.max(first, done + 1), last);',
    to: 'const part = uids.slice(first, last);',
    caughtBy,
    test,
  },
  {
    rule: 'view: HIGHESTMODSEQ stays below an expunge that is not told',
    file,
    from: '(this.#beforeGone ?? this.#modSeq);\n  }',
    to: 'this.#modSeq;\n  }',
    caughtBy,
    test,
  },
  {
    rule: 'view: who has told the flags of a message has not told newer ones',
    file: 'src/imap/pending-flags.ts',
    from: 'if (pending && pending.modSeq <= modSeq) this.#states.delete(uid);',
    to: 'if (pending) this.#states.clear();',
    caughtBy,
    test,
  },
  {
    rule: 'view: a message that is gone is refused to who names it by its number',
    file,
    from: 'return this.#gone.size > 0 && uids.some((uid) => this.#gone.has(uid));',
    to: 'return this.#gone.size > 0 && uids.every((uid) => this.#gone.has(uid));',
    caughtBy,
    test,
  },
];
