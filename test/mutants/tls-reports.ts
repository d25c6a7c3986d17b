// Mutants of TLS reports: what is sent twice, to whom, and what is believed.

import type { Mutant } from './mutant.ts';

const inbox = 'test/mta/tls-report/inbox.test.ts';
const journey = 'test/journeys/tls-reports.test.ts';
const answerable = 'test/trust/answerable.test.ts';

export const tlsReportMutants: readonly Mutant[] = [
  {
    rule: 'a day is reported to a domain once',
    file: 'src/store/commands/tls-reports.ts',
    from: 'domain) === 0) {',
    to: 'domain) === 2) {',
    caughtBy: 'test/store/conformance.test.ts',
    test: 'makes each once',
  },
  {
    rule: 'the session of a report makes no report',
    file: 'src/mta/tls-report/mail.ts',
    from: 'parameters: { tlsOptional: true },',
    to: 'parameters: {},',
    caughtBy: journey,
    test: 'counts only what was sent then',
  },
  {
    rule: 'a report leaves from <>, and is given up after a day',
    file: 'src/mta/tls-report/reporter.ts',
    from: 'expire: Math.min(options.queue.expire, RETRY.until)',
    to: 'expire: options.queue.expire',
    caughtBy: journey,
    test: 'given up after a day',
  },
  {
    rule: 'a report that its reporter has not signed is ignored',
    file: 'src/mta/tls-report/inbox.ts',
    from: 'reporters.some((reporter) => isAligned(domain, reporter))',
    to: 'reporters.some((reporter) => reporter !== domain || reporter === domain)',
    caughtBy: inbox,
    test: 'signed by somebody else',
  },
  {
    rule: 'a key that is only tried out answers for nothing',
    file: 'src/trust/dkim/verifier.ts',
    from: 'if (fitting.some((key) => !key.testing))',
    to: 'if (fitting.length > 0)',
    caughtBy: answerable,
    test: 'of a domain that tests',
  },
  {
    rule: 'what a report unpacks to is bounded',
    file: 'src/mta/tls-report/inbox.ts',
    from: 'await unpack(octets, { maxOutputLength: LIMITS.report })',
    to: 'await unpack(octets)',
    caughtBy: inbox,
    test: 'a bomb',
  },
  {
    rule: 'a signature covers the whole body',
    file: 'src/trust/dkim/verifier.ts',
    from: " || tags.has('l')) return null;",
    to: ') return null;',
    caughtBy: answerable,
    test: 'with l=',
  },
];
