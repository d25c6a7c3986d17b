// mbsync (isync): a Maildir that follows a whole account, then changes on both sides.

import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PASSWORD, Program, userAddress } from '../process/program.ts';
import { cases, program, run, succeed } from './foreign.ts';
import { appended, authorityOf, bodyOf, flags, letter, message, messages, reader } from './mailbox.ts';
import { flagFile, makeMaildir, pathsBySubject } from './maildir.ts';

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
    const text = (subject: string): string => letter(user, subject);
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

    const sync = (): Promise<Buffer> => succeed('mbsync', ['-c', join(folder, 'rc'), '--all'], { cwd: folder });
    const local = (mailbox: string): Promise<Map<string, string>> => pathsBySubject(join(folder, 'mail', mailbox));
    const append = (mailbox: string, subject: string, how = ''): Promise<void> =>
      appended(server, user, mailbox, text(subject), how);

    test('everything comes, with folders and flags', async () => {
      using client = await reader(server, user);
      await client.done('CREATE Projects/2026');
      for (const subject of ['one', 'two', 'three', 'four']) await append('INBOX', subject);
      await append('INBOX', 'seen', '(\\Seen \\Flagged) ');
      await append('Projects/2026', 'plan');
      await sync();
      expect([...(await local('INBOX')).keys()].sort()).toEqual(['four', 'one', 'seen', 'three', 'two']);
      expect((await local('INBOX')).get('seen')).toMatch(/:2,FS$/);
      expect([...(await local('Projects/2026')).keys()]).toEqual(['plan']);
      const one = await readFile((await local('INBOX')).get('one') ?? '', 'utf8');
      // A Maildir has the system's line ends; X-TUID is what mbsync finds its copies by.
      expect(one.replace(/^X-TUID: .*\n/m, '')).toBe(text('one').replaceAll('\r\n', '\n'));
      for (const name of ['Drafts', 'Sent', 'Junk', 'Trash', 'Archive']) expect(await local(name)).toEqual(new Map());
    });

    test('changes on both sides meet', async () => {
      const before = await local('INBOX');
      // Here: one is flagged and read, two goes, another comes, in a folder that the server does not know.
      await flagFile(before.get('one') ?? '', 'FS');
      await flagFile(before.get('two') ?? '', 'T');
      for (const name of ['Local', 'Local/Deep']) await makeMaildir(join(folder, 'mail', name));
      await writeFile(join(folder, 'mail/INBOX/new/1.local.host'), text('from here').replaceAll('\r\n', '\n'));
      await writeFile(join(folder, 'mail/Local/Deep/cur/2.local.host:2,S'), text('deep').replaceAll('\r\n', '\n'));
      // There: three is answered, four goes, another comes.
      using client = await reader(server, user);
      await client.done('SELECT INBOX');
      await client.done('STORE 3 +FLAGS (\\Answered)');
      await client.done('STORE 4 +FLAGS (\\Deleted)');
      await client.done('EXPUNGE');
      await append('INBOX', 'from there');

      await sync();
      const after = await local('INBOX');
      expect([...after.keys()].sort()).toEqual(['from here', 'from there', 'one', 'seen', 'three']);
      expect(after.get('three')).toMatch(/:2,R$/);
      expect(await messages(server, user, 'two')).toEqual([]);
      expect(bodyOf(await message(server, user, 'from here'))).toBe('from here\r\n');
      expect(bodyOf(await message(server, user, 'deep', 'Local/Deep'))).toBe('deep\r\n');
      expect(await flags(server, user, 'Local/Deep')).toEqual([['\\Seen']]);
      expect((await flags(server, user))[0]).toEqual(['\\Flagged', '\\Seen']);
    });

    test('and then nothing is left to do', async () => {
      const before = await flags(server, user);
      const { code, said } = await run('mbsync', ['-V', '-c', join(folder, 'rc'), '--all'], { cwd: folder });
      expect(code, said).toBe(0);
      expect(await flags(server, user)).toEqual(before);
      expect(await messages(server, user, 'from here')).toHaveLength(1);
      expect((await local('INBOX')).size).toBe(5);
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
