// OfflineIMAP: a Maildir and an account that follow each other, then changes on both sides. It keeps what it knows of both
// in a database of its own and trusts UIDs and UIDVALIDITY alone. After STARTTLS it reads and writes in two threads at
// once: with the tickets of TLS 1.3 under way OpenSSL may lose what it writes, so that case holds it to TLS 1.2.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PASSWORD, Program, userAddress } from '../process/program.ts';
import { followsBothWays } from './both-ways.ts';
import { cases, type Finished, program, run } from './foreign.ts';
import { appended, authorityOf, letter } from './mailbox.ts';
import { pathsBySubject } from './maildir.ts';

/** For OpenSSL's own configuration: OfflineIMAP has no say over its TLS after STARTTLS. */
const TLS_LIMIT = ['openssl_conf = all', '[all]', 'ssl_conf = ssl', '[ssl]', 'system_default = tls', '[tls]'];

const offlineimap = await program('offlineimap', ['offlineimap', '--version'], /(\d+\.\d\S*)/);

cases([offlineimap], () => {
  let server: Program;
  beforeAll(async () => {
    server = await Program.start();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  describe.each([
    { gate: 993, user: 1, how: ['ssl = yes', 'auth_mechanisms = PLAIN'] },
    { gate: 143, user: 2, how: ['ssl = no', 'starttls = yes', 'auth_mechanisms = LOGIN'] },
  ] as const)('over $gate', ({ gate, user, how }) => {
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'postern-offlineimap-'));
      await mkdir(join(folder, 'mail'));
      const lines = [
        ...['[general]', 'accounts = postern', `metadata = ${folder}/metadata`, 'ui = basic', 'socktimeout = 30'],
        ...['[Account postern]', 'localrepository = near', 'remoterepository = far'],
        ...['[Repository near]', 'type = Maildir', `localfolders = ${folder}/mail`, 'sep = /'],
        ...['[Repository far]', 'type = IMAP', 'remotehost = localhost', `remoteport = ${server.port(gate)}`],
        ...[`remoteuser = ${userAddress(user)}`, `remotepass = ${PASSWORD}`, 'maxconnections = 2'],
        ...[`sslcacertfile = ${authorityOf(server)}`, ...how],
      ];
      await writeFile(join(folder, 'rc'), `${lines.join('\n')}\n`, { mode: 0o600 });
      const tls = [...TLS_LIMIT, `MaxProtocol = ${gate === 143 ? 'TLSv1.2' : 'TLSv1.3'}`];
      await writeFile(join(folder, 'openssl.cnf'), `${tls.join('\n')}\n`);
    });
    afterAll(() => rm(folder, { recursive: true }));

    const attempt = (...more: string[]): Promise<Finished> =>
      run('offlineimap', ['-c', join(folder, 'rc'), '-o', ...more], {
        cwd: folder,
        env: { OPENSSL_CONF: join(folder, 'openssl.cnf') },
      });
    followsBothWays(() => ({ server, user, mail: join(folder, 'mail') }), {
      async sync() {
        const { code, said } = await attempt();
        expect(code, said).toBe(0);
      },
      drop: (path) => rm(path),
    });

    test('a wrong password brings nothing', async () => {
      await appended(server, user, 'INBOX', letter(user, 'late'));
      const { code } = await attempt('-k', 'Repository_far:remotepass=wrong');
      expect(code).not.toBe(0);
      expect((await pathsBySubject(join(folder, 'mail/INBOX'))).has('late')).toBe(false);
    });
  });
});
