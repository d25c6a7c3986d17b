// Mutants of the security of a hop: each is a way in for who stands in the middle.

import type { Mutant } from './mutant.ts';

const attacks = 'test/mta/security/attacks.test.ts';
const dane = 'test/mta/security/dane.test.ts';
const decision = 'test/mta/security/decision.test.ts';
const lookup = 'test/mta/security/tlsa-lookup.test.ts';
const policies = 'test/mta/security/mta-sts.test.ts';
const fetching = 'test/mta/security/policy-fetch.test.ts';
const requiring = 'test/mta/security/require-tls.test.ts';

export const securityMutants: readonly Mutant[] = [
  {
    rule: 'DANE: nothing is said to a host with another certificate',
    file: 'src/smtp/client/connection.ts',
    from: "if (verdict.kind === 'refused') throw",
    to: "if (verdict.kind === 'refused' && presented.chain.length === 0) throw",
    caughtBy: attacks,
    test: 'wrongCertificate',
  },
  {
    rule: 'DANE: a host that strips STARTTLS gets no mail',
    file: 'src/mta/hops.ts',
    from: "if (hop.demand.tls !== 'offered') return",
    to: "if (hop.demand.tls === 'implicit') return",
    caughtBy: attacks,
    test: 'strips',
  },
  {
    rule: 'DANE: TLSA records of an insecure MX do not count',
    file: 'src/mta/security/tlsa-lookup.ts',
    from: 'if (!secure) return NONE;',
    to: '',
    caughtBy: lookup,
    test: 'insecure MX',
  },
  {
    rule: 'DANE: a failed lookup is not an absent record',
    file: 'src/mta/security/tlsa-lookup.ts',
    from: "return { kind: 'failed', text: error.message };",
    to: 'return NONE;',
    caughtBy: lookup,
    test: 'bogus records',
  },
  {
    rule: 'DANE-TA: the name in the certificate counts',
    file: 'src/mta/security/dane.ts',
    from: 'names.filter((name) => isFor(own, name, false))',
    to: 'names',
    caughtBy: dane,
    test: 'ignores neither',
  },
  {
    rule: 'DANE-TA: the dates in the certificates count',
    file: 'src/mta/security/dane.ts',
    from: 'validFromDate.getTime() <= now && now <= validToDate.getTime()',
    to: 'validFromDate.getTime() <= now || now <= validToDate.getTime()',
    caughtBy: dane,
    test: 'ignores neither',
  },
  {
    rule: 'DANE-TA: the chain is signed up to the anchor',
    file: 'src/mta/security/dane.ts',
    from: 'if (above === undefined || !isIssued(certificate, above)) return null;',
    to: 'if (above === undefined) return null;',
    caughtBy: dane,
    test: 'vouches for it',
  },
  {
    rule: 'DANE: records of no use still demand TLS',
    file: 'src/mta/security/decision.ts',
    from: "if (tlsa.kind === 'found') return demand(",
    to: "if (tlsa.kind === 'found' && tlsa.records.length > 0) return demand(",
    caughtBy: decision,
    test: 'of no use',
  },
  {
    rule: 'MTA-STS: a host that is not in the policy gets no mail',
    file: 'src/mta/security/decision.ts',
    from: "if (policyNames(policy, host.name)) return byPolicy(host, 'mta-sts');",
    to: "return byPolicy(host, 'mta-sts');",
    caughtBy: attacks,
    test: 'forgesMx',
  },
  {
    rule: 'MTA-STS: a policy holds when its record is gone',
    file: 'src/mta/security/mta-sts.ts',
    from: 'if (id === null) return kept === undefined ? NOTHING : facts(kept);',
    to: 'if (id === null) return NOTHING;',
    caughtBy: policies,
    test: 'stays in force',
  },
  {
    rule: 'MTA-STS: no redirect is followed',
    file: 'src/mta/security/policy-fetch.ts',
    from: 'if (statusCode !== 200) {',
    to: 'if (statusCode !== 200 && statusCode !== 301) {',
    caughtBy: fetching,
    test: 'a redirect',
  },
  {
    rule: 'REQUIRETLS: a host that does not promise it gets no mail',
    file: 'src/mta/security/facts.ts',
    from: 'return !demand.requireTls || extensions.requireTls;',
    to: 'return !demand.requireTls || extensions.starttls || true;',
    caughtBy: requiring,
    test: 'comes back',
  },
];
