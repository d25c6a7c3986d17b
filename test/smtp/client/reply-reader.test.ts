// Replies in pieces of any size (RFC 5321 §4.2), and the reply to EHLO.

import { describe, expect, test } from 'vitest';
import { parseExtensions } from '../../../src/smtp/client/extensions.ts';
import { ReplyReader, ReplySyntaxError } from '../../../src/smtp/client/reply-reader.ts';

function read(text: string, size = text.length) {
  const reader = new ReplyReader();
  const octets = Buffer.from(text, 'utf8');
  for (let at = 0; at < octets.length; at += size) reader.push(octets.subarray(at, at + size));
  const replies = [];
  for (let reply = reader.next(); reply !== undefined; reply = reader.next()) replies.push(reply);
  return replies;
}

describe('replies (RFC 5321 §4.2)', () => {
  test.each([1, 2, 3, 7, 1_000])('come whole from pieces of %i octets', (size) => {
    const wire =
      '220 hello\r\n250-2.1.0 one\r\n250-2.1.0 two\r\n250 2.1.0\r\n550 no status\r\n354\r\n452-4.5.3 a\r\n452 b\r\n';
    expect(read(wire, size)).toEqual([
      { code: 220, text: 'hello' },
      { code: 250, status: '2.1.0', text: 'one\ntwo\n' },
      { code: 550, text: 'no status' },
      { code: 354, text: '' },
      { code: 452, status: '4.5.3', text: 'a\nb' },
    ]);
  });

  test.each(['5.01.1', '5.1.01', '5.1.0001', '3.1.1', '5.1', '5.1.1x'])('have no status %s', (text) => {
    expect(read(`550 ${text} no\r\n`)).toEqual([{ code: 550, text: `${text} no` }]);
  });

  test('keep no control characters and no broken UTF-8', () => {
    expect(read('250 a\x00b\x1b[31m\u0085c\r\n')).toEqual([{ code: 250, text: 'a b [31m c' }]);
  });

  test('of 10 KB are read, in one line or in many', () => {
    expect(read(`550 ${'x'.repeat(10_000)}\r\n`)[0]?.text).toHaveLength(10_000);
    expect(read(`${'550-0123456789\r\n'.repeat(999)}550 end\r\n`)[0]?.text.split('\n')).toHaveLength(1_000);
  });

  test.each([
    ['no code', 'hello\r\n'],
    ['a code out of range', '650 hm\r\n'],
    ['no separator', '250x\r\n'],
    ['an endless line', 'x'.repeat(20_000)],
    ['an endless reply', '250-0123456789012345678901234567890123456789\r\n'.repeat(2_000)],
  ])('with %s are refused', (_, wire) => {
    expect(() => read(wire, 100)).toThrow(ReplySyntaxError);
  });

  test.each([
    ['many', '250 ok\r\n', 2_048],
    ['of many octets', `${'550-0123456789012345678901234567890123456789\r\n'.repeat(250)}550 no\r\n`, 204],
  ])('that nobody takes, %s, are refused in the end; those that are taken never', (_, reply, most) => {
    const reader = new ReplyReader();
    for (let count = 0; count < most; count++) reader.push(Buffer.from(reply));
    for (let count = 0; count < 2 * most; count++) {
      expect(reader.next()).toBeDefined();
      reader.push(Buffer.from(reply));
    }
    expect(() => reader.push(Buffer.from(reply))).toThrow(ReplySyntaxError);
  });

  test('half a line is not quiet', () => {
    const reader = new ReplyReader();
    expect(reader.empty).toBe(true);
    reader.push(Buffer.from('250'));
    expect(reader.empty).toBe(false);
  });
});

describe('the reply to EHLO', () => {
  test('names the extensions in any case, and what is masked is passed over', () => {
    const text =
      'host greets you\npipelining\nSIZE 1000\nXXXXXXXA\n****\n8BITMIME\nAUTH plain LOGIN\nAUTH=LOGIN\nLIMITS RCPTMAX=7 MAILMAX=2';
    expect(parseExtensions({ code: 250, text })).toMatchObject({
      pipelining: true,
      size: true,
      maxSize: 1000,
      eightBitMime: true,
      smtputf8: false,
      dsn: false,
      starttls: false,
      auth: ['PLAIN', 'LOGIN'],
      rcptMax: 7,
    });
  });

  test.each([
    ['DELIVERBY', 0],
    ['DELIVERBY 240', 240],
    ['DELIVERBY 240,soon', 240],
    ['DELIVERBY ,soon', 0],
    ['8BITMIME', null],
  ])('%s: the least time is the first of its options (RFC 2852 §2)', (line, least) => {
    expect(parseExtensions({ code: 250, text: `fake.test\n${line}` }).deliverBy).toBe(least);
  });

  test('SIZE without or with a zero limit is no limit (RFC 1870 §4)', () => {
    for (const line of ['SIZE', 'SIZE 0', 'SIZE what']) {
      expect(parseExtensions({ code: 250, text: `x\n${line}` })).toMatchObject({ size: true, maxSize: null });
    }
  });

  test('the first line is no keyword', () => {
    expect(parseExtensions({ code: 250, text: 'PIPELINING' }).pipelining).toBe(false);
  });
});
