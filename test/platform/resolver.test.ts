// The stub resolver against a resolver that does as a script says: what counts as an answer, what it says, how long it
// holds, and what happens where none comes.

import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { DnsFailure } from '../../src/platform/dns.ts';
import { createDns } from '../../src/platform/resolver.ts';
import { FakeClock } from '../fake-clock.ts';
import { answer, FakeResolver, FLAG, hasEdns, RCODE, record, type Script, soa } from './fake-resolver.ts';

const MX = { preference: 10, exchange: 'Mail.Example.test' };

async function stage(...scripts: readonly Script[]) {
  const stack = new AsyncDisposableStack();
  const clock = new FakeClock();
  const servers: FakeResolver[] = [];
  for (const script of scripts) servers.push(stack.use(await FakeResolver.open(script)));
  const [server] = servers;
  if (server === undefined) throw new Error('a stage has a resolver');
  let id = 0;
  const options = { clock, randomId: () => id++ & 0xffff };
  return {
    clock,
    server,
    servers,
    dns: createDns({ resolvers: servers.map((each) => each.at()), ...options }),
    trusting: createDns({ resolvers: servers.map((each) => each.at(true)), ...options }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

it('asks for what it is asked, and returns it in one form', async () => {
  await using s = await stage((asked) => [
    answer(asked, {
      answers: [
        record('EXAMPLE.test', 'MX', MX, 60),
        record('example.test', 'MX', { preference: 0, exchange: '.' }, 120),
        record('other.test', 'MX', { preference: 1, exchange: 'evil.test' }, 5),
        record('example.test', 'A', '192.0.2.1'),
        record('example.test', 'AAAA', '2001:DB8:0:0::1'),
        record('example.test', 'TXT', [Buffer.from('v=spf1 '), Buffer.from('-all')]),
      ],
    }),
  ]);
  expect(await s.dns.mx('Example.TEST.')).toEqual({
    records: [
      { preference: 10, exchange: 'mail.example.test' },
      { preference: 0, exchange: '' },
    ],
    owner: 'example.test',
    exists: true,
    secure: false,
    ttl: 60,
  });
  expect((await s.dns.ipv4('example.test')).records).toEqual(['192.0.2.1']);
  expect((await s.dns.ipv6('example.test')).records).toEqual(['2001:db8::1']);
  expect((await s.dns.txt('example.test')).records).toEqual(['v=spf1 -all']);
  expect(s.server.asked).toEqual([
    'udp MX example.test',
    'udp A example.test',
    'udp AAAA example.test',
    'udp TXT example.test',
  ]);
});

it.each([
  ['behind a record', 0],
  ['within one', 3],
])('an answer that was cut %s is asked for again over TCP', async (_, missing) => {
  await using s = await stage((asked) => {
    if (asked.over === 'udp') {
      const cut = answer(asked, { flags: FLAG.truncated, answers: [record('a.test', 'A', '192.0.2.9')] });
      return [cut.subarray(0, cut.length - missing)];
    }
    const whole = answer(asked, {
      answers: Array.from({ length: 200 }, (_, n) => record('a.test', 'A', `192.0.2.${n}`)),
    });
    return [whole.subarray(0, 1), whole.subarray(1, 50), whole.subarray(50)];
  });
  expect((await s.dns.ipv4('a.test')).records).toHaveLength(200);
  expect(s.server.asked).toEqual(['udp A a.test', 'tcp A a.test']);
});

it.each<readonly [string, Script]>([
  ['no answer but octets', () => [Buffer.from('GET / HTTP/1.1\r\n\r\n')]],
  ['an answer to another question', (asked) => [answer(asked, { packet: { id: 4711 } })]],
  ['a length and no more', () => [Buffer.from([0xff, 0xff])]],
])('over TCP: %s', async (_, script) => {
  await using s = await stage((asked) =>
    asked.over === 'udp' ? [answer(asked, { flags: FLAG.truncated })] : script(asked),
  );
  const failing = expect(s.dns.ipv4('a.test')).rejects.toThrow(DnsFailure);
  // Where nothing more comes, time runs out; both rounds.
  for (const questions of [2, 4]) {
    await s.server.heard(questions);
    for (let step = 0; step < 10; step++) {
      s.clock.advance(1_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  await failing;
});

it('octets that do not answer this question are ignored, and the answer still counts', async () => {
  await using s = await stage((asked) => {
    const forged = { answers: [record('a.test', 'A', '203.0.113.66')] };
    return [
      Buffer.from('nonsense'),
      Buffer.alloc(0),
      Buffer.alloc(1200, 0xc0),
      answer(asked, { ...forged, packet: { id: (asked.packet.id + 1) & 0xffff } }),
      answer(asked, { ...forged, packet: { questions: [{ name: 'b.test', type: 'A', class: 'IN' }] } }),
      answer(asked, { ...forged, packet: { questions: [{ name: 'a.test', type: 'AAAA', class: 'IN' }] } }),
      answer(asked, { ...forged, packet: { questions: [] } }),
      answer(asked, { ...forged, packet: { type: 'query' } }),
      answer(asked, { answers: [record('a.test', 'A', '192.0.2.1')] }),
    ];
  });
  expect((await s.dns.ipv4('a.test')).records).toEqual(['192.0.2.1']);
});

it('AD counts from a trusted resolver only', async () => {
  let flags: number = FLAG.authentic;
  await using s = await stage((asked) => [answer(asked, { flags, answers: [record(asked.name, 'A', '192.0.2.1')] })]);
  expect((await s.dns.ipv4('a.test')).secure).toBe(false);
  expect((await s.trusting.ipv4('a.test')).secure).toBe(true);
  flags = 0;
  expect((await s.trusting.ipv4('b.test')).secure).toBe(false);
});

it('TLSA as it stands, at the end of an alias too; of an alias itself where it leads', async () => {
  const certificate = Buffer.from('0123456789abcdef0123456789abcdef');
  await using s = await stage((asked) => [
    answer(asked, {
      flags: FLAG.authentic,
      answers: [
        record('_25._tcp.mx.test', 'CNAME', '_dane.mx.test'),
        record('_dane.mx.test', 'TLSA', { usage: 3, selector: 1, matchingType: 1, certificate }),
        record('_dane.mx.test', 'TLSA', { usage: 9, selector: 7, matchingType: 5, certificate: Buffer.alloc(0) }),
      ],
    }),
  ]);
  const { records, owner, secure } = await s.trusting.tlsa('_25._tcp.MX.test');
  expect(records).toEqual([
    { usage: 3, selector: 1, matching: 1, data: certificate },
    { usage: 9, selector: 7, matching: 5, data: Buffer.alloc(0) },
  ]);
  expect([owner, secure]).toEqual(['_dane.mx.test', true]);
  expect((await s.trusting.cname('_25._tcp.mx.test')).records).toEqual(['_dane.mx.test']);
});

it('what a trusted resolver calls bogus is not had from one that does not look', async () => {
  await using s = await stage(
    (asked) => [answer(asked, { flags: RCODE.servFail })],
    (asked) => [answer(asked, { answers: [record(asked.name, 'A', '192.0.2.66')] })],
  );
  const [validating, other] = s.servers;
  if (validating === undefined || other === undefined) throw new Error('there are two');
  const dns = createDns({ resolvers: [other.at(), validating.at(true)], clock: s.clock });
  await expect(dns.ipv4('a.test')).rejects.toBeInstanceOf(DnsFailure);
  expect(other.asked).toEqual([]);
});

it('follows an alias within an answer and over several, which is as secure as its weakest part', async () => {
  await using s = await stage((asked) => {
    const alias = (from: string, to: string, ttl: number) => record(from, 'CNAME', to, ttl);
    switch (asked.name) {
      case 'one.test':
        return [
          answer(asked, {
            flags: FLAG.authentic,
            answers: [record('two.test', 'A', '192.0.2.2', 90), alias('one.test', 'TWO.test', 40)],
          }),
        ];
      case 'far.test':
        return [answer(asked, { flags: FLAG.authentic, answers: [alias('far.test', 'there.test', 50)] })];
      case 'there.test':
        return [answer(asked, { answers: [record('there.test', 'A', '192.0.2.3', 70)] })];
      default:
        return [answer(asked, { flags: FLAG.authentic, answers: [alias(asked.name, `x${asked.name}`, 50)] })];
    }
  });
  expect(await s.trusting.ipv4('one.test')).toEqual({
    records: ['192.0.2.2'],
    owner: 'two.test',
    exists: true,
    secure: true,
    ttl: 40,
  });
  expect(await s.trusting.ipv4('far.test')).toEqual({
    owner: 'there.test',
    records: ['192.0.2.3'],
    exists: true,
    secure: false,
    ttl: 50,
  });
  await expect(s.trusting.ipv4('endless.test')).rejects.toThrow(DnsFailure);
});

it('an alias that leads back to itself ends', async () => {
  await using s = await stage((asked) => [
    answer(asked, { answers: [record('a.test', 'CNAME', 'b.test'), record('b.test', 'CNAME', 'a.test')] }),
  ]);
  await expect(s.dns.ipv4('a.test')).rejects.toThrow(DnsFailure);
});

it('NXDOMAIN and NODATA are told apart, and hold as long as the SOA says', async () => {
  await using s = await stage((asked) => {
    const none = asked.name.startsWith('none');
    return [answer(asked, { flags: none ? RCODE.nxDomain : 0, authorities: [soa(120, 900)] })];
  });
  expect(await s.dns.mx('none.test')).toMatchObject({ records: [], exists: false, secure: false, ttl: 120 });
  expect(await s.dns.mx('empty.test')).toMatchObject({ records: [], exists: true, secure: false, ttl: 120 });
  s.clock.advance(119_000);
  await s.dns.mx('none.test');
  expect(s.server.asked).toHaveLength(2);
  s.clock.advance(2_000);
  await s.dns.mx('none.test');
  expect(s.server.asked).toHaveLength(3);
});

it('an alias of what does not exist does not exist', async () => {
  await using s = await stage((asked) => [
    answer(asked, { flags: RCODE.nxDomain, answers: [record('a.test', 'CNAME', 'none.test')] }),
  ]);
  expect(await s.dns.mx('a.test')).toMatchObject({ records: [], exists: false });
});

it('an answer is kept for its time to live and no longer', async () => {
  let ttl = 100;
  await using s = await stage((asked) => [answer(asked, { answers: [record(asked.name, 'A', '192.0.2.1', ttl)] })]);
  expect((await s.dns.ipv4('a.test')).ttl).toBe(100);
  s.clock.advance(30_500);
  expect((await s.dns.ipv4('A.test')).ttl).toBe(70);
  expect(s.server.asked).toHaveLength(1);
  s.clock.advance(70_000);
  expect((await s.dns.ipv4('a.test')).ttl).toBe(100);
  expect(s.server.asked).toHaveLength(2);
  // Zero is for this once; RFC 2181 §8: so is what has the top bit set. A year is a day.
  for (const [given, kept] of [
    [0, 0],
    [0x8000_0001, 0],
    [31_536_000, 86_400],
  ] as const) {
    ttl = given;
    const name = `t${given}.test`;
    expect((await s.dns.ipv4(name)).ttl, String(given)).toBe(kept);
    const before = s.server.asked.length;
    await s.dns.ipv4(name);
    expect(s.server.asked.length - before).toBe(kept === 0 ? 1 : 0);
  }
});

it('a clock that is set back does not keep an answer for ever', async () => {
  await using s = await stage((asked) => [answer(asked, { answers: [record(asked.name, 'A', '192.0.2.1')] })]);
  await s.dns.ipv4('a.test');
  s.clock.advance(-3_600_000);
  await s.dns.ipv4('a.test');
  expect(s.server.asked).toHaveLength(2);
});

it('the same question twice at once is one', async () => {
  await using s = await stage((asked) => [answer(asked, { answers: [record(asked.name, 'A', '192.0.2.1')] })]);
  const both = await Promise.all([s.dns.ipv4('a.test'), s.dns.ipv4('A.TEST')]);
  expect(both[0]).toBe(both[1]);
  expect(s.server.asked).toHaveLength(1);
});

it('asks the next resolver where one cannot answer, without a second round where all have said so', async () => {
  const refuses: Script = (asked) => [answer(asked, { flags: RCODE.refused })];
  await using s = await stage(
    (asked) => [answer(asked, { flags: RCODE.servFail })],
    refuses,
    (asked) => [answer(asked, { answers: [record(asked.name, 'A', '192.0.2.1')] })],
  );
  expect((await s.dns.ipv4('a.test')).records).toEqual(['192.0.2.1']);
  expect(s.servers.map(({ asked }) => asked.length)).toEqual([1, 1, 1]);
  const last = s.servers[2];
  if (last) last.script = refuses;
  await expect(s.dns.ipv4('b.test')).rejects.toThrow(DnsFailure);
  expect(s.servers.map(({ asked }) => asked.length)).toEqual([2, 2, 2]);
  // A failure is not kept.
  await expect(s.dns.ipv4('b.test')).rejects.toThrow(DnsFailure);
  expect(s.server.asked).toHaveLength(3);
});

it('a resolver that is silent is given time, then the next is asked, then all again', async () => {
  await using s = await stage(
    () => [],
    () => [],
  );
  const failing = expect(s.dns.ipv4('a.test')).rejects.toThrow(DnsFailure);
  const [first, second] = s.servers;
  for (const round of [1, 2]) {
    for (const server of [first, second]) {
      await server?.heard(round);
      s.clock.advance(round === 1 ? 2_500 : 5_000);
    }
  }
  await failing;
  expect(s.servers.map(({ asked }) => asked.length)).toEqual([2, 2]);
});

it('one that does not know EDNS is asked without it', async () => {
  for (const rcode of [RCODE.formErr, RCODE.notImp]) {
    await using s = await stage((asked) => {
      if (!hasEdns(asked)) return [answer(asked, { answers: [record('a.test', 'A', '192.0.2.1')] })];
      return [answer(asked, { flags: rcode, ...(rcode === RCODE.formErr ? { packet: { questions: [] } } : {}) })];
    });
    expect((await s.dns.ipv4('a.test')).records).toEqual(['192.0.2.1']);
    expect(s.server.asked).toHaveLength(2);
  }
});

it('a resolver that cannot be reached is a failure like any other', async () => {
  const clock = new FakeClock();
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const place = server.address();
  const port = typeof place === 'object' && place !== null ? place.port : 0;
  server.close();
  // A closed port; the broadcast address, which nobody may send to unasked.
  for (const resolver of [
    { address: '127.0.0.1', port, trusted: false },
    { address: '255.255.255.255', port: 53, trusted: false },
  ]) {
    const dns = createDns({ resolvers: [resolver], clock });
    await expect(dns.mx('a.test')).rejects.toThrow(DnsFailure);
  }
});

it('what is no name of the DNS is not asked for', async () => {
  await using s = await stage(() => []);
  for (const name of [
    '',
    '.',
    'a..test',
    'bücher.test',
    'a b.test',
    `${'a'.repeat(64)}.test`,
    `${'a.'.repeat(130)}test`,
  ]) {
    expect(await s.dns.mx(name), name).toMatchObject({ records: [], exists: false });
  }
  expect(s.server.asked).toEqual([]);
});
