// Headers for clients without UTF-8 (RFC 6858): everything in them is ASCII, and what can be kept is what another program
// reads in them.

import { simpleParser } from 'mailparser';
import { describe, expect, test } from 'vitest';
import { decodeWords, encodeWords } from '../../src/formats/encoded-words.ts';
import { surrogateHeader } from '../../src/formats/surrogate-header.ts';

const surrogate = (...lines: string[]): string | null =>
  surrogateHeader(Buffer.from(lines.map((line) => `${line}\r\n`).join('')))?.toString('latin1') ?? null;

test.each([
  ['ASCII', Buffer.from('Subject: x\r\n\r\n')],
  ['nothing', Buffer.alloc(0)],
  ['ISO 8859-1', Buffer.from('Subject: Gr\xfc\xdfe\r\n\r\n', 'latin1')],
])('%s goes as it is', (_, header) => {
  expect(surrogateHeader(header)).toBeNull();
});

test('another program reads names, subject and file name; what it cannot write to is nobody', async () => {
  const header = surrogate(
    'From: Jürgen Müller <juergen@example.test>',
    'To: "Größe, Ö." <ö@example.test>, plain@example.test,',
    '\tGruppe Ü: über@dömäin.test, x@example.test;',
    `Subject: ${'Grüße an alle, '.repeat(12)}日本語`,
    'Content-Type: application/pdf; name="Übung.pdf"',
    'Content-Disposition: attachment; filename="Übung \\"1\\".pdf"; size=3',
    'X-Note: schön',
    'Received: from jürgen',
    'Date: Mon, 7 Feb 1994 21:52:25 -0800',
    '',
  );
  expect(header).toMatch(/^[\x20-\x7e\r\n\t]+\r\n\r\n$/);
  expect(header?.split('\r\n').filter((line) => line.length > 200)).toEqual([]);
  // As it stood, to the octet.
  expect(header).toContain('\r\nDate: Mon, 7 Feb 1994 21:52:25 -0800\r\n');
  expect(header).not.toContain('Received');
  const mail = await simpleParser(`${header}JVBERi0=\r\n`);
  expect(mail.from?.value).toEqual([{ name: 'Jürgen Müller', address: 'juergen@example.test' }]);
  expect(mail.subject).toBe(`${'Grüße an alle, '.repeat(12)}日本語`);
  expect(decodeWords(String(mail.headers.get('x-note')))).toBe('schön');
  expect(mail.attachments[0]?.filename).toBe('Übung "1".pdf');
  expect(mail.attachments[0]?.contentType).toBe('application/pdf');
  const [to] = [mail.to ?? []].flat();
  const nobody = 'invalid@internationalized-address.invalid';
  expect(to?.value.map(({ name, address }) => [name, address])).toEqual([
    ['Größe, Ö. <ö@example.test>', nobody],
    ['', 'plain@example.test'],
    ['Gruppe Ü', undefined],
  ]);
  expect(to?.value[2]?.group?.map(({ address }) => address)).toEqual([nobody, 'x@example.test']);
});

test('a header without its empty line gets none', () => {
  expect(surrogate('Subject: ü')).toBe('Subject: =?utf-8?B?w7w=?=\r\n');
  expect(surrogate('junk ü', 'A: b', '')).toBe('A: b\r\n\r\n');
  expect(surrogateHeader(Buffer.from('Subject: ü\n\nbody'))?.toString()).toBe('Subject: =?utf-8?B?w7w=?=\r\n\n');
});

describe('encoded words', () => {
  test('have at most 75 characters, and no character is split (RFC 2047 §2, §5)', () => {
    for (const text of ['ü'.repeat(200), '日本語'.repeat(50), '👋'.repeat(40), 'a'.repeat(300), '']) {
      const words = encodeWords(text);
      expect(words.filter((word) => word.length > 75)).toEqual([]);
      const decoded = words.map((word) => Buffer.from(word.slice(10, -2), 'base64').toString());
      expect(decoded.join('')).toBe(text);
    }
  });
});
