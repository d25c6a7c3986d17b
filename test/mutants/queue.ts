// Mutants of the queue: what its senders are told, when, and in how many notices.

import type { Mutant } from './mutant.ts';

const notices = 'test/mta/notices.test.ts';
const appointments = 'test/mta/appointments.test.ts';
const composed = 'test/mta/composed.test.ts';

export const queueMutants: readonly Mutant[] = [
  {
    rule: 'one notice for recipients of several domains that fail together',
    file: 'src/mta/notices.ts',
    from: 'if (this.#hurried || (this.#inHand.get(transit) ?? 0) <= waiting) this.#end(transit);',
    to: 'if (this.#hurried || waiting > 0) this.#end(transit);',
    caughtBy: notices,
    test: 'are told of in one|waits for those in hand',
  },
  {
    rule: 'a notice does not wait for ever',
    file: 'src/mta/notices.ts',
    from: 'cancel: this.#options.clock.after(PATIENCE, () => this.#end(transit)),',
    to: 'cancel: () => {},',
    caughtBy: notices,
    test: 'there is an end to waiting',
  },
  {
    rule: 'the notices that wait are bounded',
    file: 'src/mta/notices.ts',
    from: 'if (this.#gatherings.size > MOST) {',
    to: 'if (this.#gatherings.size > MOST * MOST) {',
    caughtBy: notices,
    test: 'there is an end to waiting',
  },
  {
    rule: 'a report that leaves is signed',
    file: 'src/mta/composed.ts',
    from: 'const signer = remotes.length === 0 ? null : dkim;',
    to: 'const signer = remotes.length === 0 ? dkim : null;',
    caughtBy: composed,
    test: 'a report',
  },
  {
    rule: 'a host is signed for by the domain above it',
    file: 'src/mta/composed.ts',
    from: 'if (dkim.signsFor(name)) return name;',
    to: 'if (dkim.signsFor(name)) return dkim.firstDomain;',
    caughtBy: composed,
    test: 'a report that leaves',
  },
  {
    rule: 'by-mode N: a delay is told at its time, whatever was told before',
    file: 'src/mta/settlement.ts',
    from: "return deliverBy?.mode === 'N' && now < deliverBy.at ? deliverBy.at : null;",
    to: "return deliverBy?.mode === 'N' && now > deliverBy.at ? deliverBy.at : null;",
    caughtBy: appointments,
    test: 'whatever was reported before',
  },
  {
    rule: 'by-mode N: a host that knows of no time is asked to tell of a delay',
    file: 'src/smtp/client/command-lines.ts',
    from: "return deliverBy?.mode === 'N' && extensions.deliverBy === null && now < deliverBy.at;",
    to: "return deliverBy?.mode === 'N' && extensions.deliverBy !== null && now < deliverBy.at;",
    caughtBy: appointments,
    test: 'knows of no time',
  },
  {
    rule: 'what is held cannot be there before',
    file: 'src/smtp/listener/submission-parameters.ts',
    from: 'holdUntil > by.at) throw',
    to: 'holdUntil < 0) throw',
    caughtBy: 'test/smtp/listener/transcripts.test.ts',
    test: 'what is held cannot be there before',
  },
];
