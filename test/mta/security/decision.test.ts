// The rung of a hop, from facts: a table that reads as the RFCs do.

import { describe, expect, test } from 'vitest';
import type { RouteTls } from '../../../src/config/config.ts';
import { decide } from '../../../src/mta/security/decision.ts';
import type { StsPolicy } from '../../../src/mta/security/mta-sts-policy.ts';
import type { ExchangeFacts, MessageWishes, TlsaFacts } from '../../../src/mta/security/rung.ts';

const NO_WISH: MessageWishes = { requireTls: false, tlsOptional: false };
const REQUIRE: MessageWishes = { requireTls: true, tlsOptional: false };
const OPTIONAL: MessageWishes = { requireTls: false, tlsOptional: true };

const none: TlsaFacts = { kind: 'none' };
const found = (...usages: number[]): TlsaFacts => {
  const published = usages.map((usage) => ({ usage, selector: 1, matching: 1, data: Buffer.alloc(32) }));
  // Usages 0 and 1 are of no use.
  return { kind: 'found', base: 'real.far.test', published, records: published.filter(({ usage }) => usage > 1) };
};
const bogus: TlsaFacts = { kind: 'failed', text: 'SERVFAIL' };

const policy = (mode: StsPolicy['mode'], ...mx: string[]): StsPolicy => ({ mode, mx, maxAge: 86_400 });
const enforce = policy('enforce', '*.far.test');
const testing = policy('testing', 'mx.far.test');
const forOthers = policy('enforce', 'mx.other.test');

const exchange = (facts: Partial<ExchangeFacts>): ExchangeFacts => ({
  domain: 'far.test',
  owner: 'alias.test',
  secure: false,
  tlsa: none,
  policy: null,
  policyFailure: null,
  declared: [],
  shown: null,
  forbidDowngrade: false,
  ...facts,
});

/** Rung, how TLS comes about, who must vouch for the certificate. */
const said = (tls: RouteTls, facts: ExchangeFacts | null, wish: MessageWishes, loopback = false) => {
  const decision = decide({ name: 'mx.far.test', loopback, tls, exchange: facts }, wish);
  if (decision.kind === 'refused') return `${decision.rung} refused ${decision.status}`;
  return `${decision.rung} ${decision.tls} ${decision.authentication.by}${decision.testing ? ' testing' : ''}`;
};

describe('a host that the DNS has named', () => {
  test.each<readonly [string, Partial<ExchangeFacts>, string]>([
    ['nothing is published', {}, 'opportunistic offered nobody'],
    ['DNSSEC, but no TLSA', { secure: true }, 'opportunistic offered nobody'],
    ['TLSA', { secure: true, tlsa: found(3, 2) }, 'dane required dane'],
    ['TLSA of which some are of use', { secure: true, tlsa: found(0, 1, 3) }, 'dane required dane'],
    ['TLSA of no use', { secure: true, tlsa: found(0, 1) }, 'required required nobody'],
    ['TLSA that cannot be had', { secure: true, tlsa: bogus }, 'dane refused 4.7.5'],
    ['a policy', { policy: enforce }, 'mta-sts required authorities'],
    ['a policy that does not name it', { policy: forOthers }, 'mta-sts refused 4.7.5'],
    ['a policy in testing', { policy: testing }, 'opportunistic offered authorities testing'],
    ['a policy of none', { policy: policy('none') }, 'opportunistic offered nobody'],
    ['TLSA beside a policy', { secure: true, tlsa: found(3), policy: enforce }, 'dane required dane'],
    ['TLSA beside a policy that does not name it', { tlsa: found(3), policy: forOthers }, 'dane required dane'],
    ['TLSA that cannot be had beside a policy', { tlsa: bogus, policy: enforce }, 'dane refused 4.7.5'],
    ['TLSA of no use beside a policy', { tlsa: found(1), policy: enforce }, 'mta-sts required authorities'],
    ['TLSA of no use beside one in testing', { tlsa: found(1), policy: testing }, 'required required nobody'],
  ])('%s', (_, facts, expected) => {
    expect(said('opportunistic', exchange(facts), NO_WISH)).toBe(expected);
    // RFC 8689 §3: whatever it is, the sender does not want it to count.
    expect(said('opportunistic', exchange(facts), OPTIONAL)).toBe('opportunistic offered nobody');
  });
});

describe('a domain that has shown more before, where an operator wants no less', () => {
  const none = policy('none');
  test.each<readonly [ExchangeFacts['shown'], Partial<ExchangeFacts>, string]>([
    [null, {}, 'opportunistic offered nobody'],
    ['clear', {}, 'opportunistic offered nobody'],
    ['encrypted', {}, 'required required nobody'],
    ['encrypted', { policy: testing }, 'required required authorities testing'],
    ['encrypted', { policy: enforce }, 'mta-sts required authorities'],
    ['mta-sts', {}, 'mta-sts refused 4.7.5'],
    ['mta-sts', { tlsa: found(1) }, 'mta-sts refused 4.7.5'],
    ['mta-sts', { policy: none }, 'required required nobody'],
    ['mta-sts', { policy: enforce }, 'mta-sts required authorities'],
    ['mta-sts', { tlsa: found(3) }, 'dane required dane'],
    ['dane', {}, 'dane refused 4.7.5'],
    ['dane', { policy: enforce }, 'dane refused 4.7.5'],
    ['dane', { tlsa: found(3) }, 'dane required dane'],
  ])('%s, and now %j: %s', (shown, facts, expected) => {
    expect(said('opportunistic', exchange({ ...facts, shown, forbidDowngrade: true }), NO_WISH)).toBe(expected);
    // It is only told of, and the sender's word stands.
    expect(said('opportunistic', exchange({ ...facts, shown }), NO_WISH)).toBe(
      said('opportunistic', exchange(facts), NO_WISH),
    );
    expect(said('opportunistic', exchange({ ...facts, shown, forbidDowngrade: true }), OPTIONAL)).toBe(
      'opportunistic offered nobody',
    );
  });
});

describe('REQUIRETLS (RFC 8689 §4.2.1)', () => {
  test.each<readonly [string, Partial<ExchangeFacts>, string]>([
    ['nobody vouches for the host', {}, 'verified refused 4.7.10'],
    ['DNSSEC vouches for the host', { secure: true }, 'verified required authorities'],
    ['DNSSEC vouches for host and certificate', { secure: true, tlsa: found(3) }, 'dane required dane'],
    ['TLSA of no use', { secure: true, tlsa: found(1) }, 'verified required authorities'],
    ['TLSA that cannot be had', { secure: true, tlsa: bogus }, 'dane refused 4.7.5'],
    ['a policy', { policy: enforce }, 'mta-sts required authorities'],
    ['a policy that does not name it', { policy: forOthers }, 'mta-sts refused 4.7.5'],
    ['a policy in testing', { policy: testing }, 'verified required authorities'],
    ['a policy in testing that does not name it', { policy: policy('testing', 'x.test') }, 'verified refused 4.7.10'],
  ])('%s', (_, facts, expected) => {
    expect(said('opportunistic', exchange(facts), REQUIRE)).toBe(expected);
    const decision = decide(
      { name: 'mx.far.test', loopback: false, tls: 'opportunistic', exchange: exchange(facts) },
      REQUIRE,
    );
    if (decision.kind === 'demand') expect(decision.requireTls).toBe(true);
  });
});

test.each<readonly [RouteTls, string, string]>([
  ['none', 'none none nobody', 'verified refused 4.7.10'],
  ['opportunistic', 'opportunistic offered nobody', 'verified required authorities'],
  ['required', 'required required nobody', 'verified required authorities'],
  ['verified', 'verified required authorities', 'verified required authorities'],
  ['implicit', 'verified implicit authorities', 'verified implicit authorities'],
])('a host that an operator has named, with tls = %s', (tls, expected, required) => {
  expect(said(tls, null, NO_WISH)).toBe(expected);
  expect(said(tls, null, OPTIONAL)).toBe(expected);
  expect(said(tls, null, REQUIRE)).toBe(required);
  // Nobody is in between.
  if (tls === 'implicit') expect(said(tls, null, NO_WISH, true)).toBe('required implicit nobody');
});

test('DANE: SNI is the TLSA base domain, and the names are that and the next-hop domain (RFC 7672 §3.2)', () => {
  const facts = exchange({ secure: true, tlsa: found(2) });
  expect(
    decide({ name: 'mx.far.test', loopback: false, tls: 'opportunistic', exchange: facts }, NO_WISH),
  ).toMatchObject({
    serverName: 'real.far.test',
    authentication: { names: ['real.far.test', 'far.test', 'alias.test'] },
    policy: 'tlsa',
  });
});

test('connections of which the same is demanded are alike, and no others', () => {
  const keyOf = (name: string, facts: Partial<ExchangeFacts>, wish = NO_WISH) => {
    const decision = decide({ name, loopback: false, tls: 'opportunistic', exchange: exchange(facts) }, wish);
    return decision.kind === 'demand' ? decision.key : null;
  };
  expect(keyOf('a.test', {})).toBe(keyOf('b.test', {}));
  const keys = [
    keyOf('a.far.test', {}),
    keyOf('a.far.test', { policy: enforce }),
    keyOf('b.far.test', { policy: enforce }),
    keyOf('mx.far.test', { policy: testing }),
    keyOf('a.far.test', { tlsa: found(3) }),
    keyOf('a.far.test', { tlsa: found(2) }),
    keyOf('a.far.test', { tlsa: found(2), domain: 'other.test' }),
    keyOf('a.far.test', { tlsa: found(3) }, REQUIRE),
  ];
  expect(new Set(keys).size).toBe(keys.length);
});
