// xtext there and back, and what is none.

import { expect, test } from 'vitest';
import { decodeXtext, encodeXtext, utf8AddressUnitext, utf8AddressXtext } from '../../src/formats/xtext.ts';

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
  expect(utf8AddressUnitext('δ+x@é.test')).toBe('δ\\x{2B}x@é.test');
});
