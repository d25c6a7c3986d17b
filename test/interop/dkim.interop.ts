// dkimpy, which many filters verify with, on what users of the program have sent, by the records that the program prints.

import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Publication } from '../../src/cli/publication.ts';
import { postern } from '../cli/postern.ts';
import { SmtpClient } from '../clients/smtp.ts';
import { PASSWORD, Program, userAddress } from '../process/program.ts';
import { cases, program, succeed } from './foreign.ts';
import { reader } from './mailbox.ts';

/** Debian's own, which has Debian's packages. */
const PYTHON = '/usr/bin/python3';
const python = await program('python3', [PYTHON, '--version'], /Python (\S+)/);
const command = await program('dkimverify', ['dkimverify', '--help'], /(usage)/);
const metadata = 'from importlib.metadata import version; print("dkimpy", version("dkimpy"))';
const { version } = await program('dkimpy', [PYTHON, '-c', metadata], /^dkimpy (\S+)/);
const dkimpy = { name: 'dkimpy', version: command.version === null ? null : version };

cases([dkimpy, python], () => {
  let server: Program;
  let records: Readonly<Record<string, string>>;
  beforeAll(async () => {
    server = await Program.start({ users: 2 });
    const { stdout } = await postern(['--config', server.config, 'dns', '--json'], { cwd: server.folder });
    const published = JSON.parse(stdout) as Publication; // what the verb prints
    records = Object.fromEntries(published.records.map(({ name, data }) => [name, data]));
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const verdicts = async (message: Buffer): Promise<unknown> => {
    const job = { message: message.toString('base64'), records, signatures: 2 };
    const script = join(import.meta.dirname, 'python/verify.py');
    return JSON.parse((await succeed(PYTHON, [script], { input: JSON.stringify(job) })).toString());
  };

  test.each([
    ['a short text', 'Subject: one\r\n\r\nHello  there \r\n\r\n\r\n'],
    [
      'a folded header and a body of many lines',
      `Subject: two\r\n  folded \t here\r\n\r\n${'a line  \r\n'.repeat(30_000)}`,
    ],
    ['no body', 'Subject: three\r\n'],
    [
      '8-bit text',
      'Subject: \xc3\xbc\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGr\xc3\xbc\xc3\x9fe\r\n',
    ],
  ])('believes both signatures of %s', async (_, content) => {
    const login = { user: userAddress(1), password: PASSWORD };
    using client = await SmtpClient.open({ port: server.port(465), tls: 'implicit' }, login);
    await client.send(userAddress(1), [userAddress(2)], `From: <${userAddress(1)}>\r\n${content}.\r\n`);
    using box = await reader(server, 2);
    const message = (await box.messages('INBOX')).at(-1) ?? Buffer.alloc(0);
    expect(await verdicts(message)).toEqual([true, true]);
    const forged = Buffer.from(
      message.toString('latin1').replace(/\r\nFrom: /, '\r\nFrom: <eve@x>\r\nFrom: '),
      'latin1',
    );
    expect(await verdicts(forged)).not.toContain(true);
  });
});
