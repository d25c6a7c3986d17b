// curl as a sender and as a reader: smtp, smtps, imap and imaps, certificates verified.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Gate, PASSWORD, Program, userAddress } from '../process/program.ts';
import { cases, type Finished, program, run } from './foreign.ts';
import { authorityOf, bodyOf, flags, message, messages, receivedOf } from './mailbox.ts';

const curl = await program('curl', ['curl', '--version'], /^curl (\S+)/);
const BODY = 'one line\r\n.\r\n..two\r\nÜ\r\n';
/** What curl ends with: a reply to RCPT or MAIL that it did not want; a login that was denied. */
const EXIT = { sendError: 55, loginDenied: 67 };

cases([curl], () => {
  let server: Program;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'postern-curl-'));
    server = await Program.start();
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  const call = (...args: string[]): Promise<Finished> =>
    run('curl', ['--silent', '--show-error', '--max-time', '30', '--cacert', authorityOf(server), ...args]);
  const at = (scheme: string, gate: Gate, path = ''): string => `${scheme}://localhost:${server.port(gate)}/${path}`;
  const user = (number = 1, password = PASSWORD): string[] => ['--user', `${userAddress(number)}:${password}`];
  const letter = async (subject: string, lineEnd = '\r\n'): Promise<string> => {
    const file = join(folder, `${subject.replaceAll(' ', '-')}.eml`);
    const text = `From: <${userAddress(1)}>\r\nTo: <${userAddress(2)}>\r\nSubject: ${subject}\r\n\r\n${BODY}`;
    await writeFile(file, text.replaceAll('\r\n', lineEnd));
    return file;
  };
  const send = async (subject: string, url: string, ...more: string[]): Promise<Finished> => {
    const envelope = ['--mail-from', userAddress(1), '--mail-rcpt', userAddress(2)];
    return await call(url, ...envelope, '--upload-file', await letter(subject), ...more);
  };

  test.each<[string, string, Gate, string[], RegExp]>([
    ['25 in clear', 'smtp', 25, [], /with ESMTP /],
    ['25 with STARTTLS', 'smtp', 25, ['--ssl-reqd'], /with ESMTPS /],
    ['465', 'smtps', 465, user(), /with ESMTPSA /],
    ['465 with LOGIN', 'smtps', 465, [...user(), '--login-options', 'AUTH=LOGIN'], /with ESMTPSA /],
    ['25, where a password has no use (T2)', 'smtp', 25, ['--ssl-reqd', ...user()], /with ESMTPS /],
    ['587', 'smtp', 587, ['--ssl-reqd', ...user()], /with ESMTPSA /],
    ['587 with TLS 1.2', 'smtp', 587, ['--ssl-reqd', '--tls-max', '1.2', ...user()], /TLSv1\.2/],
    [
      '465 with an RSA certificate',
      'smtps',
      465,
      ['--tls-max', '1.2', '--ciphers', 'ECDHE-RSA-AES128-GCM-SHA256', ...user()],
      /RSA/,
    ],
  ])('sends by %s', async (name, scheme, gate, options, trace) => {
    const { code, said } = await send(name, at(scheme, gate, 'client.test'), ...options);
    expect(code, said).toBe(0);
    const octets = await message(server, 2, name);
    expect(bodyOf(octets)).toBe(BODY);
    expect(receivedOf(octets)[0]).toMatch(trace);
  });

  test('lines that end as files end them: refused as they are, taken with --crlf', async () => {
    const file = await letter('bare lf', '\n');
    const args = [at('smtp', 25), '--mail-from', userAddress(1), '--mail-rcpt', userAddress(2), '--upload-file', file];
    expect((await call(...args)).code).not.toBe(0);
    expect(await messages(server, 2, 'bare lf')).toEqual([]);
    const { code, said } = await call(...args, '--crlf');
    expect(code, said).toBe(0);
    expect(bodyOf(await message(server, 2, 'bare lf'))).toBe(BODY);
  });

  test.each<[string, string, Gate, string[], number]>([
    ['relay on 25', 'smtp', 25, ['--mail-rcpt', 'someone@elsewhere.test'], EXIT.sendError],
    ['587 before TLS', 'smtp', 587, [], EXIT.sendError],
    ['465 without AUTH', 'smtps', 465, [], EXIT.sendError],
    ['a wrong password', 'smtps', 465, user(1, 'wrong'), EXIT.loginDenied],
  ])('is refused: %s', async (name, scheme, gate, options, exit) => {
    const { code } = await send(name, at(scheme, gate), ...options);
    expect(code).toBe(exit);
    expect(await messages(server, 2, name)).toEqual([]);
  });

  test.each<[string, string, Gate, string[]]>([
    ['imaps', 'imaps', 993, []],
    ['imap with STARTTLS', 'imap', 143, ['--ssl-reqd']],
    ['imaps with AUTH=PLAIN', 'imaps', 993, ['--login-options', 'AUTH=PLAIN']],
  ])('reads by %s', async (name, scheme, gate, options) => {
    await send(`read by ${name}`, at('smtp', 25));
    const octets = await message(server, 2, `read by ${name}`);
    const ask = async (path: string, ...more: string[]): Promise<string> => {
      const { code, stdout, said } = await call(at(scheme, gate, path), ...user(2), ...options, ...more);
      expect(code, said).toBe(0);
      return stdout.toString();
    };
    expect(await ask('')).toMatch(/^\* LIST \(.*\) "\/" "?INBOX"?\r$/m);
    const uid = /^\* SEARCH (\d+)\r$/m.exec(
      await ask('INBOX', '--request', `UID SEARCH SUBJECT "read by ${name}"`),
    )?.[1];
    expect(uid).toBeDefined();
    expect(await ask(`INBOX;UID=${uid}`)).toBe(octets);
    expect(await ask(`INBOX;UID=${uid};SECTION=TEXT`)).toBe(BODY);
    expect(await ask('INBOX', '--request', 'STATUS INBOX (MESSAGES)')).toMatch(/MESSAGES \d+/);
  });

  test('writes by imaps: APPEND, STORE, COPY, EXPUNGE', async () => {
    const file = await letter('a draft');
    const ask = async (path: string, ...more: string[]): Promise<void> => {
      const { code, said } = await call(at('imaps', 993, path), ...user(1), ...more);
      expect(code, said).toBe(0);
    };
    await ask('Drafts', '--upload-file', file);
    expect(bodyOf(await message(server, 1, 'a draft', 'Drafts'))).toBe(BODY);
    await ask('Drafts', '--request', 'COPY 1 Archive');
    await ask('Drafts', '--request', 'STORE 1 +FLAGS (\\Deleted)');
    expect(await flags(server, 1, 'Drafts')).toEqual([['\\Deleted', '\\Seen']]);
    await ask('Drafts', '--request', 'EXPUNGE');
    expect(await flags(server, 1, 'Drafts')).toEqual([]);
    expect(bodyOf(await message(server, 1, 'a draft', 'Archive'))).toBe(BODY);
  });

  test.each<[string, string, Gate, string[]]>([
    ['143 without TLS', 'imap', 143, user()],
    ['a wrong password', 'imaps', 993, user(1, 'wrong')],
  ])('may not read: %s', async (_, scheme, gate, options) => {
    const { code, stdout } = await call(at(scheme, gate, 'INBOX;UID=1'), ...options);
    expect(code).toBe(EXIT.loginDenied);
    expect(stdout.length).toBe(0);
  });
});
