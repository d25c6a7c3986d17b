// openssl s_client by hand on every port that has TLS: the certificate verified, versions and suites that must work and
// must not (PORTS T4, S5, A4), and mail through each.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Gate, PASSWORD, Program, userAddress } from '../process/program.ts';
import { Dialogue } from './dialogue.ts';
import { cases, program } from './foreign.ts';
import { authorityOf, bodyOf, message, receivedOf } from './mailbox.ts';

const openssl = await program('openssl', ['openssl', 'version'], /OpenSSL (\S+)/);
const OLD = 'DEFAULT:@SECLEVEL=0';

cases([openssl], () => {
  let server: Program;
  beforeAll(async () => {
    server = await Program.start();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const connect = (gate: Gate, ...more: string[]): Dialogue => {
    const starttls = gate === 465 || gate === 993 ? [] : ['-starttls', gate === 143 ? 'imap' : 'smtp'];
    const verify = ['-CAfile', authorityOf(server), '-verify_return_error', '-verify_hostname', 'localhost'];
    const address = ['-connect', `localhost:${server.port(gate)}`, '-servername', 'localhost'];
    return new Dialogue('openssl', ['s_client', ...address, ...starttls, '-brief', '-ign_eof', ...verify, ...more]);
  };

  test.each<[string, Gate, string[], RegExp]>([
    ['T4: 25 with TLS 1.0', 25, ['-tls1', '-cipher', OLD], /TLSv1\b(?!\.)/],
    [
      'T4: 25 with TLS 1.0 and AES128-SHA',
      25,
      ['-tls1', '-cipher', 'AES128-SHA:@SECLEVEL=0'],
      /AES_128_CBC_SHA \(TLSv1 /,
    ],
    ['T4: 25 with TLS 1.1', 25, ['-tls1_1', '-cipher', OLD], /TLSv1\.1/],
    ['T4: 25 with TLS 1.2', 25, ['-tls1_2'], /TLSv1\.2/],
    ['T4: 25 with TLS 1.3', 25, ['-tls1_3'], /TLSv1\.3/],
    ['465 with TLS 1.2', 465, ['-tls1_2'], /TLSv1\.2/],
    ['465 with TLS 1.3', 465, ['-tls1_3'], /TLSv1\.3/],
    ['587 with TLS 1.2 and an RSA certificate', 587, ['-tls1_2', '-cipher', 'ECDHE-RSA-AES256-GCM-SHA384'], /TLSv1\.2/],
    ['587 with TLS 1.3', 587, ['-tls1_3'], /TLSv1\.3/],
  ])('%s', async (name, gate, options, trace) => {
    await using dialogue = connect(gate, ...options);
    // With STARTTLS the greeting has been heard by s_client itself.
    if (gate === 465) await dialogue.hear(/^220 /);
    await dialogue.say('EHLO client.test', /^250 /);
    if (gate !== 25) {
      const token = Buffer.from(`\0${userAddress(1)}\0${PASSWORD}`).toString('base64');
      await dialogue.say(`AUTH PLAIN ${token}`, /^235 /);
    }
    await dialogue.say(`MAIL FROM:<${userAddress(1)}>`, /^250 /);
    await dialogue.say(`RCPT TO:<${userAddress(2)}>`, /^250 /);
    await dialogue.say('DATA', /^354 /);
    await dialogue.say(`From: <${userAddress(1)}>\r\nSubject: ${name}\r\n\r\n..by hand\r\n.`, /^250 /);
    await dialogue.say('QUIT', /^221 /);
    await dialogue.end();
    expect(dialogue.remarks).toMatch(/Verification: OK/);
    const octets = await message(server, 2, name);
    expect(bodyOf(octets)).toBe('.by hand\r\n');
    expect(receivedOf(octets)[0]).toMatch(trace);
  });

  test.each<[Gate, string]>([
    [993, '-tls1_2'],
    [993, '-tls1_3'],
    [143, '-tls1_2'],
    [143, '-tls1_3'],
  ])('reads on %i with %s', async (gate, version) => {
    const subject = `read ${gate}${version}`;
    await using writing = connect(25);
    await writing.say('EHLO client.test', /^250 /);
    await writing.say('MAIL FROM:<>', /^250 /);
    await writing.say(`RCPT TO:<${userAddress(1)}>`, /^250 /);
    await writing.say('DATA', /^354 /);
    await writing.say(`Subject: ${subject}\r\n\r\nread me\r\n.`, /^250 /);
    await using dialogue = connect(gate, version);
    if (gate === 993) await dialogue.hear(/^\* OK /);
    await dialogue.say(`a LOGIN ${userAddress(1)} ${PASSWORD}`, /^a OK /);
    await dialogue.say('b SELECT INBOX', /^b OK /);
    const found = await dialogue.say(`c SEARCH SUBJECT "${subject}"`, /^c OK /);
    const number = /^\* SEARCH (\d+)\r$/m.exec(found)?.[1];
    expect(await dialogue.say(`d FETCH ${number} BODY[TEXT]`, /^d OK /)).toContain('{9}\r\nread me\r\n');
    await dialogue.say('e LOGOUT', /^e OK /);
    await dialogue.end();
    expect(dialogue.remarks).toMatch(/Verification: OK/);
  });

  test.each<[string, Gate, string[]]>([
    ['S5: TLS 1.1 on 465', 465, ['-tls1_1', '-cipher', OLD]],
    ['S5: TLS 1.0 on 587', 587, ['-tls1', '-cipher', OLD]],
    ['A4: TLS 1.1 on 993', 993, ['-tls1_1', '-cipher', OLD]],
    ['A4: TLS 1.0 on 143', 143, ['-tls1', '-cipher', OLD]],
    ['a weak suite on 465', 465, ['-tls1_2', '-cipher', 'AES128-SHA:@SECLEVEL=0']],
    ['T4: a suite without a certificate on 25', 25, ['-tls1_2', '-cipher', 'aNULL:@SECLEVEL=0']],
    ['T4: a suite without encryption on 25', 25, ['-tls1_2', '-cipher', 'eNULL:@SECLEVEL=0']],
  ])('no handshake: %s', async (_, gate, options) => {
    await using dialogue = connect(gate, ...options);
    expect(await dialogue.end()).not.toBe(0);
    expect(dialogue.remarks).toMatch(/alert (?:protocol version|handshake failure)/);
  });
});
