// Which TLSA records are a host's (RFC 7672 §2.2): asked for only where DNSSEC vouches for the way, through aliases, and
// never taken for absent where the DNS fails.

import { expect, test } from 'vitest';
import { type AddressFacts, tlsaOf } from '../../../src/mta/security/tlsa-lookup.ts';
import { FakeDns, type FakeName } from '../../fake-dns.ts';

const RECORD = { usage: 3, selector: 1, matching: 1, data: Buffer.alloc(32) };
const tlsa = { tlsa: [RECORD], secure: true };
const direct: AddressFacts = { secure: true, owner: 'mx.test' };
const aliased: AddressFacts = { secure: true, owner: 'real.test' };

test.each<readonly [string, Readonly<Record<string, FakeName>>, boolean, AddressFacts, string, readonly string[]]>([
  ['an insecure MX', { '_25._tcp.mx.test': tlsa }, false, direct, 'none', []],
  ['an insecure address', { '_25._tcp.mx.test': tlsa }, true, { ...direct, secure: false }, 'none', []],
  ['all secure', { '_25._tcp.mx.test': tlsa }, true, direct, 'mx.test', ['tlsa _25._tcp.mx.test']],
  ['no records', {}, true, direct, 'none', ['tlsa _25._tcp.mx.test']],
  ['insecure records', { '_25._tcp.mx.test': { tlsa: [RECORD] } }, true, direct, 'none', ['tlsa _25._tcp.mx.test']],
  ['bogus records', { '_25._tcp.mx.test': { broken: true } }, true, direct, 'failed', ['tlsa _25._tcp.mx.test']],
  [
    'where an alias leads',
    { '_25._tcp.real.test': tlsa, '_25._tcp.mx.test': tlsa },
    true,
    aliased,
    'real.test',
    ['tlsa _25._tcp.real.test'],
  ],
  [
    'at the alias, if there are none where it leads',
    { '_25._tcp.mx.test': tlsa },
    true,
    aliased,
    'mx.test',
    ['tlsa _25._tcp.real.test', 'tlsa _25._tcp.mx.test'],
  ],
  [
    'a secure alias to an insecure place',
    { 'mx.test': { cname: 'real.test', secure: true }, '_25._tcp.mx.test': tlsa },
    true,
    { ...aliased, secure: false },
    'mx.test',
    ['cname mx.test', 'tlsa _25._tcp.mx.test'],
  ],
  [
    'an insecure alias',
    { 'mx.test': { cname: 'real.test' } },
    true,
    { ...aliased, secure: false },
    'none',
    ['cname mx.test'],
  ],
  ['a bogus alias', { 'mx.test': { broken: true } }, true, { ...aliased, secure: false }, 'failed', ['cname mx.test']],
])('%s', async (_, names, secure, address, expected, asked) => {
  const dns = new FakeDns(names);
  const facts = await tlsaOf(dns, 'mx.test', 25, secure, address);
  expect(facts.kind === 'found' ? facts.base : facts.kind).toBe(expected);
  expect(dns.asked).toEqual(asked);
});

test('what is of no use is found as well, up to a number of records', async () => {
  const useless = { ...RECORD, usage: 1 };
  const dns = new FakeDns({ '_25._tcp.mx.test': { tlsa: [useless, RECORD], secure: true } });
  expect(await tlsaOf(dns, 'mx.test', 25, true, direct)).toEqual({
    kind: 'found',
    base: 'mx.test',
    published: [useless, RECORD],
    records: [RECORD],
  });
  dns.set('_25._tcp.mx.test', { tlsa: new Array(500).fill(useless), secure: true });
  expect(await tlsaOf(dns, 'mx.test', 25, true, direct)).toMatchObject({
    published: new Array(20).fill(useless),
    records: [],
  });
});
