// Fields with parameters (RFC 2045 §5.1, RFC 2231), and what the MIME fields of a header say.

import { describe, expect, test } from 'vitest';
import { parseHeader } from '../../src/formats/header.ts';
import { mimeFacts } from '../../src/formats/mime-facts.ts';
import { extendedText, parameter, parseParameters } from '../../src/formats/parameters.ts';

test.each([
  ['text/plain', 'text/plain', []],
  ['text/plain; charset=utf-8', 'text/plain', [['charset', 'utf-8']]],
  [
    'text/plain ;CHARSET = "utf-8" ; x=y',
    'text/plain',
    [
      ['charset', 'utf-8'],
      ['x', 'y'],
    ],
  ],
  ['attachment; filename="a;b=\\"c\\".txt"', 'attachment', [['filename', 'a;b="c".txt']]],
  [
    'attachment; filename=a b c.txt; x=1',
    'attachment',
    [
      ['filename', 'a b c.txt'],
      ['x', '1'],
    ],
  ],
  ['text/plain (plain); charset=(or not) us-ascii (ok)', 'text/plain', [['charset', 'us-ascii']]],
  ['text/plain; charset', 'text/plain', []],
  ['text/plain; =x; ; y=', 'text/plain', [['y', '']]],
  ['text/plain; a b=c', 'text/plain', []],
  ['x; name="never closed', 'x', [['name', 'never closed']]],
  [
    'x; name="a" junk; b=c',
    'x',
    [
      ['name', 'a'],
      ['b', 'c'],
    ],
  ],
  ['x; name="back\\', 'x', [['name', 'back\\']]],
  ['; a=b', '', [['a', 'b']]],
  ['', '', []],
  [
    'x; a=1; a=2',
    'x',
    [
      ['a', '1'],
      ['a', '2'],
    ],
  ],
  ['x; n*0=a; n*1=b; n*2=c', 'x', [['n', 'abc']]],
  ['x; n*10=k; n*9=j; n*0="a b"', 'x', [['n', 'a bjk']]],
  ["x; n*=utf-8'de'%C3%A9", 'x', [['n*', "utf-8'de'%C3%A9"]]],
  ['x; n*0*=utf-8\'\'%C3; n*1*=%A9; n*2=" é"', 'x', [['n*', "utf-8''%C3%A9%20%E9"]]],
  ['x; n*0=a; n*1*=%41', 'x', [['n*', "''a%41"]]],
  [
    'x; n*0=a; m=1; n*1=b',
    'x',
    [
      ['n', 'ab'],
      ['m', '1'],
    ],
  ],
  ['x; n*x=a; n**=b; n*1234=c', 'x', []],
  [
    "x; n=plain; n*=utf-8''fancy",
    'x',
    [
      ['n', 'plain'],
      ['n*', "utf-8''fancy"],
    ],
  ],
])('%s', (text, value, parameters) => {
  expect(parseParameters(text)).toEqual({ value, parameters });
});

test.each([
  ["utf-8'de'%C3%BCber", 'über'],
  ["iso-8859-1''%FCber", 'über'],
  ["''%C3%BC%", 'ü%'],
  ["klingon''%FC", 'ü'],
  ['no charset%20at all', 'no charset at all'],
  ["us-ascii'en'it's", "it's"],
  ['', ''],
])('%s with its charset is %s', (value, text) => {
  expect(Buffer.from(extendedText(value), 'latin1').toString()).toBe(text);
});

test('no more parameters are read than anybody has', () => {
  expect(parseParameters(`x${'; a=b'.repeat(100_000)}`).parameters).toHaveLength(200);
  const continued = Array.from({ length: 1000 }, (_, i) => `; n*${i}=x`).join('');
  expect(parameter(parseParameters(`x${continued}`), 'n')).toBe('x'.repeat(200));
});

test.each(['; a', '(', ')', '"', '\\', '="', ';=', '; n*1=', "; n*0*='", '()'])(
  'a megabyte of %j takes little time',
  (piece) => {
    const before = process.cpuUsage();
    parseParameters(`x; a=${piece.repeat(1_000_000 / piece.length)}`);
    parseParameters(piece.repeat(1_000_000 / piece.length));
    expect(process.cpuUsage(before).user).toBeLessThan(3_000_000);
  },
);

describe('MIME fields', () => {
  const facts = (header: string, otherwise: 'text/plain' | 'message/rfc822' = 'text/plain') =>
    mimeFacts(parseHeader(Buffer.from(`${header}\r\n\r\n`)), otherwise);
  const type = (header: string, otherwise?: 'message/rfc822'): string => {
    const { type, subtype, boundary } = facts(header, otherwise);
    return `${type}/${subtype}${boundary === null ? '' : ` ${boundary}`}`;
  };

  test.each([
    ['Subject: x', 'text/plain'],
    ['Content-Type: TEXT/HTML', 'text/html'],
    ['Content-Type: text / html', 'text/html'],
    ['Content-Type: text', 'text/plain'],
    ['Content-Type: text/', 'text/plain'],
    ['Content-Type: /html', 'text/plain'],
    ['Content-Type: a b/c', 'text/plain'],
    ['Content-Type:\r\nContent-Type: image/png', 'image/png'],
    ['Content-Type: image/png\r\nContent-Type: text/html', 'image/png'],
    ['Content-Type: application/vnd.x+json; a', 'application/vnd.x+json'],
    ['Content-Type: multipart/mixed; boundary=" a "', 'multipart/mixed a'],
    ['Content-Type: multipart/mixed; boundary=""', 'multipart/mixed'],
    [`Content-Type: multipart/mixed; boundary=${'x'.repeat(257)}`, 'multipart/mixed'],
    ['Content-Type: multipart/mixed; boundary*0=a; boundary*1=b', 'multipart/mixed ab'],
    ['Content-Type: text/plain; boundary=x', 'text/plain'],
  ])('%s is %s', (header, expected) => {
    expect(type(header)).toBe(expected);
  });

  test('without a type a part of a digest is a message', () => {
    expect(type('Subject: x', 'message/rfc822')).toBe('message/rfc822');
    expect(type('Content-Type: junk', 'message/rfc822')).toBe('text/plain');
  });

  test.each([
    ['', '7bit'],
    ['Content-Transfer-Encoding: Base64', 'base64'],
    ['Content-Transfer-Encoding: 8bit (really)', '8bit'],
    ['Content-Transfer-Encoding: quoted-printable;', 'quoted-printable'],
    ['Content-Transfer-Encoding: (none)', '7bit'],
  ])('%j: the encoding is %s', (header, expected) => {
    expect(facts(header).encoding).toBe(expected);
  });

  test('disposition and languages', () => {
    expect(facts('Content-Disposition: Inline; Filename=x').disposition).toEqual({
      value: 'Inline',
      parameters: [['filename', 'x']],
    });
    expect(facts('Content-Disposition: ; filename=x').disposition?.value).toBe('attachment');
    expect(facts('Content-Disposition:').disposition).toBeNull();
    expect(facts('Content-Language: en-GB, de').languages).toEqual(['en-GB', 'de']);
    expect(facts(`Content-Language: ${'en,'.repeat(1000)}`).languages).toHaveLength(20);
    expect(facts('Content-Language: ,').languages).toBeNull();
  });
});
