// What is counted of TLS sessions with mail hosts: by day, policy and outcome, once a session, and durable.

import { beforeAll, expect, test } from 'vitest';
import type { Fetched } from '../../../src/mta/security/policy-fetch.ts';
import { type Identity, makeContext } from '../../../src/platform/tls.ts';
import { KEYWORDS } from '../../smtp/fake-server.ts';
import { queueStage } from '../queue-stage.ts';
import { makeAuthority, tlsaFor } from './authority.ts';

const TLS = [...KEYWORDS, 'STARTTLS'];
const NOW = Date.now();
const TODAY = new Date(NOW).toISOString().slice(0, 10);

let authority: Awaited<ReturnType<typeof makeAuthority>>;
let right: Identity;
let wrong: Identity;
beforeAll(async () => {
  authority = await makeAuthority('Test Authority', NOW);
  right = await authority.issue(['mx2.test']);
  wrong = await authority.issue(['elsewhere.test']);
});

const POLICY = 'version: STSv1\nmode: enforce\nmx: mx2.test\nmax_age: 86400\n';

async function stage(fetched: Fetched = { kind: 'fetched', text: POLICY }, forbidDowngrade = false) {
  const s = await queueStage({
    now: NOW,
    relay: { forbidDowngrade },
    authorities: [authority.certificate],
    fetchPolicy: async () => fetched,
  });
  s.domain('far.test', 2);
  const host = await s.hop(2, { keywords: TLS, context: makeContext([right], 'lenient') });
  /** Lets the counts be written, and reads them. */
  const counted = async (domain = 'far.test') => {
    s.clock.advance(60_000);
    for (;;) {
      const rows = await s.store.read.receivers.tlsResults(TODAY, domain);
      if (rows.length > 0) return rows;
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { s, host, counted };
}

test('a session counts once, however many messages it brings', async () => {
  const { s, counted } = await stage();
  await using _ = s;
  await s.put({ to: ['a@far.test'] });
  await s.until((entries) => entries.length === 0);
  await s.put({ to: ['b@far.test'] });
  await s.until((entries) => entries.length === 0);
  expect(await counted()).toEqual([
    {
      day: TODAY,
      domain: 'far.test',
      policy: 'no-policy-found',
      policyDomain: 'far.test',
      policyText: [],
      host: 'mx2.test',
      address: '127.0.0.2',
      sender: '127.0.0.1',
      failure: null,
      reason: null,
      sessions: 1,
    },
  ]);
  expect(await s.store.read.receivers.tlsResultDomains(TODAY, '', 10)).toEqual(['far.test']);
});

test('a domain is counted by its A-labels', async () => {
  const { s, counted } = await stage();
  await using _ = s;
  s.domain('xn--bcher-kva.test', 2);
  await s.put({ to: ['a@bücher.test'] });
  await s.until((entries) => entries.length === 0);
  expect(await counted('xn--bcher-kva.test')).toMatchObject([{ domain: 'xn--bcher-kva.test', sessions: 1 }]);
});

test('a certificate that fails under a policy, with the policy; of many messages one session', async () => {
  const { s, host, counted } = await stage();
  await using _ = s;
  s.dns.set('_mta-sts.far.test', { txt: ['v=STSv1; id=1'] });
  host.script = { keywords: TLS, context: makeContext([wrong], 'lenient') };
  for (const user of ['a', 'b', 'c']) await s.put({ to: [`${user}@far.test`] });
  await s.until((entries) => entries.length === 3 && entries.every(({ attempts }) => attempts > 0));
  expect(await counted()).toMatchObject([
    {
      policy: 'sts',
      policyText: ['version: STSv1', 'mode: enforce', 'mx: mx2.test', 'max_age: 86400'],
      failure: 'certificate-host-mismatch',
      sessions: host.sessions.length,
    },
  ]);
});

test('a policy as its domain has written it', async () => {
  const text = 'version: STSv1\nmode: testing\nmax_age: 99999999\nnew: thing\nmx: MX2.test\n';
  const { s, counted } = await stage({ kind: 'fetched', text });
  await using _ = s;
  s.dns.set('_mta-sts.far.test', { txt: ['v=STSv1; id=1'] });
  await s.put({ to: ['a@far.test'] });
  await s.until((entries) => entries.length === 0);
  const policyText = text.trim().split('\n');
  expect(await counted()).toMatchObject([{ policy: 'sts', policyText, failure: null, sessions: 1 }]);
});

test('what is no policy, with what is written there, once by itself and once by the session', async () => {
  const { s, counted } = await stage({ kind: 'fetched', text: 'version: STSv1\nmode: always\n' });
  await using _ = s;
  s.dns.set('_mta-sts.far.test', { txt: ['v=STSv1; id=1'] });
  await s.put({ to: ['a@far.test'] });
  await s.until((entries) => entries.length === 0);
  const common = { policy: 'sts', policyText: ['version: STSv1', 'mode: always'], failure: 'sts-policy-invalid' };
  const rows = await counted();
  expect(rows).toMatchObject([common, common]);
  expect(rows.map(({ host }) => host).sort()).toEqual(['', 'mx2.test']);
});

test('DANE, with all of its records', async () => {
  const { s, counted } = await stage();
  await using _ = s;
  const tlsa = tlsaFor(right.certificate, 3, 1, 1);
  s.dns.set('far.test', { mx: [{ preference: 0, exchange: 'mx2.test' }], secure: true });
  s.dns.set('mx2.test', { ipv4: ['127.0.0.2'], secure: true });
  // Of two digests the stronger counts, and one that is cut counts for nothing: they are published all the same.
  const others = [tlsaFor(right.certificate, 3, 1, 2), { ...tlsa, selector: 0, data: tlsa.data.subarray(1) }];
  s.dns.set(`_${s.port}._tcp.mx2.test`, { tlsa: [tlsa, ...others], secure: true });
  await s.put({ to: ['a@far.test'] });
  await s.until((entries) => entries.length === 0);
  const policyText = [tlsa, ...others].map(({ selector, matching, data }) => {
    return `3 ${selector} ${matching} ${data.toString('hex')}`;
  });
  expect(await counted()).toMatchObject([
    { policy: 'tlsa', policyDomain: 'mx2.test', policyText, failure: null, sessions: 1 },
  ]);
});

test('DANE whose records are of no use', async () => {
  const { s, counted } = await stage();
  await using _ = s;
  s.dns.set('far.test', { mx: [{ preference: 0, exchange: 'mx2.test' }], secure: true });
  s.dns.set('mx2.test', { ipv4: ['127.0.0.2'], secure: true });
  const tlsa = tlsaFor(right.certificate, 0, 1, 1);
  s.dns.set(`_${s.port}._tcp.mx2.test`, { tlsa: [tlsa], secure: true });
  await s.put({ to: ['a@far.test'] });
  await s.until((entries) => entries.length === 0);
  const policyText = [`0 1 1 ${tlsa.data.toString('hex')}`];
  expect(await counted()).toMatchObject([{ policy: 'tlsa', policyText, failure: 'tlsa-invalid', sessions: 1 }]);
});

test('a session under MTA-STS beside TLSA records of no use goes well under the one, and not under the other', async () => {
  const { s, counted } = await stage();
  await using _ = s;
  const tlsa = tlsaFor(right.certificate, 0, 1, 1);
  s.dns.set('_mta-sts.far.test', { txt: ['v=STSv1; id=1'] });
  s.dns.set('far.test', { mx: [{ preference: 0, exchange: 'mx2.test' }], secure: true });
  s.dns.set('mx2.test', { ipv4: ['127.0.0.2'], secure: true });
  s.dns.set(`_${s.port}._tcp.mx2.test`, { tlsa: [tlsa], secure: true });
  await s.put({ to: ['a@far.test'] });
  await s.until((entries) => entries.length === 0);
  const rows = await counted();
  expect(rows).toHaveLength(2);
  expect(rows.find(({ policy }) => policy === 'sts')).toMatchObject({ failure: null, sessions: 1 });
  expect(rows.find(({ policy }) => policy === 'tlsa')).toMatchObject({
    policyDomain: 'mx2.test',
    policyText: [`0 1 1 ${tlsa.data.toString('hex')}`],
    host: 'mx2.test',
    failure: 'tlsa-invalid',
    sessions: 1,
  });
});

test('a session under DANE beside an MTA-STS policy that cannot be had goes well, and the policy counts by itself', async () => {
  const { s, counted } = await stage({ kind: 'failed', failure: 'sts-webpki-invalid', text: 'no' });
  await using _ = s;
  s.dns.set('_mta-sts.far.test', { txt: ['v=STSv1; id=1'] });
  s.dns.set('far.test', { mx: [{ preference: 0, exchange: 'mx2.test' }], secure: true });
  s.dns.set('mx2.test', { ipv4: ['127.0.0.2'], secure: true });
  s.dns.set(`_${s.port}._tcp.mx2.test`, { tlsa: [tlsaFor(right.certificate, 3, 1, 1)], secure: true });
  await s.put({ to: ['a@far.test'] });
  await s.until((entries) => entries.length === 0);
  const rows = await counted();
  expect(rows).toHaveLength(2);
  expect(rows.find(({ policy }) => policy === 'tlsa')).toMatchObject({ failure: null, sessions: 1 });
  expect(rows.find(({ policy }) => policy === 'sts')).toMatchObject({ host: '', failure: 'sts-webpki-invalid' });
});

test('a policy that cannot be had: the session that went without it, and the policy itself', async () => {
  const { s, counted } = await stage({ kind: 'failed', failure: 'sts-webpki-invalid', text: 'no such\r\nname' });
  await using _ = s;
  s.dns.set('_mta-sts.far.test', { txt: ['v=STSv1; id=1'] });
  await s.put({ to: ['a@far.test'] });
  await s.until((entries) => entries.length === 0);
  const common = {
    policy: 'sts',
    policyDomain: 'far.test',
    policyText: [],
    failure: 'sts-webpki-invalid',
    sessions: 1,
  };
  const rows = await counted();
  expect(rows.find(({ host }) => host === '')).toMatchObject({ ...common, sender: null, reason: 'no such name' });
  expect(rows.find(({ host }) => host === 'mx2.test')).toMatchObject({ ...common, sender: '127.0.0.1' });
});

test('TLS that does not work, with what it said', async () => {
  const { s, host, counted } = await stage();
  await using _ = s;
  host.script = { keywords: TLS, on: (line) => (line === 'STARTTLS' ? '220 2.0.0 hello\r\n250 in clear' : undefined) };
  await s.put({ to: ['a@far.test'] });
  await s.until((entries) => entries.length === 0);
  const [row] = await counted();
  expect(row).toMatchObject({ failure: 'validation-failure', sender: '127.0.0.1' });
  expect(row?.reason).toMatch(/^[ -~]+$/);
});

test('a host that does not answer is no TLS session, and a wish of the sender is none of the receiver', async () => {
  const { s, host, counted } = await stage();
  await using _ = s;
  s.domain('dead.test', 9);
  await s.put({ to: ['a@dead.test'] });
  await s.put({ to: ['b@far.test'], parameters: { tlsOptional: true } });
  await s.until((entries) => entries.length === 1 && entries.every(({ attempts }) => attempts > 0));
  await s.partFrom(host);
  s.domain('near.test', 2);
  await s.put({ to: ['c@near.test'] });
  await s.until((entries) => entries.length === 1);
  await counted('near.test');
  expect(await s.store.read.receivers.tlsResultDomains(TODAY, '', 10)).toEqual(['near.test']);
});

test('a host that does not answer is no TLS session, whatever is wrong with what it has published', async () => {
  const { s, counted } = await stage({ kind: 'failed', failure: 'sts-webpki-invalid', text: 'no' });
  await using _ = s;
  for (const domain of ['dead.test', 'dane.test']) s.domain(domain, 9);
  s.dns.set('_mta-sts.dead.test', { txt: ['v=STSv1; id=1'] });
  s.dns.set('dane.test', { mx: [{ preference: 0, exchange: 'mx9.test' }], secure: true });
  s.dns.set('mx9.test', { ipv4: ['127.0.0.9'], secure: true });
  s.dns.set(`_${s.port}._tcp.mx9.test`, { tlsa: [tlsaFor(right.certificate, 0, 1, 1)], secure: true });
  for (const domain of ['dead.test', 'dane.test']) await s.put({ to: [`a@${domain}`] });
  await s.until((entries) => entries.length === 2 && entries.every(({ attempts }) => attempts > 0));
  expect(await counted('dead.test')).toMatchObject([{ host: '', failure: 'sts-webpki-invalid' }]);
  expect(await s.store.read.receivers.tlsResultDomains(TODAY, '', 10)).toEqual(['dead.test']);
});

test.each([
  ['dane', [], undefined, { policy: 'tlsa', policyDomain: 'mx2.test', policyText: [], failure: 'dane-required' }],
  [
    'dane',
    [[0, 1, 1]],
    undefined,
    {
      policy: 'tlsa',
      policyDomain: 'mx2.test',
      policyText: [expect.stringMatching(/^0 1 1 /)],
      failure: 'tlsa-invalid',
    },
  ],
  ['dane', [], POLICY, { policy: 'tlsa', policyDomain: 'mx2.test', policyText: [], failure: 'dane-required' }],
  [
    'mta-sts',
    [],
    undefined,
    { policy: 'sts', policyDomain: 'far.test', policyText: [], failure: 'sts-policy-fetch-error' },
  ],
  [
    'mta-sts',
    [],
    'mode: x',
    { policy: 'sts', policyDomain: 'far.test', policyText: ['mode: x'], failure: 'sts-policy-invalid' },
  ],
] as const)(
  '%s was there, now only TLSA %j and the policy %j, and no less is wanted: a failure',
  async (level, tlsa, text, expected) => {
    const { s, host, counted } = await stage({ kind: 'fetched', text: text ?? '' }, true);
    await using _ = s;
    if (text !== undefined) s.dns.set('_mta-sts.far.test', { txt: ['v=STSv1; id=1'] });
    s.dns.set('far.test', { mx: [{ preference: 0, exchange: 'mx2.test' }], secure: true });
    s.dns.set('mx2.test', { ipv4: ['127.0.0.2'], secure: true });
    const records = tlsa.map((parts) => tlsaFor(right.certificate, ...parts));
    s.dns.set(`_${s.port}._tcp.mx2.test`, { tlsa: records, secure: true });
    await s.store.execute({ kind: 'put-shown-protection', row: { domain: 'far.test', level, seenAt: NOW }, forget: 0 });
    await s.put({ to: ['a@far.test'] });
    await s.until((entries) => entries.every(({ attempts }) => attempts > 0));
    expect((await counted()).filter((row) => row.host !== '')).toMatchObject([
      { ...expected, reason: null, sessions: 1 },
    ]);
    expect(host.sessions).toEqual([]);
  },
);
