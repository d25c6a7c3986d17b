// Which label decoded data can carry, in pieces of any size (RFC 2045 §2.7 to §2.9).

import { expect, test } from 'vitest';
import { DataDomain } from '../../src/formats/data-domain.ts';

function domainOf(pieces: readonly string[]): string {
  const data = new DataDomain();
  for (const piece of pieces) data.add(Buffer.from(piece, 'latin1'));
  return data.domain;
}

test.each([
  ['', '7bit'],
  ['a\r\nb\r\n', '7bit'],
  [`${'a'.repeat(998)}\r\n${'b'.repeat(998)}`, '7bit'],
  [`${'a'.repeat(999)}\r\n`, 'binary'],
  ['caf\xe9\r\n', '8bit'],
  ['a\0', 'binary'],
  ['a\nb', 'binary'],
  ['a\rb', 'binary'],
  ['a\r', 'binary'],
  ['\r\r\n', 'binary'],
  ['\r\n\n', 'binary'],
])('%j is %s, however it is cut', (text, domain) => {
  expect(domainOf([text])).toBe(domain);
  expect(domainOf([...text])).toBe(domain);
});
