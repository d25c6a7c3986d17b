// Connections to next hops: each TLS rung (PORTS.md H2, H3, H5), what is remembered of hosts, what is kept when idle.

import { pino } from 'pino';
import { beforeAll, describe, expect, test } from 'vitest';
import type { RouteTls } from '../../src/config/config.ts';
import { Hops, type ProtectedHop } from '../../src/mta/hops.ts';
import { decide } from '../../src/mta/security/decision.ts';
import { type Identity, makeContext } from '../../src/platform/tls.ts';
import { clientContexts } from '../../src/smtp/client/secure-context.ts';
import { FakeClock } from '../fake-clock.ts';
import { credentialsOf } from '../smtp/credentials.ts';
import { fakeServer, KEYWORDS, type Script } from '../smtp/fake-server.ts';
import { makeTestIdentity } from '../smtp/test-identity.ts';

const TLS = [...KEYWORDS, 'STARTTLS', 'AUTH PLAIN'];
const broken = (line: string) => (line === 'STARTTLS' ? ({ do: 'broken-tls' } as const) : undefined);
const credentials = credentialsOf('alice', 'wonderland');

let identity: Identity;
beforeAll(async () => {
  identity = await makeTestIdentity('127.0.0.1');
});

async function stage(
  script: Script,
  { tls = 'opportunistic', ...hop }: Partial<ProtectedHop> & { readonly tls?: RouteTls } = {},
  authorities: readonly string[] = [],
) {
  const server = await fakeServer({ keywords: TLS, context: makeContext([identity], 'lenient'), ...script });
  const clock = new FakeClock();
  const hops = new Hops({
    hostname: 'mail.here.test',
    clock,
    random: () => 0.5,
    log: pino({ level: 'silent' }),
    contexts: clientContexts(authorities),
  });
  const name = '127.0.0.1';
  const demand = demandOf(name, tls);
  const to: ProtectedHop = { name, address: name, port: server.port, credentials: null, demand, ...hop };
  return { server, clock, hops, to };
}

/** What the operator's word on a host asks of a connection. */
function demandOf(name: string, tls: RouteTls): ProtectedHop['demand'] {
  const demand = decide({ name, tls, loopback: true, exchange: null }, { requireTls: false, tlsOptional: false });
  if (demand.kind === 'refused') throw new Error(demand.text);
  return demand;
}

describe('the TLS rung of a hop', () => {
  test.each([
    ['opportunistic', true],
    ['required', true],
    ['none', false],
  ] as const)('%s: TLS is %s where STARTTLS is offered', async (tls, secure) => {
    const { server, hops, to } = await stage({}, { tls });
    const connection = await hops.connect(to);
    expect(connection.tls !== null).toBe(secure);
    hops.destroy();
    await server.until(() => server.sessions[0]?.closed ?? false);
    expect(connection.alive).toBe(false);
  });

  test('opportunistic: a broken handshake is followed by one connection in clear, and none with TLS for a while', async () => {
    const { server, clock, hops, to } = await stage({ on: broken });
    expect((await hops.connect(to)).tls).toBeNull();
    expect((await hops.connect(to)).tls).toBeNull();
    expect(server.sessions.map(({ commands }) => commands.includes('STARTTLS'))).toEqual([true, false, false]);
    clock.advance(3_600_000);
    await hops.connect(to);
    expect(server.sessions.map(({ commands }) => commands.includes('STARTTLS'))).toEqual([
      true,
      false,
      false,
      true,
      false,
    ]);
    hops.destroy();
  });

  test('opportunistic: who hangs up on EHLO hears HELO, and is asked for TLS again on each connection', async () => {
    const deaf = { on: (line: string) => (line.startsWith('EHLO') ? ({ do: 'close' } as const) : undefined) };
    const { server, clock, hops, to } = await stage(deaf);
    await expect(hops.connect(to)).rejects.toMatchObject({ kind: 'closed' });
    clock.advance(300_000);
    for (let times = 0; times < 2; times++) expect((await hops.connect(to)).extensions.starttls).toBe(false);
    expect(server.sessions.map(({ commands }) => commands[0]?.slice(0, 4))).toEqual([
      'EHLO',
      'EHLO',
      'HELO',
      'EHLO',
      'HELO',
    ]);
    server.script = { keywords: TLS, context: makeContext([identity], 'lenient') };
    expect((await hops.connect(to)).tls).not.toBeNull();
    hops.destroy();
  });

  test.each(['required', 'verified'] as const)('%s: a broken handshake is the end', async (tls) => {
    const { server, hops, to } = await stage({ on: broken }, { tls });
    await expect(hops.connect(to)).rejects.toMatchObject({ kind: 'handshake' });
    expect(server.sessions).toHaveLength(1);
  });

  test('verified: a certificate that nobody vouches for is the end', async () => {
    const { server, hops, to } = await stage({}, { tls: 'verified', credentials });
    await expect(hops.connect(to)).rejects.toMatchObject({
      kind: 'certificate',
      certificate: { problem: 'certificate-not-trusted' },
    });
    expect(server.sessions[0]?.commands.some((line) => line.startsWith('AUTH'))).toBe(false);
  });

  test('verified: the name of a certificate counts, also one of an authority of our own', async () => {
    const { server, hops, to } = await stage({}, { tls: 'verified', credentials }, [identity.certificate]);
    expect((await hops.connect(to)).tls).not.toBeNull();
    const other = { ...to, demand: demandOf('other.test', 'verified') };
    await expect(hops.connect(other)).rejects.toMatchObject({ kind: 'certificate' });
    expect(server.sessions.map(({ commands }) => commands.some((line) => line.startsWith('AUTH')))).toEqual([
      true,
      false,
    ]);
    hops.destroy();
  });

  test('implicit-unverified: any certificate', async () => {
    const { hops, to } = await stage({ implicit: true }, { tls: 'implicit-unverified', credentials });
    expect((await hops.connect(to)).tls).not.toBeNull();
    hops.destroy();
  });

  test('H5: implicit TLS and STARTTLS to a smarthost, with credentials', async () => {
    for (const [tls, implicit] of [
      ['implicit', true],
      ['required', false],
    ] as const) {
      const { server, hops, to } = await stage({ implicit }, { tls, credentials });
      const connection = await hops.connect(to);
      expect(connection.tls).not.toBeNull();
      expect(server.sessions[0]?.commands.at(-1)).toBe(
        `AUTH PLAIN ${Buffer.from('\0alice\0wonderland').toString('base64')}`,
      );
      hops.destroy();
    }
  });
});

describe('memory', () => {
  test('a host that did not answer is left alone for a while, or until an operator wants it', async () => {
    const { server, clock, hops, to } = await stage({ greeting: '421 4.3.2 busy' });
    for (let time = 0; time < 3; time++) await expect(hops.connect(to)).rejects.toMatchObject({ kind: 'refused' });
    expect(server.sessions).toHaveLength(1);
    clock.advance(120_000);
    await expect(hops.connect(to)).rejects.toMatchObject({ kind: 'refused' });
    expect(server.sessions).toHaveLength(2);
    hops.forget();
    server.script = {};
    expect((await hops.connect(to)).alive).toBe(true);
    hops.destroy();
  });

  test('a refused login is not tried again for long, also where another connection stands', async () => {
    const { server, clock, hops, to } = await stage({}, { tls: 'required', credentials });
    await hops.connect(to);
    server.script = { ...server.script, on: (line) => (line.startsWith('AUTH') ? '535 5.7.8 no' : undefined) };
    for (let minutes = 0; minutes < 14; minutes += 2) {
      await expect(hops.connect(to)).rejects.toMatchObject({ kind: 'login', reply: { code: 535 } });
      clock.advance(120_000);
    }
    expect(server.sessions).toHaveLength(2);
    clock.advance(120_000);
    await expect(hops.connect(to)).rejects.toMatchObject({ kind: 'login' });
    expect(server.sessions).toHaveLength(3);
    // Put right: an operator's "queue retry" tries at once.
    hops.forget();
    server.script = { ...server.script, on: () => undefined };
    expect((await hops.connect(to)).alive).toBe(true);
    hops.destroy();
  });

  test('a host that has another connection open is not dead', async () => {
    const { server, hops, to } = await stage({ keywords: KEYWORDS });
    const first = await hops.connect(to);
    server.script = { greeting: '421 4.7.0 too many' };
    await expect(hops.connect(to)).rejects.toMatchObject({ kind: 'refused' });
    server.script = {};
    expect((await hops.connect(to)).alive).toBe(true);
    expect(first.alive).toBe(true);
    hops.destroy();
  });

  test('idle connections are kept for a moment, then closed politely', async () => {
    const { server, clock, hops, to } = await stage({ keywords: KEYWORDS });
    const connection = await hops.connect(to);
    hops.keep(to, connection);
    expect(hops.reuse({ ...to, address: '127.0.0.2' })).toBeUndefined();
    expect(hops.reuse(to)).toBe(connection);
    expect(hops.reuse(to)).toBeUndefined();
    hops.keep(to, connection);
    clock.advance(5_000);
    await server.until(() => server.sessions[0]?.closed ?? false);
    expect(server.sessions[0]?.commands.at(-1)).toBe('QUIT');
    expect(hops.reuse(to)).toBeUndefined();
  });

  test('retiring says QUIT; destroying ends what is being opened too', async () => {
    const { server, hops, to } = await stage({ keywords: KEYWORDS });
    hops.keep(to, await hops.connect(to));
    await hops.retire();
    expect(server.sessions[0]?.commands.at(-1)).toBe('QUIT');
    server.script = { greeting: { do: 'stall' } };
    const opening = hops.connect(to);
    await server.until(() => server.sessions.length === 2);
    hops.destroy();
    await expect(opening).rejects.toBeDefined();
  });
});
