// Messages made 7-bit: what a reader decodes is what was written, and nothing else has changed.

import { isAscii } from 'node:buffer';
import { type AddressObject, simpleParser } from 'mailparser';
import { describe, expect, it } from 'vitest';
import { SevenBitConversion, type SevenBitOptions } from '../../src/formats/seven-bit.ts';
import { transferDecoder } from '../../src/formats/transfer-encoding.ts';

const OPTIONS: SevenBitOptions = { charset: 'utf-8', relabel: true };

function convert(message: string, piece = 1000, options: SevenBitOptions = OPTIONS): string {
  const octets = Buffer.from(message);
  const conversion = new SevenBitConversion(options);
  const parts: Uint8Array[] = [];
  for (let at = 0; at < octets.length; at += piece) parts.push(conversion.push(octets.subarray(at, at + piece)));
  parts.push(conversion.end());
  return Buffer.concat(parts).toString();
}

const lines = (...all: string[]): string => all.map((line) => `${line}\r\n`).join('');

const FIRST = ['From: alice@example.test', 'Subject: x', 'MIME-Version: 1.0'];
const MIXED = [...FIRST, 'Content-Type: multipart/mixed; boundary="b"'];
const TEXT = ['Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: 8bit'];
const ATTACHED = ['--b', 'Content-Type: application/pdf', 'Content-Transfer-Encoding: base64', '', 'AAEC'];

describe('each part by itself', () => {
  it.each<readonly [string, string, string]>([
    [
      'a text that is the whole message',
      lines(...FIRST, ...TEXT, '', 'Viele Grüße ', ''),
      lines(
        ...FIRST,
        ...TEXT.slice(0, 1),
        'Content-Transfer-Encoding: quoted-printable',
        '',
        'Viele Gr=C3=BC=C3=9Fe=20',
        '',
      ),
    ],
    [
      'a text without a label, which gets what it lacks',
      lines('From: alice@example.test', '', 'Gruß'),
      lines(
        'From: alice@example.test',
        'MIME-Version: 1.0',
        'Content-Type: text/plain; charset=utf-8',
        'Content-Transfer-Encoding: quoted-printable',
        '',
        'Gru=C3=9F',
      ),
    ],
    [
      'a text with a wrong label',
      lines(...FIRST, 'content-transfer-encoding : 7BIT', 'X: y', '', 'ein wenig Gruß, und sonst nichts'),
      lines(
        ...FIRST,
        'Content-Transfer-Encoding: quoted-printable',
        'X: y',
        'Content-Type: text/plain; charset=utf-8',
        '',
        'ein wenig Gru=C3=9F, und sonst nichts',
      ),
    ],
    [
      'a text of which most is 8-bit, as base64',
      lines(...FIRST, ...TEXT, '', 'Привет'),
      lines(...FIRST, ...TEXT.slice(0, 1), 'Content-Transfer-Encoding: base64', '', '0J/RgNC40LLQtdGCDQo='),
    ],
    [
      'a text beside an attachment, and the label of both',
      lines(
        ...MIXED,
        'Content-Transfer-Encoding: 8bit',
        '',
        'pre',
        '--b',
        ...TEXT,
        '',
        'Viele Grüße',
        '',
        ...ATTACHED,
        '--b--',
        'ü',
      ),
      lines(
        ...MIXED,
        'Content-Transfer-Encoding: 7bit',
        '',
        'pre',
        '--b',
        ...TEXT.slice(0, 1),
        'Content-Transfer-Encoding: quoted-printable',
        '',
        'Viele Gr=C3=BC=C3=9Fe',
        '',
        ...ATTACHED,
        '--b--',
        'ü',
      ),
    ],
    [
      'a part that says 8bit and is not',
      lines(...MIXED, '', '--b', ...TEXT, '', 'plain', '--b', ...TEXT, '', 'a little bit more of a Gruß', '--b--'),
      lines(
        ...MIXED,
        '',
        '--b',
        ...TEXT.slice(0, 1),
        'Content-Transfer-Encoding: 7bit',
        '',
        'plain',
        '--b',
        ...TEXT.slice(0, 1),
        'Content-Transfer-Encoding: quoted-printable',
        '',
        'a little bit more of a Gru=C3=9F',
        '--b--',
      ),
    ],
    [
      'a line that hops would cut (RFC 2045 §2.7)',
      lines(...FIRST, 'Content-Type: text/html', '', 'x'.repeat(999), 'y'),
      lines(
        ...FIRST,
        'Content-Type: text/html',
        'Content-Transfer-Encoding: quoted-printable',
        '',
        ...Array.from({ length: 13 }, () => `${'x'.repeat(75)}=`),
        'x'.repeat(24),
        'y',
      ),
    ],
    [
      'octets that are no text',
      lines(...MIXED, '', '--b', 'Content-Type: image/x', 'Content-Transfer-Encoding: binary', '', 'ü', '--b--'),
      lines(...MIXED, '', '--b', 'Content-Type: image/x', 'Content-Transfer-Encoding: base64', '', 'w7w=', '--b--'),
    ],
    [
      'a part without a header',
      lines(...MIXED, '', '--b', '', 'only one Gruß here', '--b--'),
      lines(
        ...MIXED,
        '',
        '--b',
        'Content-Type: text/plain; charset=utf-8',
        'Content-Transfer-Encoding: quoted-printable',
        '',
        'only one Gru=C3=9F here',
        '--b--',
      ),
    ],
    [
      'a message in a message',
      lines(
        ...MIXED,
        '',
        '--b',
        'Content-Type: message/rfc822',
        'Content-Transfer-Encoding: 8bit',
        '',
        'Subject: y',
        ...TEXT,
        '',
        'und ein Gruß',
        '--b--',
      ),
      lines(
        ...MIXED,
        '',
        '--b',
        'Content-Type: message/rfc822',
        'Content-Transfer-Encoding: 7bit',
        '',
        'Subject: y',
        ...TEXT.slice(0, 1),
        'Content-Transfer-Encoding: quoted-printable',
        '',
        'und ein Gru=C3=9F',
        '--b--',
      ),
    ],
  ])('%s', (_, message, expected) => {
    for (const piece of [1, 2, 5, 1000]) expect(convert(message, piece)).toBe(expected);
  });
});

it('a message/global is encoded as a whole, and any other message by its parts (RFC 6532 §3.5)', () => {
  const inner = lines('Subject: \u00fc', '', 'Gru\u00df', '');
  const of = (type: string) => convert(lines(...FIRST, `Content-Type: ${type}`, '', inner), 100);
  const [head = '', ...body] = of('message/global').split('\r\n\r\n');
  expect(head).toMatch(/^Content-Transfer-Encoding: (?:base64|quoted-printable)$/m);
  const encoding = /^Content-Transfer-Encoding: (.*)$/m.exec(head)?.[1] ?? '';
  const decoder = transferDecoder(encoding);
  const octets = Buffer.from(body.join('\r\n\r\n'), 'latin1');
  expect(Buffer.concat([decoder.decode(octets), decoder.end()]).toString()).toBe(`${inner}\r\n`);
  expect(of('message/rfc822')).toContain('Subject: \u00fc');
});

describe('is left as it is', () => {
  it.each([
    ['what is 7-bit', lines(...MIXED, '', '--b', '', 'plain', ...ATTACHED, '--b--', '')],
    ['a line that is as long as it may be', lines(...FIRST, '', 'x'.repeat(998), 'y')],
    ['a message without a body', lines(...FIRST)],
    ['a header without a body', lines(...FIRST, '')],
    ['nothing', ''],
    [
      'what is signed',
      lines(...FIRST, 'Content-Type: multipart/signed; boundary=b', '', '--b', ...TEXT, '', 'ü', '--b--'),
    ],
    [
      'what is signed within',
      lines(
        ...MIXED,
        '',
        '--b',
        'Content-Type: multipart/signed; boundary=c',
        '',
        '--c',
        ...TEXT,
        '',
        'ü',
        '--c--',
        '--b--',
      ),
    ],
    ['what an encoding was said of', lines(...FIRST, 'Content-Transfer-Encoding: quoted-printable', '', 'ü=3D')],
    ['what has an encoding of its own', lines(...FIRST, 'Content-Transfer-Encoding: x-uue', '', 'ü')],
    ['a multipart without a boundary', lines(...FIRST, 'Content-Type: multipart/mixed', '', 'ü')],
    ['a message of which this is a part', lines(...FIRST, 'Content-Type: message/partial; id=x; number=1', '', 'ü')],
    ['a part whose header never ends', lines(...MIXED, '', '--b', `X: ${'ü'.repeat(200_000)}`, '', 'ü')],
  ])('%s', (_, message) => {
    for (const piece of [3, 1000, 1_000_000]) expect(convert(message, piece) === message).toBe(true);
  });

  it('and the label above it stays', () => {
    const message = lines(
      ...MIXED,
      'Content-Transfer-Encoding: 8bit',
      '',
      '--b',
      'Content-Type: multipart/signed; boundary=c',
      '',
      '--c',
      ...TEXT,
      '',
      'ü',
      '--c--',
      '--b--',
    );
    expect(convert(message, 100, { charset: 'utf-8', relabel: false })).toBe(message);
  });
});

it('a text with long lines and many of them, beside attachments, reads as before', async () => {
  const text = `${'Ein Satz mit Umlauten: äöü ÄÖÜ ß. '.repeat(400)}\r\n`.repeat(20);
  const attachment = Buffer.alloc(300_000, 'all work and no play ').toString('base64').replace(/.{76}/g, '$&\r\n');
  const message = lines(
    ...MIXED,
    'Content-Transfer-Encoding: 8bit',
    '',
    '--b',
    'Content-Type: multipart/alternative; boundary=b2',
    '',
    '--b2',
    ...TEXT,
    '',
    text,
    '--b2',
    'Content-Type: text/html; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
    '',
    `<p>${text}</p>`,
    '--b2--',
    '--b',
    'Content-Type: application/x-ours; name=ours',
    'Content-Disposition: attachment',
    'Content-Transfer-Encoding: base64',
    '',
    attachment,
    '--b--',
  );
  const converted = convert(message, 1_460);
  expect(isAscii(Buffer.from(converted))).toBe(true);
  for (const line of converted.split('\r\n')) expect(line.length).toBeLessThanOrEqual(78);
  const [before, after] = await Promise.all([simpleParser(message), simpleParser(converted)]);
  expect(after.text).toBe(before.text);
  expect(after.html).toBe(before.html);
  expect(after.attachments.map(({ checksum }) => checksum)).toEqual(before.attachments.map(({ checksum }) => checksum));
  expect((after.from as AddressObject).text).toBe('alice@example.test'); // of one From
});
