// A man in the middle between us and a mail host, against each rung: the message arrives, with TLS or without, or it waits,
// exactly as the rung says.

import { beforeAll, describe, expect, test } from 'vitest';
import type { RouteTls } from '../../../src/config/config.ts';
import { makeContext } from '../../../src/platform/tls.ts';
import type { FakeName } from '../../fake-dns.ts';
import { KEYWORDS, type Script } from '../../smtp/fake-server.ts';
import { DAY, type QueueStage, queueStage } from '../queue-stage.ts';
import { makeAuthority, tlsaFor } from './authority.ts';

/** The clock in hand and OpenSSL's must agree. */
const NOW = Date.now();
const TLS = [...KEYWORDS, 'STARTTLS'];

type Attack = 'nobody' | 'strips' | 'answers454' | 'breaks' | 'wrongCertificate' | 'forgesMx';
/** What is to come of the message: with TLS to the right host, to whoever is there with TLS, in clear, or not now. */
type Fate = 'arrives with TLS' | 'arrives in clear' | 'arrives elsewhere' | `waits ${string}`;

interface Row {
  readonly rung: string;
  readonly route?: RouteTls;
  readonly policy?: 'enforce' | 'testing';
  readonly tlsa?: readonly (readonly [usage: number, selector: number, matching: number])[];
  readonly fates: Readonly<Record<Attack, Fate>>;
}

const TRUSTING = {
  nobody: 'arrives with TLS',
  strips: 'arrives in clear',
  answers454: 'arrives in clear',
  breaks: 'arrives in clear',
  wrongCertificate: 'arrives with TLS',
  forgesMx: 'arrives elsewhere',
} as const;
const STRICT = {
  nobody: 'arrives with TLS',
  strips: 'waits 4.7.4',
  answers454: 'waits 4.7.4',
  breaks: 'waits 4.7.5',
  wrongCertificate: 'waits 4.7.5',
  // A validating resolver gives no answer that DNSSEC proves wrong.
  forgesMx: 'waits 4.4.3',
} as const;

const ROWS: readonly Row[] = [
  { rung: 'opportunistic', fates: TRUSTING },
  { rung: 'dane', tlsa: [[3, 1, 1]], fates: STRICT },
  { rung: 'dane', tlsa: [[2, 0, 2]], fates: STRICT },
  // Encrypted, but with nobody in particular.
  { rung: 'required', tlsa: [[1, 1, 1]], fates: { ...STRICT, wrongCertificate: 'arrives with TLS' } },
  // A policy needs no DNSSEC: the host that is forged is not in it.
  { rung: 'mta-sts', policy: 'enforce', fates: { ...STRICT, forgesMx: 'waits 4.7.5' } },
  { rung: 'opportunistic', policy: 'testing', fates: TRUSTING },
  { rung: 'dane', policy: 'enforce', tlsa: [[3, 1, 1]], fates: STRICT },
  // A route is the operator's word: no MX is asked for.
  {
    rung: 'required',
    route: 'required',
    fates: { ...STRICT, wrongCertificate: 'arrives with TLS', forgesMx: 'arrives with TLS' },
  },
  { rung: 'verified', route: 'verified', fates: { ...STRICT, forgesMx: 'arrives with TLS' } },
  // Where that leaves it open, what the host itself has published counts.
  { rung: 'opportunistic', route: 'opportunistic', fates: { ...TRUSTING, forgesMx: 'arrives with TLS' } },
  {
    rung: 'dane',
    route: 'opportunistic',
    tlsa: [[3, 1, 1]],
    fates: { ...STRICT, forgesMx: 'arrives with TLS' },
  },
  {
    rung: 'mta-sts',
    route: 'opportunistic',
    policy: 'enforce',
    fates: { ...STRICT, forgesMx: 'arrives with TLS' },
  },
  {
    rung: 'none',
    route: 'none',
    fates: {
      nobody: 'arrives in clear',
      strips: 'arrives in clear',
      answers454: 'arrives in clear',
      breaks: 'arrives in clear',
      wrongCertificate: 'arrives in clear',
      forgesMx: 'arrives in clear',
    },
  },
];

let made: Awaited<ReturnType<typeof makeIdentities>>;
async function makeIdentities() {
  const authority = await makeAuthority('Test Authority', NOW);
  return {
    authority,
    right: await authority.issue(['mx2.test', 'localhost']),
    // Anybody gets a certificate for a name of their own.
    forged: await authority.issue(['mx3.test']),
    wrong: await (await makeAuthority('Somebody', NOW)).issue(['mx2.test', 'localhost']),
  };
}
beforeAll(async () => {
  made = await makeIdentities();
});

function scriptOf(attack: Attack): Script {
  const context = makeContext([attack === 'wrongCertificate' ? made.wrong : made.right], 'lenient');
  const on = (line: string) => {
    if (line !== 'STARTTLS') return undefined;
    if (attack === 'answers454') return '454 4.7.0 TLS not available';
    return attack === 'breaks' ? ({ do: 'broken-tls' } as const) : undefined;
  };
  return { context, on, keywords: attack === 'strips' ? KEYWORDS : TLS };
}

function setDns(stage: QueueStage, row: Row, attack: Attack): void {
  const secure = row.tlsa !== undefined;
  const mx = (host: number): FakeName => ({ mx: [{ preference: 0, exchange: `mx${host}.test` }], secure });
  const forged = attack === 'forgesMx';
  stage.dns.set('far.test', forged && secure ? { broken: true } : mx(forged ? 3 : 2));
  for (const host of [2, 3])
    stage.dns.set(`mx${host}.test`, { ipv4: [`127.0.0.${host}`], secure: secure && host === 2 });
  const [leaf = '', ...above] = made.right.certificate.split(/(?<=-----END CERTIFICATE-----)\s*/);
  const records = (row.tlsa ?? []).map((parts) => tlsaFor(parts[0] === 2 ? above.join('\n') : leaf, ...parts));
  const domain = row.route === undefined ? 'far.test' : 'mx2.test';
  if (row.policy !== undefined) stage.dns.set(`_mta-sts.${domain}`, { txt: ['v=STSv1; id=1'] });
  stage.dns.set(`_${stage.port}._tcp.mx2.test`, { tlsa: records, secure });
}

describe.each(ROWS.map((row) => [row.rung, row.route ?? row.policy ?? 'MX', row.tlsa ?? [], row] as const))(
  '%s (%s %j)',
  (rung, _route, _tlsa, row) => {
    // The table's own names.
    test.each(Object.entries(row.fates) as [Attack, Fate][])('%s: %s', async (attack, fate) => {
      const routes = (port: number) =>
        row.route === undefined ? [] : [{ domain: 'far.test', host: 'mx2.test', port, tls: row.route }];
      await using stage = await queueStage({
        relay: (port) => ({ routes: routes(port) }),
        authorities: [made.authority.certificate],
        now: NOW,
        fetchPolicy: async () => ({
          kind: 'fetched',
          text: `version: STSv1\nmode: ${row.policy}\nmx: mx2.test\nmax_age: 86400\n`,
        }),
      });
      setDns(stage, row, attack);
      const host = await stage.hop(2, scriptOf(attack));
      const attacker = await stage.hop(3, { ...scriptOf('nobody'), context: makeContext([made.forged], 'lenient') });
      await stage.put({ to: ['bob@far.test'] });
      const left = await stage.until((entries) => entries.every(({ attempts }) => attempts > 0));
      const [heard] = [...host.messages, ...attacker.messages];
      if (fate.startsWith('waits')) {
        expect(heard).toBeUndefined();
        expect(left).toMatchObject([{ last: { text: expect.any(String) } }]);
        const [{ last }] = left as [(typeof left)[number]]; // as was expected
        expect(stage.records).toContainEqual(expect.objectContaining({ msg: 'deferred', status: fate.slice(6) }));
        if (!fate.endsWith('4.4.3')) expect(last?.security).toMatchObject({ rung, failure: expect.any(String) });
        // Not a word of it was said.
        expect(host.sessions.flatMap(({ commands }) => commands).some((line) => line.startsWith('MAIL'))).toBe(false);
      } else {
        expect(left).toEqual([]);
        expect(heard?.secure).toBe(fate !== 'arrives in clear');
        expect(attacker.messages).toHaveLength(fate === 'arrives elsewhere' ? 1 : 0);
        expect(stage.records).toContainEqual(expect.objectContaining({ msg: 'delivered', rung }));
      }
    });
  },
);

test('what was never protected comes back at the end, with the reason', async () => {
  await using stage = await queueStage({ now: NOW });
  const row = ROWS.find(({ rung }) => rung === 'dane');
  if (row === undefined) throw new Error('the table has a row of DANE');
  setDns(stage, row, 'wrongCertificate');
  await stage.hop(2, scriptOf('wrongCertificate'));
  await stage.put({ to: ['bob@far.test'] });
  await stage.until((entries) => entries.every(({ attempts }) => attempts > 0));
  stage.clock.advance(6 * DAY);
  await stage.until((entries) => entries.length === 0);
  const [report = ''] = await stage.inbox();
  expect(report).toMatch(/^Status: 4\.7\.5\r$/m);
  expect(report).toContain('mx2.test');
});

test.each<readonly [string, (stage: QueueStage) => void]>([
  ['one that the policy does not name', ({ dns }) => dns.set('_mta-sts.far.test', { txt: ['v=STSv1; id=1'] })],
  ['one whose TLSA records cannot be had', ({ dns, port }) => dns.set(`_${port}._tcp.mx3.test`, { broken: true })],
])('%s is passed over, and the next by preference has the message', async (_, publish) => {
  await using stage = await queueStage({
    authorities: [made.authority.certificate],
    now: NOW,
    fetchPolicy: async () => ({
      kind: 'fetched',
      text: 'version: STSv1\nmode: enforce\nmx: mx2.test\nmax_age: 86400\n',
    }),
  });
  const mx = [3, 2].map((host, preference) => ({ preference, exchange: `mx${host}.test` }));
  stage.dns.set('far.test', { mx, secure: true });
  for (const host of [2, 3]) stage.dns.set(`mx${host}.test`, { ipv4: [`127.0.0.${host}`], secure: true });
  publish(stage);
  const host = await stage.hop(2, scriptOf('nobody'));
  const other = await stage.hop(3, { ...scriptOf('nobody'), context: makeContext([made.forged], 'lenient') });
  await stage.put({ to: ['bob@far.test'] });
  await stage.until((entries) => entries.length === 0);
  expect(host.messages).toHaveLength(1);
  expect(other.sessions.flatMap(({ commands }) => commands)).not.toContainEqual(expect.stringMatching(/^MAIL/));
});
