// Python's smtplib and imaplib, the clients that most scripts use.

import { join } from 'node:path';
import { simpleParser } from 'mailparser';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Gate, PASSWORD, Program, userAddress } from '../process/program.ts';
import { cases, program, succeed } from './foreign.ts';
import { authorityOf, bodyOf, everything, message, messages, receivedOf } from './mailbox.ts';

const python = await program('python3', ['python3', '--version'], /Python (\S+)/);

interface Sent {
  readonly features: readonly string[];
  readonly refused: Readonly<Record<string, number>>;
  readonly error: string | null;
  readonly code: number | null;
}

cases([{ ...python, name: 'python3 smtplib' }], () => {
  let server: Program;
  beforeAll(async () => {
    server = await Program.start({ users: 3 });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const send = async (gate: Gate, tls: string, subject: string, more: object = {}): Promise<Sent> => {
    const job = {
      authority: authorityOf(server),
      port: server.port(gate),
      tls,
      user: null,
      password: PASSWORD,
      mechanism: null,
      sender: userAddress(1),
      recipients: [userAddress(2)],
      content: `From: <${userAddress(1)}>\r\nSubject: ${subject}\r\n\r\none line\r\n.\r\n..two\r\nÜ\r\n`,
      subject,
      composed: false,
      mail: [],
      rcpt: [],
      ...more,
    };
    const said = await succeed('python3', [join(import.meta.dirname, 'python/send.py')], {
      input: JSON.stringify(job),
    });
    return JSON.parse(said.toString()) as Sent; // What send.py prints.
  };
  const user = { user: userAddress(1) };

  test.each<[string, Gate, string, object, RegExp]>([
    ['25 in clear', 25, 'none', {}, /with ESMTP /],
    ['25 with STARTTLS', 25, 'starttls', {}, /with ESMTPS /],
    ['465 with PLAIN', 465, 'implicit', { ...user, mechanism: 'PLAIN' }, /with ESMTPSA /],
    ['465 with LOGIN', 465, 'implicit', { ...user, mechanism: 'LOGIN' }, /with ESMTPSA /],
    ['587', 587, 'starttls', user, /with ESMTPSA /],
    [
      '587 with 8BITMIME and SMTPUTF8',
      587,
      'starttls',
      { ...user, mail: ['BODY=8BITMIME', 'SMTPUTF8'] },
      /with UTF8SMTPSA /,
    ],
  ])('sends by %s', async (name, gate, tls, more, trace) => {
    expect(await send(gate, tls, name, more)).toMatchObject({ error: null, refused: {} });
    const octets = await message(server, 2, name);
    expect(bodyOf(octets)).toBe('one line\r\n.\r\n..two\r\nÜ\r\n');
    expect(receivedOf(octets)[0]).toMatch(trace);
  });

  test('each port offers what belongs to it', async () => {
    const text = ['8bitmime', 'binarymime', 'chunking', 'smtputf8'];
    const common = [...text, 'dsn', 'enhancedstatuscodes', 'help', 'limits', 'pipelining', 'size'].sort();
    // Only what TLS protects can promise to go on protected.
    const secure = [...common, 'requiretls'].sort();
    const ours = [...secure, 'auth', 'deliverby', 'futurerelease', 'mt-priority'].sort();
    expect((await send(25, 'none', 'features 1')).features).toEqual([...common, 'starttls'].sort());
    expect((await send(25, 'starttls', 'features 2')).features).toEqual(secure);
    expect((await send(465, 'implicit', 'features 3', user)).features).toEqual(ours);
    expect((await send(587, 'starttls', 'features 4', user)).features).toEqual(ours);
  });

  test('send_message makes of an EmailMessage what both can', async () => {
    expect(await send(587, 'starttls', 'Grüße', { ...user, composed: true })).toMatchObject({
      error: null,
      refused: {},
    });
    const [octets] = (await everything(server, 2)).filter((each) => each.includes('X-Composed: yes\r\n'));
    expect(await simpleParser(octets ?? '')).toMatchObject({ subject: 'Grüße', text: 'one line\n.\n..two\nÜ\n' });
  });

  test('lines that end as files end them are refused', async () => {
    const content = 'Subject: bare lf\n\nx\n';
    expect(await send(25, 'none', 'bare lf', { content })).toMatchObject({ error: 'SMTPDataError', code: 550 });
    expect(await messages(server, 2, 'bare lf')).toEqual([]);
  });

  test('a report that was asked for comes', async () => {
    const rcpt = ['NOTIFY=SUCCESS', `ORCPT=rfc822;${userAddress(2)}`];
    await send(465, 'implicit', 'notified', { ...user, mail: ['RET=HDRS', 'ENVID=e1'], rcpt });
    const reports = await everything(server, 1);
    expect(reports.filter((octets) => /Original-Envelope-Id: e1[\s\S]*Action: delivered/.test(octets))).toHaveLength(1);
  });

  test('one recipient of three is unknown', async () => {
    const recipients = [userAddress(2), 'nobody@example.test', userAddress(3)];
    expect(await send(25, 'none', 'one of three', { recipients })).toMatchObject({
      refused: { 'nobody@example.test': 550 },
    });
    for (const number of [2, 3]) await message(server, number, 'one of three');
  });

  test.each<[string, Gate, string, object, object]>([
    ['relay on 25', 25, 'none', { recipients: ['x@elsewhere.test'] }, { refused: { 'x@elsewhere.test': 550 } }],
    ['AUTH on 25', 25, 'starttls', user, { error: 'SMTPNotSupportedError' }],
    ['587 before TLS', 587, 'none', {}, { error: 'SMTPSenderRefused', code: 530 }],
    ['AUTH on 587 before TLS', 587, 'none', user, { error: 'SMTPNotSupportedError' }],
    ['465 without AUTH', 465, 'implicit', {}, { error: 'SMTPSenderRefused', code: 530 }],
    ['a wrong password', 465, 'implicit', { ...user, password: 'no' }, { error: 'SMTPAuthenticationError', code: 535 }],
  ])('is refused: %s', async (name, gate, tls, more, expected) => {
    expect(await send(gate, tls, name, more)).toMatchObject(expected);
    expect(await messages(server, 2, name)).toEqual([]);
  });
});

cases([{ ...python, name: 'python3 imaplib' }], () => {
  let server: Program;
  beforeAll(async () => {
    server = await Program.start();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test.each<[string, 993 | 143, string, string, number]>([
    ['993 by LOGIN', 993, 'implicit', 'LOGIN', 1],
    ['143 by AUTHENTICATE PLAIN', 143, 'starttls', 'PLAIN', 2],
  ])('the life of a mailbox over %s', async (_, gate, tls, mechanism, number) => {
    const content = `From: <a@b.test>\r\nSubject: life\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nÜbung\r\n`;
    const login = { user: userAddress(number), password: PASSWORD, mechanism };
    const job = { authority: authorityOf(server), port: server.port(gate), tls, content, ...login };
    const said = await succeed('python3', [join(import.meta.dirname, 'python/read.py')], {
      input: JSON.stringify(job),
    });
    const seen = JSON.parse(said.toString()) as Record<string, unknown>; // What read.py prints.
    expect(seen).toMatchObject({
      folders: ['Archive', 'Drafts', 'INBOX', 'Junk', 'Sent', 'Trash'],
      count: 0,
      found: '1',
      same: true,
      date: true,
      literal: '1',
      expunged: 1,
      copied: 1,
      readonly: true,
    });
    expect(seen.flags).toEqual(expect.arrayContaining(['\\Seen', '$Work']));
    expect(String(seen.header).trim()).toBe('Subject: life');
    expect(seen.status).toMatch(/MESSAGES 0 UIDNEXT 2 UNSEEN 0/);
    expect(seen.capabilities).toContain('IDLE');
    if (gate === 143) {
      expect(seen.before).toEqual(expect.arrayContaining(['LOGINDISABLED', 'STARTTLS']));
      expect(seen.capabilities).not.toContain('STARTTLS');
    }
    const left = await everything(server, number);
    expect(left).toEqual([]);
  });
});
