// The client before MAIL: greetings, EHLO and HELO, STARTTLS, implicit TLS, AUTH, against a server by script.

import { createSecureContext } from 'node:tls';
import { beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/platform/clock.ts';
import { type Identity, makeContext } from '../../../src/platform/tls.ts';
import type { Judge, Presented } from '../../../src/smtp/client/certificate.ts';
import { ConnectionFailure } from '../../../src/smtp/client/channel.ts';
import { FakeClock } from '../../fake-clock.ts';
import { credentialsOf, tokenOf } from '../credentials.ts';
import { type Answer, fakeServer, KEYWORDS, type Script } from '../fake-server.ts';
import { scramServer } from '../scram-server.ts';
import { makeTestIdentity } from '../test-identity.ts';
import { contentOf, envelopeTo, openTo } from './try-out.ts';

let identity: Identity;
beforeAll(async () => {
  identity = await makeTestIdentity('fake.test', '127.0.0.1');
});

const serve = (script: Script = {}) => fakeServer({ context: makeContext([identity], 'lenient'), ...script });
const TLS_KEYWORDS = [...KEYWORDS, 'STARTTLS'];
const at = (start: string, answer: Answer) => (line: string) => (line.startsWith(start) ? answer : undefined);
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable(),
    (error: unknown) => error as ConnectionFailure,
  );

describe('opening', () => {
  test('EHLO refused becomes HELO, and no extension is used (RFC 5321 §3.2)', async () => {
    for (const code of ['500', '502', '504', '550']) {
      const server = await serve({ on: at('EHLO', `${code} what`) });
      const connection = await openTo(server);
      await connection.send(envelopeTo([['a@fake.test', { notify: 'never' }]]), contentOf('x\r\n'));
      await connection.quit();
      expect(server.sessions[0]?.commands).toEqual([
        'EHLO client.test',
        'HELO client.test',
        'MAIL FROM:<alice@client.test>',
        'RCPT TO:<a@fake.test>',
        'DATA',
        'QUIT',
      ]);
    }
  });

  test.each([
    ['a 4yz greeting', { greeting: '421 4.3.2 busy' }, 'refused', 421],
    ['a 554 greeting', { greeting: '554 5.3.2 no service' }, 'refused', 554],
    ['a multi-line greeting that refuses', { greeting: '521-no\n521 mail' }, 'refused', 521],
    ['a close instead of a greeting', { greeting: { do: 'close' } }, 'closed', undefined],
    ['a greeting that is no SMTP', { greeting: 'SSH-2.0-x' }, 'syntax', undefined],
    ['421 to EHLO', { on: at('EHLO', '421 busy') }, 'refused', 421],
    ['421 to STARTTLS', { keywords: TLS_KEYWORDS, on: at('STARTTLS', '421 busy') }, 'refused', 421],
    ['a close instead of an answer to EHLO', { on: at('EHLO', { do: 'close' }) }, 'closed', undefined],
    ['a reset instead of one', { on: at('EHLO', { do: 'reset' }) }, 'closed', undefined],
    ['451 to EHLO', { on: at('EHLO', '451 busy') }, 'refused', 451],
    ['a refused HELO', { on: (line: string) => (/^(EHLO|HELO)/.test(line) ? '550 no' : undefined) }, 'refused', 550],
  ] as const)('%s ends it', async (what, script, kind, code) => {
    const server = await serve(script);
    const error = await failure(openTo(server));
    expect(error).toBeInstanceOf(ConnectionFailure);
    expect(error.kind).toBe(kind);
    expect(error.reply?.code).toBe(code);
    await server.until(() => server.sessions[0]?.closed ?? false);
    // RFC 5321 §4.1.1.10: whoever is not hung up on says QUIT.
    const said = server.sessions[0]?.commands.at(-1);
    expect(said === 'QUIT').toBe(kind === 'refused' && !what.startsWith('421'));
  });

  test('a refusal of 60 KB is kept in part, as any reply is', async () => {
    const line = 'no '.repeat(300);
    const server = await serve({ greeting: `${`554-5.7.1 ${line}\r\n`.repeat(65)}554 5.7.1 no` });
    const { message, reply } = await failure(openTo(server));
    expect(reply).toMatchObject({ code: 554, status: '5.7.1' });
    expect(Math.max(message.length, reply?.text.length ?? 0)).toBeLessThan(1_100);
  });

  test('a port that nobody listens on is unreachable', async () => {
    const server = await serve();
    await server.close();
    expect((await failure(openTo(server))).kind).toBe('unreachable');
  });

  test.each(['220', 'EHLO'])('a stall at %s has an end', async (where) => {
    const clock = new FakeClock();
    const stall = { do: 'stall' } as const;
    const server = await serve(where === '220' ? { greeting: stall } : { on: at('EHLO', stall) });
    const opening = failure(openTo(server, {}, clock));
    await server.until(
      () => server.sessions.length === 1 && (where === '220' || server.sessions[0]?.commands.length === 1),
    );
    // The client may not have noticed yet that it is connected: its next timer is set when it has.
    while (clock.next !== null) {
      clock.advance(60_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    // `unreachable` where the clock ran before the client saw that it was connected.
    expect(['timeout', 'unreachable']).toContain((await opening).kind);
  });
});

describe('STARTTLS', () => {
  test('is used where it is offered, with any certificate, and EHLO is said again (H2)', async () => {
    const server = await serve({ keywords: TLS_KEYWORDS });
    const connection = await openTo(server, { name: 'some.other.name.test' });
    expect(connection.tls?.protocol).toBe('TLSv1.3');
    await connection.send(envelopeTo(['a@fake.test']), contentOf('x\r\n'));
    await connection.quit();
    expect(server.sessions[0]?.commands.slice(0, 3)).toEqual(['EHLO client.test', 'STARTTLS', 'EHLO client.test']);
    expect(server.sessions[0]?.servername).toBe('some.other.name.test');
    expect(server.messages[0]?.secure).toBe(true);
  });

  test('an old server with TLS 1.0 only is good enough', async () => {
    const { createSecureContext } = await import('node:tls');
    const context = createSecureContext({
      cert: identity.certificate,
      key: identity.key,
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1',
      ciphers: 'DEFAULT:@SECLEVEL=0',
    });
    const server = await serve({ keywords: TLS_KEYWORDS, context });
    const connection = await openTo(server);
    expect(connection.tls?.protocol).toBe('TLSv1');
    connection.destroy();
  });

  test.each(['454 4.7.0 not now', '502 5.5.1 what'])(
    'refused by %s: on in clear if it was only offered',
    async (reply) => {
      const server = await serve({ keywords: TLS_KEYWORDS, on: at('STARTTLS', reply) });
      const connection = await openTo(server);
      expect(connection.tls).toBeNull();
      expect((await connection.send(envelopeTo(['a@fake.test']), contentOf('x\r\n')))[0]?.kind).toBe('delivered');
      connection.destroy();
      expect((await failure(openTo(server, { tls: 'required' }))).kind).toBe('unencrypted');
      expect(server.sessions[1]?.commands.some((line) => line.startsWith('MAIL'))).toBe(false);
    },
  );

  test('not offered: `required` goes no further', async () => {
    const server = await serve();
    expect((await failure(openTo(server, { tls: 'required' }))).kind).toBe('unencrypted');
  });

  test.each(['broken-tls', 'close', 'reset', 'injected'] as const)(
    '%s behind it is a failed handshake',
    async (what) => {
      const answer: Answer = what === 'close' || what === 'reset' ? { do: 'tls' } : { do: what };
      const server = await serve({
        keywords: TLS_KEYWORDS,
        on: (line, session) => {
          if (line !== 'STARTTLS') return undefined;
          if (what === 'close' || what === 'reset') session.hangUp = what;
          return answer;
        },
      });
      expect((await failure(openTo(server))).kind).toBe('handshake');
      await server.until(() => server.sessions[0]?.closed ?? false);
    },
  );

  test.each(['required', 'implicit'] as const)(
    '%s: behind a judge who says no there is nothing but QUIT (RFC 3207 §4.1)',
    async (tls) => {
      const server = await serve({ keywords: TLS_KEYWORDS, implicit: tls === 'implicit' });
      const problem = 'certificate-not-trusted';
      const judge = () => ({ kind: 'refused', problem, text: 'no' }) as const;
      expect(await failure(openTo(server, { tls, judge }))).toMatchObject({
        kind: 'certificate',
        certificate: { problem },
      });
      await server.until(() => server.sessions[0]?.closed ?? false);
      const said = server.sessions[0]?.commands;
      expect(said).toEqual(tls === 'required' ? ['EHLO client.test', 'STARTTLS', 'QUIT'] : ['QUIT']);
    },
  );

  test('ends when it is told to, also while the peer speaks', async () => {
    const server = await serve({ keywords: TLS_KEYWORDS });
    for (let time = 0; time < 5; time++) {
      const ending = new AbortController();
      const connection = await openTo(server, { tls: 'required' }, systemClock, ending.signal);
      const leaving = connection.quit();
      ending.abort();
      expect(connection.alive).toBe(false);
      await leaving;
    }
    await server.until(() => server.sessions.every(({ closed }) => closed));
    await expect(openTo(server, {}, systemClock, AbortSignal.abort())).rejects.toMatchObject({ kind: 'unreachable' });
  });

  test('a judge sees the chain, and what is wrong with it for the authorities', async () => {
    const server = await serve({ keywords: TLS_KEYWORDS });
    let seen: Presented | null = null;
    const judge: Judge = (presented) => {
      seen = presented;
      return { kind: 'authenticated', by: 'dane-ee' };
    };
    const connection = await openTo(server, { tls: 'required', judge });
    expect(connection.certificate).toEqual({ kind: 'authenticated', by: 'dane-ee' });
    expect(seen).toMatchObject({ chain: [{}], problem: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  });
});

describe('implicit TLS and AUTH', () => {
  const credentials = credentialsOf('alice', 'wonderland');
  const plain = `AUTH PLAIN ${Buffer.from('\0alice\0wonderland').toString('base64')}`;

  test('port 465: TLS from the first octet, then AUTH PLAIN', async () => {
    const server = await serve({ implicit: true, keywords: [...KEYWORDS, 'AUTH LOGIN PLAIN'] });
    const connection = await openTo(server, { tls: 'implicit', credentials });
    expect(connection.tls).not.toBeNull();
    await connection.quit();
    expect(server.sessions[0]?.commands).toEqual(['EHLO client.test', plain, 'QUIT']);
  });

  test('a server in clear on an implicit port is a failed handshake', async () => {
    const server = await serve();
    expect((await failure(openTo(server, { tls: 'implicit' }))).kind).toBe('handshake');
  });

  test('AUTH LOGIN where there is no PLAIN', async () => {
    const steps = ['334 VXNlcm5hbWU6', '334 UGFzc3dvcmQ6', '235 2.7.0 ok'];
    const server = await serve({
      keywords: ['AUTH LOGIN'],
      on: (line) => (/^(AUTH LOGIN|YWxp|d29u)/.test(line) ? steps.shift() : undefined),
    });
    const connection = await openTo(server, { tls: 'none', credentials });
    await connection.quit();
    expect(server.sessions[0]?.commands).toEqual([
      'EHLO client.test',
      'AUTH LOGIN',
      'YWxpY2U=',
      'd29uZGVybGFuZA==',
      'QUIT',
    ]);
  });

  test('a refusal does not repeat what was said', async () => {
    const server = await serve({ keywords: ['AUTH PLAIN'], on: at('AUTH', `535 5.7.8 no: ${plain}`) });
    const error = await failure(openTo(server, { tls: 'none', credentials }));
    expect(error).toMatchObject({ kind: 'login', reply: { code: 535, status: '5.7.8' } });
    expect(JSON.stringify([error.message, error.reply])).not.toContain(plain.slice(11));
  });

  test('no mechanism that is known here', async () => {
    const server = await serve({ keywords: ['AUTH GSSAPI'] });
    expect((await failure(openTo(server, { tls: 'none', credentials }))).kind).toBe('login');
    await server.until(() => server.sessions[0]?.closed ?? false);
    expect(server.sessions[0]?.commands).toEqual(['EHLO client.test', 'QUIT']);
  });

  test('behind a login MAIL says that nobody vouches for the sender (RFC 4954 §5)', async () => {
    const server = await serve({ keywords: ['AUTH PLAIN'], on: at('AUTH', '235 2.7.0 ok') });
    const connection = await openTo(server, { tls: 'none', credentials });
    await connection.send(envelopeTo(['a@fake.test']), contentOf('x\r\n'));
    await connection.quit();
    expect(server.messages[0]?.mail).toBe('MAIL FROM:<alice@client.test> AUTH=<>');
    const another = await serve({ keywords: ['AUTH PLAIN'] });
    const other = await openTo(another, { tls: 'none' });
    await other.send(envelopeTo(['a@fake.test']), contentOf('x\r\n'));
    await other.quit();
    expect(another.messages[0]?.mail).toBe('MAIL FROM:<alice@client.test>');
  });

  test.each(['Username:', 'VXNlcm5hbWU', 'VXNl=cm5'])(
    'a challenge that is no base64 is cancelled: %s',
    async (text) => {
      const server = await serve({
        keywords: ['AUTH LOGIN'],
        on: (line) => (line === 'AUTH LOGIN' ? `334 ${text}` : line === '*' ? '501 5.7.0 cancelled' : undefined),
      });
      expect((await failure(openTo(server, { tls: 'none', credentials }))).kind).toBe('login');
      await server.until(() => server.sessions[0]?.closed ?? false);
      expect(server.sessions[0]?.commands.slice(1)).toEqual(['AUTH LOGIN', '*', 'QUIT']);
    },
  );

  test('a mechanism that asks for more is cancelled', async () => {
    const server = await serve({
      keywords: ['AUTH PLAIN'],
      on: (line) => (/^AUTH|^\*/.test(line) ? '334 ' : undefined),
    });
    expect((await failure(openTo(server, { tls: 'none', credentials }))).kind).toBe('login');
    expect(server.sessions[0]?.commands.at(-1)).toBe('*');
  });

  test('a server that cannot tell now is no wrong password', async () => {
    const server = await serve({ keywords: ['AUTH PLAIN'], on: at('AUTH', '454 4.7.0 later') });
    expect(await failure(openTo(server, { tls: 'none', credentials }))).toMatchObject({
      kind: 'refused',
      reply: { code: 454 },
    });
  });

  test('504: the next mechanism (RFC 4954 §4)', async () => {
    const server = await serve({
      keywords: ['AUTH SCRAM-SHA-256 PLAIN'],
      on: at('AUTH SCRAM', '504 5.5.4 what?'),
    });
    await (await openTo(server, { tls: 'none', credentials })).quit();
    expect(server.sessions[0]?.commands.at(-2)).toBe(plain);
  });

  test('a secret that cannot be had says nothing to the server', async () => {
    const server = await serve({ keywords: ['AUTH PLAIN'] });
    const none = { ...credentials, secret: () => Promise.reject(new Error('ENOENT')) };
    const error = await failure(openTo(server, { tls: 'none', credentials: none }));
    expect(error).toMatchObject({ kind: 'login', reply: undefined });
    expect(server.sessions[0]?.commands).toEqual(['EHLO client.test']);
  });
});

describe('SCRAM and XOAUTH2', () => {
  const KEYWORDS_OF = (mechanisms: string) => [...TLS_KEYWORDS, `AUTH ${mechanisms}`];
  const credentials = credentialsOf('alice', 'wonderland');

  test.each([
    ['SCRAM-SHA-256 SCRAM-SHA-256-PLUS PLAIN', 'required', 'p=tls-exporter,,'],
    ['SCRAM-SHA-256 PLAIN', 'required', 'y,,'],
    ['SCRAM-SHA-256 SCRAM-SHA-256-PLUS PLAIN', 'none', 'n,,'],
  ] as const)('offered %s, TLS %s: %s', async (mechanisms, tls, header) => {
    const scram = scramServer('alice', 'wonderland');
    const server = await serve({ keywords: KEYWORDS_OF(mechanisms), on: scram.on });
    const connection = await openTo(server, { tls, credentials });
    expect(connection.usable).toBe(true);
    await connection.quit();
    expect(scram.headers).toEqual([header]);
    expect(server.sessions[0]?.commands.some((line) => line.startsWith('AUTH PLAIN'))).toBe(false);
  });

  test('TLS 1.2 has nothing to bind to that is safe (RFC 9266 §3)', async () => {
    const scram = scramServer('alice', 'wonderland');
    const context = createSecureContext({ cert: identity.certificate, key: identity.key, maxVersion: 'TLSv1.2' });
    const server = await serve({ keywords: KEYWORDS_OF('SCRAM-SHA-256-PLUS SCRAM-SHA-256'), on: scram.on, context });
    await (await openTo(server, { tls: 'required', credentials })).quit();
    expect(scram.headers).toEqual(['n,,']);
  });

  test('a wrong password', async () => {
    const server = await serve({ keywords: ['AUTH SCRAM-SHA-256'], on: scramServer('alice', 'other').on });
    expect(await failure(openTo(server, { tls: 'none', credentials }))).toMatchObject({
      kind: 'login',
      reply: { code: 535 },
    });
  });

  test.each(['wrong proof', 'no proof'] as const)('a server with %s is not believed', async (claim) => {
    const server = await serve({ keywords: ['AUTH SCRAM-SHA-256'], on: scramServer('alice', 'wonderland', claim).on });
    expect(await failure(openTo(server, { tls: 'none', credentials }))).toMatchObject({
      kind: 'login',
      reply: undefined,
    });
  });

  test('a long token goes behind the command, not with it (RFC 4954 §4)', async () => {
    const token = 'x'.repeat(2000);
    const said = Buffer.from(`user=alice\x01auth=Bearer ${token}\x01\x01`).toString('base64');
    const server = await serve({
      keywords: ['AUTH XOAUTH2'],
      on: (line) => (line === 'AUTH XOAUTH2' ? '334 ' : line === said ? '235 2.7.0 ok' : undefined),
    });
    await (await openTo(server, { tls: 'none', credentials: tokenOf('alice', token) })).quit();
    expect(server.sessions[0]?.commands).toEqual(['EHLO client.test', 'AUTH XOAUTH2', said, 'QUIT']);
  });

  test('a token that is no good', async () => {
    const server = await serve({
      keywords: ['AUTH XOAUTH2'],
      on: (line) =>
        line.startsWith('AUTH') ? '334 eyJzdGF0dXMiOiI0MDEifQ==' : line === '' ? '535 5.7.8 no' : undefined,
    });
    const error = await failure(openTo(server, { tls: 'none', credentials: tokenOf('alice', 't0ken') }));
    expect(error).toMatchObject({ kind: 'login', reply: { code: 535 } });
    expect(error.message).not.toContain('t0ken');
  });
});

describe('an idle connection', () => {
  test('is of no use once the peer has said something or gone', async () => {
    const server = await serve({ on: at('RSET', { do: 'close' }) });
    const connection = await openTo(server);
    expect(connection.usable).toBe(true);
    await connection.quit();
    expect(connection.usable).toBe(false);
  });
});
