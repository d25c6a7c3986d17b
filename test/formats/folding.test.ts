// Long lines of a header, folded: nothing is lost, no line is too long that need not be, and short ones stay.

import { expect, it } from 'vitest';
import { foldedField } from '../../src/formats/folding.ts';

const folded = (text: string) => Buffer.from(foldedField(Buffer.from(text, 'latin1'))).toString('latin1');
const unfolded = (text: string) => text.replace(/\r\n(?=[ \t])/g, '');
const widths = (text: string) => text.split('\r\n').map((line) => line.length);

it.each([
  'Subject: short\r\n',
  `To: ${'bob@example.test,\r\n\t'.repeat(500)}alice@example.test\r\n`,
  `X: ${'y'.repeat(994)}\r\n`,
  `X-Token:${'y'.repeat(5_000)}\r\n`,
  'Subject: no line end',
])('%j stays as it is', (field) => {
  const octets = Buffer.from(field, 'latin1');
  expect(foldedField(octets)).toBe(octets);
});

it.each([
  `To: ${'bob@example.test, '.repeat(500)}alice@example.test\r\n`,
  `References: ${`<${'a'.repeat(60)}@b>\t`.repeat(100)}<last@b>\r\n`,
  `Subject: short\r\n ${'word '.repeat(1_000)}\r\n\tshort\r\n`,
  `Subject: ${'word   '.repeat(1_000)}end`,
])('is folded at white space', (field) => {
  const result = folded(field);
  expect(unfolded(result)).toBe(unfolded(field));
  expect(Math.max(...widths(result))).toBeLessThanOrEqual(998);
  for (const line of result.split('\r\n').slice(0, -1)) expect(line.trim()).not.toBe('');
});

it('octets count, not characters (RFC 6532 §3.4)', () => {
  const field = Buffer.from(`Subject: ${'\u00fc\u00fc '.repeat(300)}end\r\n`);
  expect(String(field).length).toBeLessThan(998);
  const lines = Buffer.from(foldedField(field)).toString('latin1').split('\r\n');
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(998);
});

it('folds around what cannot be folded', () => {
  const field = `X: a ${'y'.repeat(2_000)} b ${'z'.repeat(990)} c\r\n`;
  expect(folded(field)).toBe(`X: a\r\n ${'y'.repeat(2_000)}\r\n b ${'z'.repeat(990)} c\r\n`);
});

it('makes no line of white space only', () => {
  const field = `X:a${' '.repeat(3_000)}\r\n`;
  expect(folded(field)).toBe(field);
  expect(folded(`${' '.repeat(3_000)}a\r\n`)).toBe(`${' '.repeat(3_000)}a\r\n`);
});
