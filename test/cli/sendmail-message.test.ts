// Messages as local programs write them: their lines, their end, and the recipients in their headers.

import { expect, test } from 'vitest';
import { addressesIn, canonicalMessage, recipientsOf, UnreadableRecipient } from '../../src/cli/sendmail-message.ts';
import { formatAddress } from '../../src/formats/address.ts';
import { parseHeader } from '../../src/formats/header.ts';

test.each([
  ['LF', 'a\nb\n', 'a\r\nb\r\n'],
  ['CRLF', 'a\r\nb\r\n', 'a\r\nb\r\n'],
  ['both', 'a\nb\r\n\nc', 'a\r\nb\r\n\r\nc\r\n'],
  ['no end', 'a', 'a\r\n'],
  ['nothing', '', ''],
  ['a CR that stands alone', '1%\r2%\rdone\n', '1%\r\n2%\r\ndone\r\n'],
  ['CR CR LF', 'a\r\r\nb\n', 'a\r\nb\r\n'],
  ['a CR at the end', 'a\r', 'a\r\n'],
  ['CRs in a row', 'a\r\r\rb\n', 'a\r\n\r\n\r\nb\r\n'],
  ['CRs in a row that end in LF', 'a\r\r\r\nb\r\r\n', 'a\r\nb\r\n'],
  ['a mailbox file with a dot in its first line', 'From .\n.\nx', ''],
  ['a dot', 'a\n.\nb\n', 'a\r\n'],
  ['a dot with CRLF', 'a\r\n.\r\nb\r\n', 'a\r\n'],
  ['a dot without an end', 'a\n.', 'a\r\n'],
  ['dots that end nothing', '..\n.a\n', '..\r\n.a\r\n'],
  ['the line of a mailbox file', 'From me@a.test Mon Jan  1\nSubject: x\n', 'Subject: x\r\n'],
  ['From in the text', 'Subject: x\n\nFrom here\n', 'Subject: x\r\n\r\nFrom here\r\n'],
])('%s', (_, given, expected) => {
  expect(String(canonicalMessage(Buffer.from(given), true))).toBe(expected);
});

test('with -i a dot is a line, and octets stay what they are', () => {
  const octets = Buffer.from([46, 10, 0xff, 0, 10]);
  expect([...canonicalMessage(octets, false)]).toEqual([46, 13, 10, 0xff, 0, 13, 10]);
});

test.each([
  ['progress bars', '99 %\r', '99 %\r\n'],
  ['nothing but CR', '\r', '\r\n'],
  ['nothing but LF', '\n', '\r\n'],
])('large ones, of %s alone', (_, line, canonical) => {
  const lines = Math.floor((8 * 1024 * 1024) / line.length);
  const message = canonicalMessage(Buffer.from(line.repeat(lines)), true);
  expect(message.equals(Buffer.from(canonical.repeat(lines)))).toBe(true);
});

test('addresses as people list them', () => {
  const read = (list: string) => addressesIn(list, 'here.test').map(formatAddress);
  expect(read('root')).toEqual(['root@here.test']);
  expect(read('Ann <ann@A.test>, bob, "x y"@c.test')).toEqual(['ann@a.test', 'bob@here.test', '"x y"@c.test']);
  expect(read('friends: ann@a.test, bob;')).toEqual(['ann@a.test', 'bob@here.test']);
  expect(read('')).toEqual([]);
  expect(() => read('a@b@c, @')).toThrow(UnreadableRecipient);
});

test('-t reads To, Cc and Bcc, or the Resent fields', () => {
  const read = (header: string) => recipientsOf(parseHeader(Buffer.from(header)), 'here.test').map(formatAddress);
  expect(
    read('To: a@a.test,\r\n b@a.test\r\nCC: c\r\nBcc: d@a.test\r\nFrom: e@a.test\r\n\r\nTo: f@a.test\r\n'),
  ).toEqual(['a@a.test', 'b@a.test', 'c@here.test', 'd@a.test']);
  expect(read('Resent-To: x@a.test\r\nTo: a@a.test\r\n\r\n')).toEqual(['x@a.test']);
});
