// OfflineIMAP: a Maildir and an account that follow each other, then changes on both sides. It keeps what it knows of both
// in a database of its own and trusts UIDs and UIDVALIDITY alone. After STARTTLS it reads and writes in two threads at
// once: with the tickets of TLS 1.3 under way OpenSSL may lose what it writes, so that case holds it to TLS 1.2.

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PASSWORD, Program, userAddress } from '../process/program.ts';
import { cases, type Finished, program, run } from './foreign.ts';
import { appended, authorityOf, bodyOf, flags, letter, message, messages, reader } from './mailbox.ts';
import { flagFile, makeMaildir, pathsBySubject } from './maildir.ts';

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
    const text = (subject: string): string => letter(user, subject);
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
    const sync = async (): Promise<void> => {
      const { code, said } = await attempt();
      expect(code, said).toBe(0);
    };
    const local = (mailbox: string): Promise<Map<string, string>> => pathsBySubject(join(folder, 'mail', mailbox));
    const write = (path: string, subject: string): Promise<void> =>
      writeFile(join(folder, 'mail', path), text(subject).replaceAll('\r\n', '\n'));
    const append = (mailbox: string, subject: string, how = ''): Promise<void> =>
      appended(server, user, mailbox, text(subject), how);

    test('everything comes, with folders and flags', async () => {
      using client = await reader(server, user);
      await client.done('CREATE Projects/2026');
      for (const subject of ['one', 'two', 'three', 'four']) await append('INBOX', subject);
      await append('INBOX', 'seen', '(\\Seen \\Flagged) ');
      await append('Projects/2026', 'plan');
      await sync();
      const inbox = await local('INBOX');
      expect([...inbox.keys()].sort()).toEqual(['four', 'one', 'seen', 'three', 'two']);
      expect(inbox.get('seen')).toMatch(/:2,FS$/);
      expect([...(await local('Projects/2026')).keys()]).toEqual(['plan']);
      expect(await readFile(inbox.get('one') ?? '', 'utf8')).toBe(text('one').replaceAll('\r\n', '\n'));
      for (const name of ['Drafts', 'Sent', 'Junk', 'Trash', 'Archive']) expect(await local(name)).toEqual(new Map());
    });

    test('changes on both sides meet', async () => {
      const before = await local('INBOX');
      // Here: one is flagged and read, two goes, another comes, in folders that the server does not know.
      await flagFile(before.get('one') ?? '', 'FS');
      await rm(before.get('two') ?? '');
      for (const name of ['Local', 'Local/Deep']) await makeMaildir(join(folder, 'mail', name));
      await write('INBOX/new/1.local.host', 'from here');
      await write('Local/Deep/cur/2.local.host:2,S', 'deep');
      // There: three is answered, four goes, another comes, and so does a folder.
      using client = await reader(server, user);
      await client.done('SELECT INBOX');
      await client.done('STORE 3 +FLAGS (\\Answered)');
      await client.done('STORE 4 +FLAGS (\\Deleted)');
      await client.done('EXPUNGE');
      await append('INBOX', 'from there');
      await client.done('CREATE Far');
      await append('Far', 'far');

      await sync();
      const after = await local('INBOX');
      expect([...after.keys()].sort()).toEqual(['from here', 'from there', 'one', 'seen', 'three']);
      expect(after.get('three')).toMatch(/:2,R$/);
      expect([...(await local('Far')).keys()]).toEqual(['far']);
      expect(await messages(server, user, 'two')).toEqual([]);
      expect(bodyOf(await message(server, user, 'from here'))).toBe('from here\r\n');
      expect(bodyOf(await message(server, user, 'deep', 'Local/Deep'))).toBe('deep\r\n');
      expect(await flags(server, user, 'Local/Deep')).toEqual([['\\Seen']]);
      expect((await flags(server, user))[0]).toEqual(['\\Flagged', '\\Seen']);
    });

    test('and then nothing is left to do', async () => {
      const far = await flags(server, user);
      const near = await local('INBOX');
      await sync();
      expect(await flags(server, user)).toEqual(far);
      expect(await local('INBOX')).toEqual(near);
      expect(await messages(server, user, 'from here')).toHaveLength(1);
    });

    test('a wrong password brings nothing', async () => {
      await append('INBOX', 'late');
      const { code } = await attempt('-k', 'Repository_far:remotepass=wrong');
      expect(code).not.toBe(0);
      expect((await local('INBOX')).has('late')).toBe(false);
    });
  });
});
