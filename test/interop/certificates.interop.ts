// curl with a certificate in place of a password (EXTERNAL): it sends over 465 and 587, reads over 993 and 143, and fetches over
// 995 and 110.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ClientAuthority } from '../client-authority.ts';
import { type Gate, PASSWORD, Program, userAddress } from '../process/program.ts';
import { cases, type Finished, program, run } from './foreign.ts';
import { authorityOf, message } from './mailbox.ts';

const curl = await program('curl', ['curl', '--version'], /^curl (\S+)/);
/** What curl ends with where a login was denied. */
const LOGIN_DENIED = 67;

cases([curl], () => {
  let folder: string;
  let server: Program;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'postern-certificates-'));
    const authority = await ClientAuthority.make('Our users');
    await writeFile(join(folder, 'users.pem'), authority.certificate);
    const stranger = await ClientAuthority.make('Their users');
    for (const [name, by] of [
      ['ours', authority],
      ['theirs', stranger],
    ] as const) {
      const { certificate, key } = await by.issue([userAddress(1)]);
      await writeFile(join(folder, `${name}.pem`), `${certificate}\n${key}\n`);
    }
    server = await Program.start({ clientAuthority: join(folder, 'users.pem') });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  const call = (scheme: string, gate: Gate, path: string, ...more: string[]): Promise<Finished> =>
    run('curl', [
      ...['--silent', '--show-error', '--max-time', '30', '--cacert', authorityOf(server), '--ssl-reqd', ...more],
      `${scheme}://localhost:${server.port(gate)}/${path}`,
    ]);
  const certified = (name: string, user = 1): string[] => [
    ...['--cert', join(folder, `${name}.pem`)],
    ...['--user', `${userAddress(user)}:`, '--login-options', 'AUTH=EXTERNAL'],
  ];

  test.each<[Gate, string]>([
    [465, 'smtps'],
    [587, 'smtp'],
  ])('sends over %d', async (gate, scheme) => {
    const subject = `by certificate over ${gate}`;
    const file = join(folder, String(gate));
    await writeFile(
      file,
      `From: <${userAddress(1)}>\r\nTo: <${userAddress(2)}>\r\nSubject: ${subject}\r\n\r\nhello\r\n`,
    );
    const envelope = ['--mail-from', userAddress(1), '--mail-rcpt', userAddress(2), '--upload-file', file];
    const { code, said } = await call(scheme, gate, 'client.test', ...certified('ours'), ...envelope);
    expect(code, said).toBe(0);
    await message(server, 2, subject);
  });

  test.each<[Gate, string, RegExp]>([
    [993, 'imaps', /^\* LIST .* "?INBOX"?\r$/m],
    [143, 'imap', /^\* LIST .* "?INBOX"?\r$/m],
    [995, 'pop3s', /^\s*$/],
    [110, 'pop3', /^\s*$/],
  ])(
    'reads over %d, where neither the certificate of a stranger nor another name will do',
    async (gate, scheme, list) => {
      const { code, stdout, said } = await call(scheme, gate, '', ...certified('ours'));
      expect(code, said).toBe(0);
      expect(stdout.toString()).toMatch(list);
      expect((await call(scheme, gate, '', ...certified('theirs'))).code).toBe(LOGIN_DENIED);
      expect((await call(scheme, gate, '', ...certified('ours', 2))).code).toBe(LOGIN_DENIED);
      // Who has only a password gets in as ever.
      expect((await call(scheme, gate, '', '--user', `${userAddress(2)}:${PASSWORD}`)).code).toBe(0);
    },
  );
});
