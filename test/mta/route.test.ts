// Where mail for a destination goes (RFC 5321 §5.1, RFC 7505), from a DNS that is a table.

import { describe, expect, test } from 'vitest';
import type { RelayConfig } from '../../src/config/config.ts';
import { CONNECTS, createRouter, type Route } from '../../src/mta/route.ts';
import { FakeDns, type FakeName } from '../fake-dns.ts';

const RELAY = { smarthosts: [], port: 25, loopback: false, forbidDowngrade: false, routes: [] };

function route(
  destination: string,
  names: Readonly<Record<string, FakeName>>,
  relay: Partial<RelayConfig> = {},
  random = () => 0.5,
): Promise<Route> {
  const options = {
    dns: new FakeDns(names),
    policies: { of: async () => ({ policy: null, failure: null, declared: [] }) },
    memory: { of: async () => null },
    random,
    hostname: 'mail.here.test',
    relay: { ...RELAY, ...relay },
    isOurs: (address: string, port: number) => address === '198.51.100.1' && port === 25,
  };
  return createRouter(options)(destination);
}

const hosts = (found: Route) =>
  found.kind === 'hosts' ? found.hosts.map(({ name, address, port }) => `${name} ${address} ${port}`) : found.outcome;
const mx = (...records: (readonly [number, string])[]) => ({
  mx: records.map(([preference, exchange]) => ({ preference, exchange })),
});

describe('MX (RFC 5321 §5.1)', () => {
  test('by preference, and each address of a host', async () => {
    const found = await route('far.test', {
      'far.test': mx([20, 'b.far.test'], [10, 'a.far.test'], [30, 'c.far.test']),
      'a.far.test': { ipv4: ['192.0.2.1', '192.0.2.2'], ipv6: ['2001:db8::1'] },
      'b.far.test': { ipv4: ['192.0.2.3'] },
      'c.far.test': { ipv6: ['2001:db8::3'] },
    });
    expect(hosts(found)).toEqual([
      'a.far.test 2001:db8::1 25',
      expect.stringMatching(/^a\.far\.test 192\.0\.2\.[12] 25$/),
      expect.stringMatching(/^a\.far\.test 192\.0\.2\.[12] 25$/),
      'b.far.test 192.0.2.3 25',
      'c.far.test 2001:db8::3 25',
    ]);
    expect(found).toMatchObject({ hosts: [{ tls: 'opportunistic', credentials: null }, {}, {}, {}, {}] });
  });

  test('the last host gets its turn, however many addresses the ones before it have', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'].map((name) => `${name}.far.test`);
    const found = await route('far.test', {
      'far.test': mx(...names.map((name, at) => [at, name] as const)),
      ...Object.fromEntries(
        names.map((name, at) => [name, { ipv4: [1, 2, 3, 4].map((host) => `192.0.${at + 3}.${host}`) }]),
      ),
    });
    const tried = (hosts(found) as string[]).slice(0, CONNECTS).map((host) => host.slice(0, 1));
    expect(tried.join('')).toBe('aaabbbcccdddeee');
  });

  test('equal preferences are spread at random', async () => {
    const names = {
      'far.test': mx([10, 'a.far.test'], [10, 'b.far.test'], [10, 'c.far.test']),
      'a.far.test': { ipv4: ['192.0.2.1'] },
      'b.far.test': { ipv4: ['192.0.2.2'] },
      'c.far.test': { ipv4: ['192.0.2.3'] },
    };
    const first = new Set<string>();
    let seed = 7;
    const random = () => {
      seed = (seed * 16_807) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    for (let time = 0; time < 60; time++)
      first.add((hosts(await route('far.test', names, {}, random)) as string[])[0] ?? '');
    expect(first.size).toBe(3);
  });

  test('no MX: the domain is its own host', async () => {
    expect(hosts(await route('far.test', { 'far.test': { ipv4: ['192.0.2.1'] } }))).toEqual(['far.test 192.0.2.1 25']);
  });

  test.each([
    ['a domain that does not exist', {}, 'failed', '5.1.2'],
    ['a null MX (RFC 7505)', { 'far.test': { ...mx([0, '']), ipv4: ['192.0.2.1'] } }, 'failed', '5.1.10'],
    ['no address at all', { 'far.test': {} }, 'failed', '5.4.4'],
    [
      'MX hosts without an address, whatever the domain itself has',
      { 'far.test': { ...mx([10, 'a.far.test']), ipv4: ['192.0.2.1'] } },
      'failed',
      '5.4.4',
    ],
    ['a DNS that fails', { 'far.test': { broken: true } }, 'deferred', '4.4.3'],
    [
      'a DNS that fails for every host',
      { 'far.test': mx([10, 'a.far.test']), 'a.far.test': { broken: true } },
      'deferred',
      '4.4.3',
    ],
    ['a loopback address', { 'far.test': { ipv4: ['127.0.0.1'] } }, 'failed', '5.4.4'],
    ['private addresses', { 'far.test': { ipv4: ['10.1.2.3'], ipv6: ['fd00::1'] } }, 'failed', '5.4.4'],
    [
      'ourselves by name',
      { 'far.test': mx([10, 'mail.here.test']), 'mail.here.test': { ipv4: ['192.0.2.9'] } },
      'failed',
      '5.4.6',
    ],
    ['ourselves by address', { 'far.test': { ipv4: ['198.51.100.1'] } }, 'failed', '5.4.6'],
  ] as const)('%s', async (_, names, kind, status) => {
    expect(await route('far.test', names)).toMatchObject({ kind: 'none', outcome: { kind, status } });
  });

  test('a host whose addresses are not known is passed over', async () => {
    const found = await route('far.test', {
      'far.test': mx([10, 'a.far.test'], [20, 'b.far.test']),
      'a.far.test': { broken: true },
      'b.far.test': { ipv4: ['192.0.2.2'] },
    });
    expect(hosts(found)).toEqual(['b.far.test 192.0.2.2 25']);
  });

  test('hosts from our own preference on are left out', async () => {
    const found = await route('far.test', {
      'far.test': mx([10, 'a.far.test'], [20, 'mail.here.test'], [20, 'b.far.test'], [30, 'c.far.test']),
      'a.far.test': { ipv4: ['192.0.2.1'] },
      'b.far.test': { ipv4: ['192.0.2.2'] },
      'c.far.test': { ipv4: ['192.0.2.3'] },
      'mail.here.test': { ipv4: ['198.51.100.1'] },
    });
    expect(hosts(found)).toEqual(['a.far.test 192.0.2.1 25']);
  });

  test('loopback where it is allowed', async () => {
    const found = await route('far.test', { 'far.test': { ipv4: ['127.0.0.1'] } }, { loopback: true, port: 2525 });
    expect(hosts(found)).toEqual(['far.test 127.0.0.1 2525']);
  });
});

describe('address literals (RFC 5321 §4.1.3)', () => {
  test.each([
    ['[192.0.2.1]', ['192.0.2.1 192.0.2.1 25']],
    ['[IPv6:2001:db8::1]', ['2001:db8::1 2001:db8::1 25']],
    ['[127.0.0.1]', { kind: 'failed', status: '5.4.4' }],
    ['[IPv6:::ffff:10.0.0.1]', { kind: 'failed', status: '5.4.4' }],
    ['[198.51.100.1]', { kind: 'failed', status: '5.4.6' }],
  ])('%s', async (literal, expected) => {
    const found = hosts(await route(literal, {}));
    if (Array.isArray(expected)) expect(found).toEqual(expected);
    else expect(found).toMatchObject(expected);
  });
});

describe('what the operator says', () => {
  const names = {
    'far.test': mx([10, 'a.far.test']),
    'a.far.test': { ipv4: ['192.0.2.1'] },
    'relay.test': { ipv4: ['10.0.0.9'] },
  };
  const routes = [{ domain: 'Far.test', host: '127.0.0.1', port: 2626, tls: 'none' as const }];
  const login = { user: 'u', mechanism: null, secret: { kind: 'password', text: 'p' } } as const;
  const smarthost = { host: 'relay.test', port: 465, tls: 'implicit', login } as const;
  const smarthosts = [smarthost];

  test('a route wins over everything, also with a loopback address', async () => {
    expect(hosts(await route('far.test', names, { routes, smarthosts }))).toEqual(['127.0.0.1 127.0.0.1 2626']);
  });

  test('the smarthost takes the rest, with its credentials', async () => {
    const found = await route('other.test', names, { routes, smarthosts });
    expect(found).toEqual({
      kind: 'hosts',
      hosts: [
        {
          name: 'relay.test',
          address: '10.0.0.9',
          port: 465,
          tls: 'implicit',
          exchange: null,
          credentials: expect.objectContaining({ user: 'u' }),
          configured: true,
        },
      ],
    });
  });

  test('a smarthost that cannot be found defers', async () => {
    const found = await route('other.test', {}, { smarthosts });
    expect(found).toMatchObject({ kind: 'none', outcome: { kind: 'deferred' } });
  });

  test('smarthosts in their order, each with its login; one that is not found is passed over', async () => {
    const second = { host: 'second.test', port: 587, tls: 'verified', login: null } as const;
    const lost = { ...second, host: 'lost.test' };
    const known = { ...names, 'second.test': { ipv4: ['10.0.0.10'], ipv6: ['2001:db8::10'] } };
    const found = await route('other.test', known, { smarthosts: [lost, second, smarthost] });
    expect(hosts(found)).toEqual([
      'second.test 2001:db8::10 587',
      'second.test 10.0.0.10 587',
      'relay.test 10.0.0.9 465',
    ]);
    expect(found).toMatchObject({ hosts: [{ credentials: null }, {}, { credentials: { user: 'u' } }] });
  });

  test('each of many smarthosts gets its turn, also from a machine without IPv6', async () => {
    const many = Array.from({ length: 8 }, (_, at) => ({ ...smarthost, host: `s${at}.test` }));
    const addresses = (at: number) => ({ ipv4: [`10.0.${at}.1`, `10.0.${at}.2`], ipv6: [`fd00::${at}`] });
    const known = Object.fromEntries(many.map(({ host }, at) => [host, addresses(at)]));
    const found = await route('other.test', known, { smarthosts: many });
    expect(hosts(found)).toEqual(
      many.flatMap(({ host }, at) => [
        `${host} fd00::${at} 465`,
        expect.stringMatching(RegExp(`^${host} 10\\.0\\.${at}\\.[12] 465$`)),
      ]),
    );
    expect(found.kind === 'hosts' && found.hosts.length).toBeLessThanOrEqual(CONNECTS);
  });

  test('a domain with smarthosts of its own', async () => {
    const own = [{ domain: 'far.test', smarthosts: [{ ...smarthost, host: 'localhost' }] }];
    const found = await route('far.test', names, { routes: own, smarthosts });
    expect(hosts(found)).toEqual(['localhost 127.0.0.1 465', 'localhost ::1 465']);
    expect(found).toMatchObject({ hosts: [{ credentials: { user: 'u' } }, {}] });
  });

  test('localhost needs no DNS', async () => {
    const found = await route('other.test', {}, { smarthosts: [{ ...smarthost, host: 'localhost' }] });
    expect(hosts(found)).toEqual(['localhost 127.0.0.1 465', 'localhost ::1 465']);
  });
});
