// Alpine on a terminal of its own: keys, and what its screen then shows. It asks for its password there and nowhere else.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PASSWORD, Program, userAddress } from '../process/program.ts';
import { Dialogue } from './dialogue.ts';
import { cases, program } from './foreign.ts';
import { authorityOf, bodyOf, everything, flags, message, reader } from './mailbox.ts';

const alpine = await program('alpine', ['alpine', '-v'], /Alpine (\d\S*)/);
const script = await program('script', ['script', '--version'], /(\d\S*)/);

cases([alpine, script], () => {
  let server: Program;
  let folder: string;
  /** Who has not sorted yet. */
  let sorting = 3;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'postern-alpine-'));
    server = await Program.start({ users: 6 });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  const append = async (user: number, ...subjects: string[]): Promise<void> => {
    using client = await reader(server, user);
    for (const subject of subjects) {
      const octets = Buffer.from(
        `From: <${subject.split(' ').at(-1)}@b.test>\r\nSubject: ${subject}\r\n\r\nbody of ${subject}\r\n`,
      );
      await client.done(`APPEND INBOX {${octets.length}}`, [octets]);
    }
  };
  const bodies = async (user: number): Promise<string[]> => (await everything(server, user)).map(bodyOf);
  /** Opens INBOX; `script` gives it the terminal. @param how of its way to name a server */
  const open = async (user: number, gate: 993 | 143, how: string, sort = 'arrival'): Promise<Dialogue> => {
    const features = ['quit-without-confirm', 'expunge-without-confirm', 'disable-password-file-saving'];
    const lines = [
      `inbox-path={localhost:${server.port(gate)}/imap/${how}/user="${userAddress(user)}"}INBOX`,
      `folder-collections={localhost:${server.port(gate)}/imap/${how}/user="${userAddress(user)}"}[]`,
      `system-certs-file=${authorityOf(server)}`,
      `feature-list=${features.join(',')}`,
      'user-domain=example.test',
      // Newer than any: no questions to whoever starts it for the first time, and none about the month.
      'last-version-used=9.99',
      'last-time-prune-questioned=99.12',
    ];
    await writeFile(join(folder, 'pinerc'), `${lines.join('\n')}\n`, { mode: 0o600 });
    const env = { PATH: process.env.PATH, HOME: folder, TERM: 'xterm', SHELL: '/bin/sh', LC_ALL: 'C.UTF-8' };
    const command = `stty rows 30 cols 100; exec alpine -p ${join(folder, 'pinerc')} -sort ${sort} -i`;
    const screen = new Dialogue('script', ['-qec', command, '/dev/null'], { env, cwd: folder });
    await screen.look(/ENTER PASSWORD: /);
    return screen;
  };

  test.each([
    [993, 'ssl', 1],
    [143, 'tls', 2],
  ] as const)('over %i: reads, flags, files, deletes and expunges', async (gate, how, user) => {
    await append(user, 'first', 'second', 'third', 'fourth');
    await using screen = await open(user, gate, how);
    await screen.press(`${PASSWORD}\r`, /fourth/);
    await screen.press('J2\r\r', /body of second/);
    // Each of these goes on to the next message.
    await screen.press('D', /body of third/);
    await screen.press('<', /MESSAGE INDEX/);
    await screen.press('X', /xpunged/);
    expect(await bodies(user)).toEqual(['body of first\r\n', 'body of third\r\n', 'body of fourth\r\n']);
    // Alpine deletes what it has saved elsewhere.
    await screen.press('S', /SAVE/);
    await screen.press('Archive\r', /\bDEL\b/);
    expect(await screen.end('Q')).toBe(0);
    expect(await message(server, user, 'third', 'Archive')).toContain('body of third\r\n');
    expect(await flags(server, user, 'Archive')).toEqual([['\\Seen']]);
    expect(await bodies(user)).toEqual(['body of first\r\n', 'body of fourth\r\n']);
  });

  test.each([
    ['subject', ['beta', 'alpha', 'gamma'], ['alpha', 'beta', 'gamma']],
    ['from/reverse', ['beta', 'alpha', 'gamma'], ['gamma', 'beta', 'alpha']],
    ['thread', ['beta', 'alpha', 'Re: beta'], ['beta', 'Re: beta', 'alpha']],
    ['ordered', ['beta', 'alpha', 'Re: beta'], ['beta', 'Re: beta', 'alpha']],
  ])('sorts by %s, which the server does', async (sort, came, shown) => {
    const user = sorting++;
    await append(user, ...came);
    await using screen = await open(user, 993, 'ssl', sort);
    await screen.press(`${PASSWORD}\r`, /gamma|Re: beta/);
    await screen.press('J1\r\r', new RegExp(`body of ${shown[0]}`));
    await screen.press('N', new RegExp(`body of ${shown[1]}`));
    await screen.press('N', new RegExp(`body of ${shown[2]}`));
  });

  test('a wrong password', async () => {
    await using screen = await open(1, 993, 'ssl');
    await screen.press('wrong\r', /ENTER PASSWORD: /);
  });
});
