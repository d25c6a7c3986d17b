// nodemailer against the program: what applications in Node send with.

import { readFile } from 'node:fs/promises';
import { simpleParser } from 'mailparser';
import { createTransport } from 'nodemailer';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Gate, PASSWORD, Program, userAddress } from '../process/program.ts';
import { cases, packaged } from './foreign.ts';
import { authorityOf, everything, message, messages, receivedOf } from './mailbox.ts';

cases([await packaged('nodemailer')], () => {
  let server: Program;
  let ca: Buffer;
  beforeAll(async () => {
    server = await Program.start({ users: 3 });
    ca = await readFile(authorityOf(server));
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const transport = (gate: Gate, pass: string | null = PASSWORD, more: object = {}) =>
    createTransport({
      host: 'localhost',
      port: server.port(gate),
      secure: gate === 465,
      requireTLS: gate === 587,
      ...(pass === null ? {} : { auth: { user: userAddress(1), pass } }),
      tls: { ca },
      ...more,
    });

  test.each<[string, Gate, string | null, object, RegExp]>([
    ['25, STARTTLS where offered', 25, null, {}, /with ESMTPS /],
    ['25 in clear', 25, null, { ignoreTLS: true }, /with ESMTP /],
    ['465', 465, PASSWORD, {}, /with ESMTPSA /],
    ['465 with LOGIN', 465, PASSWORD, { authMethod: 'LOGIN' }, /with ESMTPSA /],
    ['587', 587, PASSWORD, {}, /with ESMTPSA /],
  ])('%s', async (name, gate, pass, more, trace) => {
    const mailer = transport(gate, pass, more);
    const attachment = Buffer.from(Array.from({ length: 3000 }, (_, index) => index % 256));
    await mailer.sendMail({
      from: { name: 'Ülrich', address: userAddress(1) },
      to: userAddress(2),
      subject: name,
      text: '.\nGrüße\n',
      attachments: [{ filename: 'Öl.bin', content: attachment }],
    });
    mailer.close();
    const octets = await message(server, 2, name);
    const mail = await simpleParser(octets);
    expect(mail.text).toBe('.\nGrüße\n');
    expect(mail.from?.value[0]).toEqual({ name: 'Ülrich', address: userAddress(1) });
    expect(mail.attachments[0]).toMatchObject({ filename: 'Öl.bin', content: attachment });
    expect(receivedOf(octets)[0]).toMatch(trace);
  });

  test('a pool of connections, fifty messages', async () => {
    const pool = transport(465, PASSWORD, { pool: true, maxConnections: 3 });
    const sent = Array.from({ length: 50 }, (_, number) =>
      pool.sendMail({ from: userAddress(1), to: userAddress(3), subject: `pool ${number}`, text: `${number}` }),
    );
    await Promise.all(sent);
    pool.close();
    const subjects = (await everything(server, 3)).map((octets) => /^Subject: (.*)\r$/m.exec(octets)?.[1]);
    expect(subjects.sort()).toEqual(Array.from({ length: 50 }, (_, number) => `pool ${number}`).sort());
  });

  test.each<[string, Gate, string | null, object, object]>([
    ['a wrong password', 465, 'wrong', {}, { code: 'EAUTH', responseCode: 535 }],
    ['no password', 587, null, {}, { responseCode: 530 }],
    ['relay on 25', 25, null, { to: 'x@elsewhere.test' }, { responseCode: 550 }],
    ['another sender', 465, PASSWORD, { from: userAddress(2) }, { responseCode: 550 }],
  ])('is refused: %s', async (name, gate, pass, more, expected) => {
    const mail = { from: userAddress(1), to: userAddress(2), subject: name, text: 'x', ...more };
    await expect(transport(gate, pass).sendMail(mail)).rejects.toMatchObject(expected);
    expect(await messages(server, 2, name)).toEqual([]);
  });
});
