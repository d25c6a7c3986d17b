// Message identifiers, made and read.

import { expect, test } from 'vitest';
import { messageId, messageIds } from '../../src/formats/message-id.ts';

test('an identifier is made of randomness and our name', () => {
  expect(messageId('abc.1', 'mail.example.test')).toBe('<abc.1@mail.example.test>');
});

test.each([
  ['<a@b>', ['a@b']],
  ['<a@b> <c@d>\t<e@f>', ['a@b', 'c@d', 'e@f']],
  ['<a@b><c@d>', ['a@b', 'c@d']],
  ['"Alice" of <a@b>', ['a@b']],
  ['<a @ b>', ['a@b']],
  ['a@b', []],
  ['<a@b', []],
  ['a@b>', []],
  ['<>', []],
  ['<a\u0001b>', []],
  ['', []],
])('%j', (value, ids) => {
  expect(messageIds(value, 10)).toEqual(ids);
});

test('the nearest ancestors are kept', () => {
  expect(messageIds('<1> <2> <3> <4>', 2)).toEqual(['3', '4']);
});

test('a hostile field takes no time', () => {
  for (const piece of ['<', '>', '<>', '> <', '<a'])
    expect(messageIds(piece.repeat(300_000), 50).length).toBeLessThan(51);
});
