// Mutants of IMAP4rev2: what it tells that IMAP4rev1 does not.

import type { Mutant } from './mutant.ts';

const transcripts = 'test/imap/transcripts.test.ts';

export const rev2Mutants: readonly Mutant[] = [
  {
    rule: 'a client of IMAP4rev2 is told the UID with flags unasked',
    file: 'src/imap/selected-mailbox.ts',
    from: 'withUid: wanted.withUid || enabled.rev2',
    to: 'withUid: wanted.withUid',
    caughtBy: transcripts,
    test: 'what is told of flags unasked',
  },
  {
    rule: 'SELECT tells a client of IMAP4rev2 the name that is not as it was written',
    file: 'src/imap/commands/select.ts',
    from: 'tellName(session, { name, written })',
    to: 'tellName(session, { name, written: name })',
    caughtBy: transcripts,
    test: 'OLDNAME of SELECT',
  },
];
