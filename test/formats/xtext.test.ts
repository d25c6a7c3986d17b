// xtext there and back, and what is none.

import { expect, test } from 'vitest';
import { decodeUtf8Address, decodeXtext, encodeXtext, utf8AddressXtext } from '../../src/formats/xtext.ts';

test.each([
  ['Bob@Example.COM', 'Bob@Example.COM'],
  ['a+b=c', 'a+2Bb+3Dc'],
  ['a b', 'a+20b'],
  ['é', '+C3+A9'],
  ['', ''],
])('%j is %j', (text, xtext) => {
  expect(encodeXtext(text)).toBe(xtext);
  expect(decodeXtext(xtext)).toBe(text);
});

test('lower case digits are read', () => {
  expect(decodeXtext('+c3+a9')).toBe('é');
});

test.each(['a=b', 'a b', '+', '+2', '+GG', 'é', '+0D+0A', '+00', '+7F', '+C3', 'a\r\n'])('%j is none', (text) => {
  expect(decodeXtext(text)).toBeNull();
});

test('addresses of type utf-8 (RFC 6533 §3)', () => {
  expect(utf8AddressXtext('δ+x@é.test')).toBe('\\x{3B4}\\x{2B}x@\\x{E9}.test');
});

test.each([
  ['\\x{3B4}\\x{2B}x@\\x{E9}.test', 'δ+x@é.test'],
  ['δ\\x{2b}x@é.test', 'δ+x@é.test'],
  ['\\x{1F600}@a.test', '😀@a.test'],
  ['\\x{5C}x{41}', '\\x{41}'],
  ['\\x{D800}\\x{110000}\\x{}\\x{1234567}', '\\x{D800}\\x{110000}\\x{}\\x{1234567}'],
])('%s is %s', (written, address) => {
  expect(decodeUtf8Address(written)).toBe(address);
});
