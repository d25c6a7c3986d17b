// NeoMutt without hands: sends in batch over 465; writes, reads, flags and files over 465 and 993 by keys that are pushed
// into its screen.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { simpleParser } from 'mailparser';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PASSWORD, Program, userAddress } from '../process/program.ts';
import { cases, type Finished, program, run } from './foreign.ts';
import { authorityOf, bodyOf, everything, flags, message, receivedOf } from './mailbox.ts';

const neomutt = await program('neomutt', ['neomutt', '-v'], /^NeoMutt (\S+)/);

const script = await program('script', ['script', '--version'], /(\d\S*)/);

cases([neomutt, script], () => {
  let server: Program;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'postern-neomutt-'));
    server = await Program.start({ users: 3 });
    const login = encodeURIComponent(userAddress(1));
    const settings = {
      from: userAddress(1),
      realname: 'The First',
      use_from: true,
      use_envelope_from: true,
      ssl_force_tls: true,
      ssl_ca_certificates_file: authorityOf(server),
      certificate_file: join(folder, 'accepted'),
      smtp_url: `smtps://${login}:${PASSWORD}@localhost:${server.port(465)}/`,
      imap_user: userAddress(1),
      imap_pass: PASSWORD,
      folder: `imaps://localhost:${server.port(993)}/`,
      spoolfile: '+INBOX',
      record: '+Sent',
      send_charset: 'utf-8',
      editor: 'echo typed >>',
      abort_unmodified: 'no',
      mbox_type: 'Maildir',
      tmpdir: folder,
      quit: true,
      delete: true,
      move: false,
      wait_key: false,
      pipe_decode: false,
      confirmappend: false,
      confirmcreate: false,
      header_cache: '',
      message_cachedir: '',
    };
    const line = ([name, value]: [string, string | boolean]): string =>
      typeof value === 'boolean' ? `set ${value ? '' : 'no'}${name}` : `set ${name}=${JSON.stringify(value)}`;
    await writeFile(join(folder, 'rc'), `${Object.entries(settings).map(line).join('\n')}\n`, { mode: 0o600 });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  const send = (body: string, ...args: string[]): Promise<Finished> =>
    run('neomutt', ['-n', '-F', join(folder, 'rc'), ...args], { input: body, cwd: folder });

  /** Opens INBOX on a terminal of its own and pushes keys. `script` gives it the terminal. */
  const press = async (keys: string): Promise<void> => {
    const command = `neomutt -n -F ${join(folder, 'rc')} -e 'push "${keys}"'`;
    const env = { TERM: 'xterm', COLUMNS: '100', LINES: '40', SHELL: '/bin/sh' };
    const { code, said } = await run('script', ['-qec', command, '/dev/null'], { env, cwd: folder });
    expect(code, said).toBe(0);
  };

  test('sends in batch over 465, with an attachment', async () => {
    await writeFile(join(folder, 'data.bin'), Buffer.from([0, 1, 2, 13, 10, 46, 13, 10, 255]));
    const args = ['-s', 'batch', '-a', join(folder, 'data.bin'), '--', userAddress(2), userAddress(3)];
    const { code, said } = await send('Grüße\n.\n..two\n', ...args);
    expect(code, said).toBe(0);
    const copies = [await message(server, 2, 'batch'), await message(server, 3, 'batch')];
    for (const octets of copies) {
      const mail = await simpleParser(octets);
      expect(mail.text?.trimEnd()).toBe('Grüße\n.\n..two');
      expect(mail.attachments[0]?.content).toEqual(Buffer.from([0, 1, 2, 13, 10, 46, 13, 10, 255]));
      expect(mail.from?.text).toBe(`"The First" <${userAddress(1)}>`);
      expect(receivedOf(octets)[0]).toMatch(/with ESMTPSA /);
    }
  });

  test('writes on its screen: the message over 465, its copy into Sent over 993', async () => {
    await press(`<mail>${userAddress(2)}<enter>by hand<enter><send-message><quit>`);
    const octets = await message(server, 2, 'by hand');
    expect(bodyOf(octets)).toBe('typed\r\n');
    const sent = await message(server, 1, 'by hand', 'Sent');
    expect(bodyOf(sent)).toBe('typed\r\n');
    expect(sent).not.toMatch(/^Received:/m);
    expect(await flags(server, 1, 'Sent')).toEqual([['\\Seen']]);
  });

  test('a wrong password sends nothing', async () => {
    const url = `set smtp_url="smtps://${encodeURIComponent(userAddress(1))}:wrong@localhost:${server.port(465)}/"`;
    const { code } = await send('x\n', '-e', url, '-s', 'wrong', '--', userAddress(2));
    expect(code).not.toBe(0);
    expect((await everything(server, 2)).some((octets) => octets.includes('Subject: wrong\r\n'))).toBe(false);
  });

  test('reads, flags, files and deletes over 993', async () => {
    for (const subject of ['for reading', 'for filing', 'for deleting']) {
      const { code, said } = await send(`${subject}\n`, '-s', subject, '--', userAddress(1));
      expect(code, said).toBe(0);
    }
    const read = join(folder, 'read.eml');
    const original = await message(server, 1, 'for reading');
    await press(
      `<limit>~A<enter><search>~s reading<enter><display-message><exit><pipe-message>cat > ${read}<enter><flag-message>` +
        '<first-entry><search>~s filing<enter><save-message>+Archive<enter>' +
        '<first-entry><search>~s deleting<enter><delete-message><sync-mailbox><quit>',
    );
    // NeoMutt shows what it fetched with its own line ends.
    expect((await readFile(read, 'utf8')).trimEnd()).toBe(original.replaceAll('\r\n', '\n').trimEnd());
    expect(bodyOf(await message(server, 1, 'for filing', 'Archive'))).toBe('for filing\r\n');
    const left = await everything(server, 1);
    expect(left).toEqual([original]);
    expect((await flags(server, 1))[0]).toEqual(expect.arrayContaining(['\\Flagged', '\\Seen']));
  });
});
