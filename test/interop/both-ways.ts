// What a program does that keeps an account and a Maildir alike: all comes, changes on both sides meet, and then nothing
// is left to do.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Program } from '../process/program.ts';
import { appended, bodyOf, flags, letter, message, messages, reader } from './mailbox.ts';
import { flagFile, makeMaildir, pathsBySubject } from './maildir.ts';

/** Folders as the program has them, and the account that they follow: empty, both of them. */
interface Sides {
  readonly server: Program;
  readonly user: number;
  /** Where the folders are. */
  readonly mail: string;
}

interface Way {
  sync(): Promise<unknown>;
  /** Takes a message away here, so that the program sees it. */
  drop(path: string): Promise<void>;
}

/** The tests, in their order. @param sides as they are when these run */
export function followsBothWays(sides: () => Sides, { sync, drop }: Way): void {
  const text = (subject: string): string => letter(sides().user, subject);
  const local = (mailbox: string): Promise<Map<string, string>> => pathsBySubject(join(sides().mail, mailbox));
  const write = (path: string, subject: string): Promise<void> =>
    writeFile(join(sides().mail, path), text(subject).replaceAll('\r\n', '\n'));
  const append = (mailbox: string, subject: string, how = ''): Promise<void> =>
    appended(sides().server, sides().user, mailbox, text(subject), how);

  test('everything comes, with folders and flags', async () => {
    const { server, user } = sides();
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
    const one = await readFile(inbox.get('one') ?? '', 'utf8');
    // A Maildir has the system's line ends; X-TUID is what mbsync finds its copies by.
    expect(one.replace(/^X-TUID: .*\n/m, '')).toBe(text('one').replaceAll('\r\n', '\n'));
    for (const name of ['Drafts', 'Sent', 'Junk', 'Trash', 'Archive']) expect(await local(name)).toEqual(new Map());
  });

  test('changes on both sides meet', async () => {
    const { server, user, mail } = sides();
    const before = await local('INBOX');
    // Here: one is flagged and read, two goes, another comes, in folders that the server does not know.
    await flagFile(before.get('one') ?? '', 'FS');
    await drop(before.get('two') ?? '');
    for (const name of ['Local', 'Local/Deep']) await makeMaildir(join(mail, name));
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
    const { server, user } = sides();
    const far = await flags(server, user);
    const near = await local('INBOX');
    await sync();
    expect(await flags(server, user)).toEqual(far);
    expect(await local('INBOX')).toEqual(near);
    expect(await messages(server, user, 'from here')).toHaveLength(1);
  });
}
