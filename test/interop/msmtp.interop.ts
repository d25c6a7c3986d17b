// msmtp, as the sendmail of a machine: 25, 465 and 587, with recipients from the command line and from the header.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PASSWORD, Program, userAddress } from '../process/program.ts';
import { cases, type Finished, program, run, succeed } from './foreign.ts';
import { authorityOf, bodyOf, everything, message, messages, receivedOf } from './mailbox.ts';

const msmtp = await program('msmtp', ['msmtp', '--version'], /version (\S+)/);

cases([msmtp], () => {
  let server: Program;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'postern-msmtp-'));
    server = await Program.start({ users: 3 });
    const account = (name: string, gate: 25 | 465 | 587, ...lines: string[]): string =>
      [`account ${name}`, 'host localhost', `port ${server.port(gate)}`, ...lines, ''].join('\n');
    const user = ['tls on', `user ${userAddress(1)}`, `password ${PASSWORD}`];
    const configuration = [
      'defaults',
      `tls_trust_file ${authorityOf(server)}`,
      `from ${userAddress(1)}`,
      'domain client.test',
      '',
      account('transfer', 25, 'tls off', 'auth off'),
      account('transfer-tls', 25, 'tls on', 'auth off'),
      account('submissions', 465, ...user, 'tls_starttls off', 'auth plain'),
      account('submissions-login', 465, ...user, 'tls_starttls off', 'auth login'),
      account('submissions-scram-1', 465, ...user, 'tls_starttls off', 'auth scram-sha-1'),
      account('submissions-scram-256', 465, ...user, 'tls_starttls off', 'auth scram-sha-256'),
      account('submission-scram', 587, ...user, 'auth scram-sha-256'),
      account('submission', 587, ...user, 'auth on'),
      account('submission-clear', 587, 'tls off', 'auth off'),
      account('wrong', 587, ...user, 'password wrong', 'auth plain'),
      account('wrong-scram', 587, ...user, 'password wrong', 'auth scram-sha-256'),
      account('starttls-on-465', 465, ...user, 'auth plain'),
    ].join('\n');
    await writeFile(join(folder, 'msmtprc'), configuration, { mode: 0o600 });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  const mail = (subject: string, more = ''): string =>
    `From: <${userAddress(1)}>\nTo: <${userAddress(2)}>\n${more}Subject: ${subject}\n\none line\n.\n..two\nÜ\n`;
  const send = (account: string, input: string, ...args: string[]): Promise<Finished> =>
    run('msmtp', ['-C', join(folder, 'msmtprc'), '-a', account, '--timeout=3', ...args], { input });

  test.each([
    ['transfer', /with ESMTP /],
    ['transfer-tls', /with ESMTPS /],
    ['submissions', /with ESMTPSA /],
    ['submissions-login', /with ESMTPSA /],
    ['submissions-scram-1', /with ESMTPSA /],
    ['submissions-scram-256', /with ESMTPSA /],
    ['submission-scram', /with ESMTPSA /],
    ['submission', /with ESMTPSA /],
  ])('%s', async (account, trace) => {
    const { code, said } = await send(account, mail(account), userAddress(2));
    expect(code, said).toBe(0);
    const octets = await message(server, 2, account);
    expect(bodyOf(octets)).toBe('one line\r\n.\r\n..two\r\nÜ\r\n');
    expect(receivedOf(octets)[0]).toMatch(trace);
  });

  test('recipients from the header, Bcc taken out, a report asked for', async () => {
    const more = `Cc: user03@example.test\nBcc: ${userAddress(1)}\n`;
    const { code, said } = await send(
      'submission',
      mail('by header', more),
      '-t',
      '--dsn-notify=success',
      '--dsn-return=headers',
    );
    expect(code, said).toBe(0);
    for (const user of [1, 2, 3]) expect(await message(server, user, 'by header')).not.toMatch(/^Bcc:/im);
    const reports = await everything(server, 1);
    expect(reports.filter((octets) => octets.includes('Action: delivered'))).toHaveLength(1);
  });

  test('--serverinfo shows what each port offers', async () => {
    const info = async (account: string): Promise<string> =>
      (await succeed('msmtp', ['-C', join(folder, 'msmtprc'), '-a', account, '--serverinfo'])).toString();
    expect(await info('submission')).toMatch(
      /AUTH:\s+Supported authentication methods:\s+.*PLAIN SCRAM-SHA-1 SCRAM-SHA-256 LOGIN/s,
    );
    const transfer = await info('transfer-tls');
    expect(transfer).toMatch(/DSN/);
    expect(transfer).not.toMatch(/AUTH/);
  });

  test.each([
    ['relay on 25', 'transfer', 'someone@elsewhere.test', /550 5\.7\.1/],
    ['587 before TLS', 'submission-clear', userAddress(2), /530 5\.7\.0/],
    ['a wrong password', 'wrong', userAddress(2), /535 5\.7\.8/],
    ['a wrong password, unsaid', 'wrong-scram', userAddress(2), /535 5\.7\.8/],
    ['STARTTLS on 465', 'starttls-on-465', userAddress(2), /./],
  ])('refused: %s', async (name, account, recipient, reply) => {
    const { code, said } = await send(account, mail(name), recipient);
    expect(code).not.toBe(0);
    expect(said).toMatch(reply);
    expect(await messages(server, 2, name)).toEqual([]);
  });
});
