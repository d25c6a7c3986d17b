// What PREVIEW says of messages of many kinds (RFC 8970 §3.3).

import { describe, expect, test } from 'vitest';
import { structureOf } from '../../../src/formats/structure.ts';
import { previewOf } from '../../../src/imap/render/preview.ts';

function preview(lines: readonly string[]): string {
  const octets = Buffer.from(lines.join('\r\n'));
  return previewOf(structureOf(octets), (offset, length) => octets.subarray(offset, offset + length));
}

const multipart = (kind: string, ...parts: readonly (readonly string[])[]): string[] => [
  `Content-Type: multipart/${kind}; boundary=x`,
  '',
  ...parts.flatMap((part) => ['--x', ...part]),
  '--x--',
];
const HTML = ['Content-Type: text/html', '', '<style>p { color: red }</style><p>rich</p>'];
const PLAIN = ['', 'plain'];

describe('the preview of', () => {
  test.each([
    ['a text, in one line', ['', ' two', '', '\tlines '], 'two lines'],
    ['an answer: without what it quotes', ['', 'Ann wrote:', '> what?', '>', 'that'], 'Ann wrote: that'],
    ['nothing but a quotation', ['', '> what?'], '> what?'],
    ['terminal controls: none', ['', 'a\x1b[31mb\0c'], 'a [31mb c'],
    ['alternatives: the plain one', multipart('alternative', HTML, PLAIN), 'plain'],
    ['one form only', multipart('alternative', HTML), 'rich'],
    ['a first part without words', multipart('mixed', ['', ' '], HTML), 'rich'],
    ['attachments: none', multipart('mixed', ['Content-Disposition: attachment', '', 'file'], PLAIN), 'plain'],
    ['a message that was passed on', ['Content-Type: message/rfc822', '', 'Subject: x', '', 'inner'], 'inner'],
    ['what is encrypted: none', multipart('encrypted', ['Content-Type: text/plain', '', 'secret']), ''],
    ['a picture: none', ['Content-Type: image/png', '', 'PNG'], ''],
  ])('%s', (_, lines, words) => {
    expect(preview(lines)).toBe(words);
  });

  test('200 characters, and none of them cut', () => {
    expect(preview(['Content-Type: text/plain; charset=utf-8', '', '🌲'.repeat(1_000)])).toBe('🌲'.repeat(200));
    expect(preview(['', 'a'.repeat(199), 'b'.repeat(300)])).toBe('a'.repeat(199));
  });

  test('a page whose words come late', () => {
    const style = `<style>${'p { color: red }\r\n'.repeat(1_000)}</style>`;
    expect(preview(['Content-Type: text/html', '', `${style}<p>words`])).toBe('words');
    expect(preview(['Content-Type: text/html', '', `${style.repeat(10)}<p>words`])).toBe('');
  });
});
