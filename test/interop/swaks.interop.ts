// swaks against every SMTP port.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Gate, PASSWORD, Program, userAddress } from '../process/program.ts';
import { cases, type Finished, program, run } from './foreign.ts';
import { authorityOf, bodyOf, message, messages, receivedOf } from './mailbox.ts';

const swaks = await program('swaks', ['swaks', '--version'], /version (\S+)/);

cases([swaks], () => {
  let server: Program;
  beforeAll(async () => {
    server = await Program.start();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const say = (gate: Gate, subject: string, ...more: string[]): Promise<Finished> => {
    const where = ['--server', 'localhost', '--port', String(server.port(gate)), '--helo', 'client.test'];
    const what = ['--header', `Subject: ${subject}`, '--body', 'one line\\n.\\n..two'];
    return run('swaks', [...where, ...what, '--from', userAddress(1), '--to', userAddress(2), ...more]);
  };
  const verified = (): string[] => ['--tls-verify', '--tls-ca-path', authorityOf(server)];
  const login = (kind: string): string[] => [
    ...['--auth', kind, '--auth-user', userAddress(1), '--auth-password', PASSWORD],
    ...verified(),
  ];

  test.each<[string, Gate, () => string[], RegExp]>([
    ['25 in clear', 25, () => [], /with ESMTP /],
    ['25 by HELO', 25, () => ['--protocol', 'SMTP'], /with SMTP /],
    ['25 with STARTTLS', 25, () => ['--tls', ...verified()], /with ESMTPS /],
    ['465 with AUTH PLAIN', 465, () => ['--tls-on-connect', ...login('PLAIN')], /with ESMTPSA /],
    ['465 with AUTH LOGIN', 465, () => ['--tls-on-connect', ...login('LOGIN')], /with ESMTPSA /],
    ['587 with AUTH PLAIN', 587, () => ['--tls', ...login('PLAIN')], /with ESMTPSA /],
    ['587 with AUTH LOGIN', 587, () => ['--tls', ...login('LOGIN')], /with ESMTPSA /],
    ['25, pipelined', 25, () => ['--pipeline'], /with ESMTP /],
    ['25 over IPv4', 25, () => ['--server', '127.0.0.1'], /\[127\.0\.0\.1\]/],
  ])('%s', async (name, gate, options, trace) => {
    const { code, said } = await say(gate, name, ...options());
    expect(code, said).toBe(0);
    const octets = await message(server, 2, name);
    // swaks adds empty lines of its own.
    expect(bodyOf(octets).trimEnd()).toBe('one line\r\n.\r\n..two');
    expect(receivedOf(octets)[0]).toMatch(trace);
    expect(octets).toMatch(new RegExp(`^Return-Path: <${userAddress(1)}>\r\n`));
  });

  test.each<[string, Gate, () => string[], RegExp]>([
    ['T2: AUTH on 25', 25, () => ['--tls', ...login('PLAIN')], /authentication|AUTH/i],
    ['T3: relay on 25', 25, () => ['--to', 'someone@elsewhere.test'], /<\*\* 550 5\.7\.1 /],
    ['an unknown recipient', 25, () => ['--to', 'nobody@example.test'], /<\*\* 550 5\.1\.1 /],
    ['S1: 465 in clear', 465, () => ['--timeout', '2'], /465|TLS|timeout|closed/i],
    ['S2: 587 before TLS', 587, () => [], /<\*\* 530 5\.7\.0 /],
    ['S3: 465 without AUTH', 465, () => ['--tls-on-connect'], /<~\* 530 5\.7\.0 /],
    [
      'S6: another sender',
      465,
      () => ['--tls-on-connect', '--from', userAddress(2), ...login('PLAIN')],
      /<~\* 550 5\.7\.1 /,
    ],
    ['S5: TLS 1.1 on 465', 465, () => ['--tls-on-connect', '--tls-protocol', 'tlsv1_1', ...login('PLAIN')], /TLS/],
    [
      'a wrong password',
      465,
      () => ['--tls-on-connect', ...login('PLAIN'), '--auth-password', 'wrong'],
      /<~\* 535 5\.7\.8 /,
    ],
    [
      'a wrong password with LOGIN',
      587,
      () => ['--tls', ...login('LOGIN'), '--auth-password', 'wrong'],
      /<~\* 535 5\.7\.8 /,
    ],
  ])('refused: %s', async (name, gate, options, reply) => {
    const { code, said } = await say(gate, name, ...options());
    expect(code).not.toBe(0);
    expect(said).toMatch(reply);
    expect(await messages(server, 2, name)).toEqual([]);
  });
});
