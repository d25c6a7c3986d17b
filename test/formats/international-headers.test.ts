// Which messages are internationalised (RFC 6532 §3.7), by the headers of the message and of its parts.

import { expect, test } from 'vitest';
import { InternationalHeaders } from '../../src/formats/international-headers.ts';

function isInternational(text: string, size: number): boolean {
  const headers = new InternationalHeaders();
  const octets = Buffer.from(text.replaceAll('\n', '\r\n'), 'utf8');
  for (let at = 0; at < octets.length; at += size) if (headers.push(octets.subarray(at, at + size))) return true;
  return headers.end();
}

const multipart = (inside: string, type = 'mixed', boundary = 'b') =>
  `Content-Type: multipart/${type}; boundary=${boundary}\n\nsome ä in front\n--${boundary}\n${inside}\n--${boundary}--\nsome ä behind\n`;

test.each<readonly [string, string, boolean]>([
  ['nothing', '', false],
  ['a body', 'Subject: a\n\nä\n', false],
  ['a header', 'Subject: ä\n\nx\n', true],
  ['a header without a body', 'Subject: ä', true],
  ['the second line of a field', 'Subject: a\n ä\n\nx\n', true],
  ['the body of a part', multipart('Subject: a\n\nä'), false],
  ['the header of a part', multipart('Content-Description: ä\n\nx'), true],
  ['the header of a part that has no body', multipart('Content-Description: ä'), true],
  ['the header of the second part', multipart('\nä\n--b\nContent-Disposition: inline; filename="ä"\n\nx'), true],
  ['the header of a part of a part', multipart(multipart('Content-Description: ä\n\nx', 'alternative', 'c')), true],
  ['the header of a message within', multipart('Content-Type: message/global\n\nSubject: ä\n\nx'), false],
  ['a line that looks like a boundary', 'Subject: a\n\n--b\nSubject: ä\n\nx\n', false],
])('%s', (_, text, expected) => {
  for (const size of [1, 7, 10_000]) expect(isInternational(text, size)).toBe(expected);
});

test('multiparts within multiparts without end take no memory', () => {
  const text = Array.from({ length: 200 }, (_, at) => `Content-Type: multipart/mixed; boundary=b${at}\n\n--b${at}\n`);
  expect(isInternational(`${text.join('')}Subject: a\n\nx\n`, 100)).toBe(false);
});
