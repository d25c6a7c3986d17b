// mbsync (isync): a Maildir that follows a whole account, then changes on both sides.

import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PASSWORD, Program, userAddress } from '../process/program.ts';
import { followsBothWays } from './both-ways.ts';
import { cases, program, succeed } from './foreign.ts';
import { authorityOf, reader } from './mailbox.ts';
import { flagFile } from './maildir.ts';

const mbsync = await program('mbsync', ['mbsync', '--version'], /isync (\S+)/);

cases([mbsync], () => {
  let server: Program;
  beforeAll(async () => {
    server = await Program.start({ users: 3 });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  describe.each([
    ['993', 1],
    ['143', 2],
  ] as const)('over %s', (gate, user) => {
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'postern-mbsync-'));
      await mkdir(join(folder, 'mail'));
      const lines = [
        'IMAPAccount postern',
        'Host localhost',
        `Port ${server.port(gate === '993' ? 993 : 143)}`,
        `User ${userAddress(user)}`,
        `Pass ${PASSWORD}`,
        `SSLType ${gate === '993' ? 'IMAPS' : 'STARTTLS'}`,
        `CertificateFile ${authorityOf(server)}`,
        'SystemCertificates no',
        `AuthMechs ${gate === '993' ? 'SCRAM-SHA-256' : 'SCRAM-SHA-1'}`,
        '',
        'IMAPStore far',
        'Account postern',
        '',
        'MaildirStore near',
        `Path ${folder}/mail/`,
        `Inbox ${folder}/mail/INBOX`,
        'SubFolders Verbatim',
        '',
        'Channel all',
        'Far :far:',
        'Near :near:',
        'Patterns *',
        'Create Both',
        'Expunge Both',
        'SyncState *',
        'Sync All',
      ];
      await writeFile(join(folder, 'rc'), `${lines.join('\n')}\n`, { mode: 0o600 });
    });
    afterAll(() => rm(folder, { recursive: true }));

    followsBothWays(() => ({ server, user, mail: join(folder, 'mail') }), {
      sync: () => succeed('mbsync', ['-c', join(folder, 'rc'), '--all'], { cwd: folder }),
      drop: (path) => flagFile(path, 'T'),
    });
  });

  test('a mailbox of two thousand messages comes whole', async () => {
    using client = await reader(server, 3);
    for (let number = 0; number < 2000; number++) {
      const octets = Buffer.from(`Subject: m${number}\r\n\r\n${'x'.repeat(number % 97)}\r\n`);
      await client.done(`APPEND INBOX {${octets.length}+}`, [octets]);
    }
    const folder = await mkdtemp(join(tmpdir(), 'postern-mbsync-'));
    try {
      const address = [`Host localhost`, `Port ${server.port(993)}`, 'SSLType IMAPS'];
      const login = [`User ${userAddress(3)}`, `Pass ${PASSWORD}`, `CertificateFile ${authorityOf(server)}`];
      const near = ['MaildirStore near', `Inbox ${folder}/INBOX`, `Path ${folder}/`];
      const channel = ['Channel in', 'Far :far:', 'Near :near:', 'Sync Pull', 'Create Near', 'SyncState *'];
      const lines = ['IMAPStore far', ...address, ...login, '', ...near, '', ...channel];
      await writeFile(join(folder, 'rc'), `${lines.join('\n')}\n`, { mode: 0o600 });
      await succeed('mbsync', ['-c', join(folder, 'rc'), 'in'], { cwd: folder });
      expect(await readdir(join(folder, 'INBOX/new'))).toHaveLength(2000);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
