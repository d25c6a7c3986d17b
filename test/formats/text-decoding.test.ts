// From octets to text: transfer encodings and charsets, whatever the chunks; encoded words.

import { describe, expect, test } from 'vitest';
import { charsetDecoder, decodeCharset } from '../../src/formats/charset.ts';
import { decodeWords } from '../../src/formats/encoded-words.ts';
import { transferDecoder } from '../../src/formats/transfer-encoding.ts';
import { Random } from '../fuzz/random.ts';
import { encoded } from './made-message.ts';

function inChunks(octets: Buffer, size: number): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < octets.length; at += size) chunks.push(octets.subarray(at, at + size));
  return chunks;
}

function decode(octets: Buffer, encoding: string, size: number): Buffer {
  const decoder = transferDecoder(encoding);
  // What comes back may be a view of what the decoder goes on writing to.
  const decoded = inChunks(octets, size).map((chunk) => Buffer.from(decoder.decode(chunk)));
  return Buffer.concat([...decoded, decoder.end()]);
}

describe('transfer encodings', () => {
  test.each(['base64', 'quoted-printable', '8bit', 'x-unknown'])('%s there and back', (encoding) => {
    const random = new Random(7);
    for (let length = 0; length < 300; length += 7) {
      const octets = random.bytes(length);
      for (const size of [1, 2, 3, 5, 76, 1000]) {
        expect(decode(encoded(octets, encoding), encoding, size).equals(octets)).toBe(true);
      }
    }
  });

  test.each([
    ['base64', 'Y2Fm\r\nw6k=\r\n', 'café'],
    ['base64', 'Y2Fmw6k', 'café'],
    ['base64', '!Y2*Fm w6-k_=', 'café'],
    ['base64', 'YQ==YmM=ZGVm', 'abcdef'],
    ['base64', 'YQ=', 'a'],
    ['base64', '====YQ', 'a'],
    ['base64', 'Y', ''],
    ['base64', '', ''],
    ['quoted-printable', 'caf=C3=a9=\r\n!=\n?', 'café!?'],
    ['quoted-printable', 'a=', 'a='],
    ['quoted-printable', 'a=4', 'a=4'],
    ['quoted-printable', 'a=XY=3D==41', 'a=XY==A'],
    ['quoted-printable', 'a=\rb', 'a=\rb'],
    ['quoted-printable', 'a \r\nb \t\nc d ', 'a\r\nb\nc d'],
    ['quoted-printable', 'a \rb= \t\r\nc =\t\nd=20\r\n', 'a \rbc d \r\n'],
  ])('%s: %j is %j', (encoding, octets, text) => {
    for (const size of [1, 2, 3, 4, 100]) {
      expect(decode(Buffer.from(octets), encoding, size).toString()).toBe(text);
    }
  });

  test.each(['=', '==', 'A=', '=A', '=\r', '\r\n', 'A'])('a megabyte of %j takes little time', (piece) => {
    const octets = Buffer.from(piece.repeat(1_000_000 / piece.length));
    const before = process.cpuUsage();
    for (const encoding of ['base64', 'quoted-printable']) decode(octets, encoding, 65_536);
    expect(process.cpuUsage(before).user).toBeLessThan(3_000_000);
  });
});

describe('charsets', () => {
  const read = (octets: Buffer, charset: string | null, size: number): string => {
    const decoder = charsetDecoder(charset);
    return inChunks(octets, size)
      .map((chunk) => decoder.decode(chunk))
      .concat(decoder.end())
      .join('');
  };

  test.each([
    ['utf-8', '636166c3a9', 'café'],
    ['UTF8', 'f09f9880', '😀'],
    ['iso-8859-1', '636166e9', 'café'],
    ['windows-1252', '80', '€'],
    ['iso-8859-15', 'a4', '€'],
    ['koi8-r', 'f0d2c9d7c5d4', 'Привет'],
    ['windows-1251', 'cff0e8e2e5f2', 'Привет'],
    ['iso-2022-jp', '1b2442467c4b5c1b2842', '日本'],
    ['shift_jis', '93fa967b', '日本'],
    ['euc-jp', 'c6fccbdc', '日本'],
    ['gb2312', 'd6d0cec4', '中文'],
    ['gb18030', '9439da33', '💩'],
    ['big5', 'a4a4a4e5', '中文'],
    ['euc-kr', 'c7d1b1db', '한글'],
    ['utf-16le', '1f04400438043204', 'Прив'],
    ['iso-8859-8', 'f9ece5ed', 'שלום'],
    ['windows-1256', 'c8c7', 'با'],
    ['tis-620', 'e4b7c2', 'ไทย'],
    ['cp932', '93fa967b', '日本'],
    ['CP936', 'd6d0cec4', '中文'],
    ['cp949', 'c7d1b1db', '한글'],
    ['cp950', 'a4a4a4e5', '中文'],
    ['iso-2022-jp-2', '1b2442467c4b5c1b2842', '日本'],
    ['eucJP-ms', 'c6fccbdc', '日本'],
    ['win-1251', 'cff0e8e2e5f2', 'Привет'],
    ['us-ascii', '636166c3a9', 'café'],
    ['us-ascii', '636166e9', 'café'],
    [null, '636166c3a9', 'café'],
    ['x-nobody-knows', '80c3a9', '€Ã©'],
    ['', '61', 'a'],
  ])('%s %s is %s', (charset, hex, text) => {
    for (const size of [1, 2, 3, 100]) {
      expect(read(Buffer.from(hex, 'hex'), charset, size)).toBe(text);
    }
  });

  test('no octet of a guess is lost, wherever the chunks end', () => {
    const western = Buffer.from('Gr\xfc\xdfe aus K\xf6ln, \xe9t\xe9 \xf0\xc3', 'latin1');
    for (let size = 1; size <= western.length; size += 1) {
      expect(read(western, null, size)).toBe(western.toString('latin1'));
    }
    const unicode = Buffer.from('é漢😀é漢😀');
    for (let size = 1; size <= unicode.length; size += 1) expect(read(unicode, null, size)).toBe('é漢😀é漢😀');
  });

  test('what is wrong in a charset becomes a sign', () => {
    expect(decodeCharset(Buffer.from([0x61, 0xff, 0x62]), 'utf-8')).toBe('a\ufffdb');
    expect(decodeCharset(Buffer.from([0xc3]), 'utf-8')).toBe('\ufffd');
  });
});

describe('encoded words (RFC 2047)', () => {
  test.each([
    ['=?utf-8?q?caf=C3=A9?=', 'café'],
    ['=?UTF-8?B?Y2Fmw6k=?=', 'café'],
    ['=?iso-8859-1?Q?a_b=5Fc?=', 'a b_c'],
    ['=?ISO-8859-1?Q?a?= b', 'a b'],
    ['=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=', 'ab'],
    ['=?ISO-8859-1?Q?a?=  \t=?ISO-8859-2?Q?_b?=', 'a b'],
    ['=?utf-8?q?=C3?= =?utf-8?q?=A9?=', 'é'],
    ['=?utf-8?b?w6?= =?utf-8?b?k=?=', '\ufffd'],
    ['=?us-ascii*en-GB?q?colour?=', 'colour'],
    ['a=?utf-8?q?b?=c', 'abc'],
    ['=?x-nobody?q?=80?=', '€'],
    ['=?iso-2022-jp?b?GyRCRnxLXBsoQg==?=', '日本'],
    ['=?iso-2022-jp?b?GyRCRnxLXBsoQg==?= =?iso-2022-jp?b?GyRCRnxLXBsoQg==?=', '日本日本'],
    ['=?ISO-2022-JP?B?GyRCRnw=?= =?ISO-2022-JP?B?GyRCS1wbKEI=?=', '日本'],
    ['=?iso-2022-jp?b?GyRCRnxLXBsoQg==?= =?iso-2022-jp?q?a?=', '日本a'],
    ['=?utf-8?q?a b?=', 'a b'],
    ['=?utf-8?q??=', ''],
    ['=?utf-8?x?a?=', '=?utf-8?x?a?='],
    ['=?utf-8?q?a', '=?utf-8?q?a'],
    ['=??q?a?=', '=??q?a?='],
    ['plain =? text', 'plain =? text'],
    ['é =?utf-8?q?=C3=A9?= é', 'é é é'],
    ['=?utf-8?q?é?=', 'é'],
  ])('%s is %s', (value, text) => {
    expect(decodeWords(value)).toBe(text);
  });

  test.each([
    '=?',
    '=?a?q?',
    '=?a?q??=',
    '?=',
    '=?a*b?q?c',
    '=?utf-8?b?YQ==?= ',
    '=?big5?q?a?==?gbk?q?b?=',
    '=?iso-2022-jp?b?GyhC?= ',
  ])('half a megabyte of %j takes little time', (piece) => {
    const before = process.cpuUsage();
    decodeWords(piece.repeat(500_000 / piece.length));
    expect(process.cpuUsage(before).user).toBeLessThan(3_000_000);
  });
});
