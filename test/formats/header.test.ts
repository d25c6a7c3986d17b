// Headers: their fields with octets, junk between them, and the end found in a stream.

import { expect, test } from 'vitest';
import { firstField, HeaderBlock, headerAddresses, parseHeader } from '../../src/formats/header.ts';

const octets = (text: string): Buffer => Buffer.from(text, 'utf8');

test('fields have names, values and places', () => {
  const header = octets('From: a@b\r\nSubject:  one\r\n two \r\n\tthree  \r\nX-Empty:\r\n\r\nBody: no\r\n');
  const fields = parseHeader(header);
  expect(fields.map(({ name, value }) => [name, value])).toEqual([
    ['From', 'a@b'],
    ['Subject', 'one two \tthree'],
    ['X-Empty', ''],
  ]);
  expect(fields.map((field) => header.toString('utf8', field.offset, field.offset + field.length))).toEqual([
    'From: a@b\r\n',
    'Subject:  one\r\n two \r\n\tthree  \r\n',
    'X-Empty:\r\n',
  ]);
});

test('names are compared without case', () => {
  const fields = parseHeader(octets('SUBJECT: x\r\nsubject: y\r\nSubjects: z\r\n\r\n'));
  expect(firstField(fields, 'subject')?.value).toBe('x');
  expect(fields.filter((field) => field.is('subject'))).toHaveLength(2);
  expect(firstField(fields, 'sub')).toBeUndefined();
});

test.each([
  ['From alice Mon Jan  1 00:00:00 2024\r\nA: 1\r\n\r\n', ['A']],
  [' continuation of nothing\r\nA: 1\r\n\r\n', ['A']],
  ['no colon\r\n of any kind: here\r\nA: 1\r\n\r\n', ['A']],
  [': no name\r\nA: 1\r\n\r\n', ['A']],
  ['A : obsolete space\r\nB\t: tab\r\n\r\n', ['A', 'B']],
  ['two words: no\r\nA: 1\r\n\r\n', ['A']],
  ['A: 1\nB: 2\n\nC: 3\n', ['A', 'B']],
  ['A: 1\r\nB: 2', ['A', 'B']],
  ['A: 1\r\n \r\nB: 2\r\n\r\n', ['A', 'B']],
  ['\r\nA: 1\r\n', []],
  ['', []],
])('junk is passed over: %j', (header, names) => {
  expect(parseHeader(octets(header)).map((field) => field.name)).toEqual(names);
});

test('values are UTF-8, or else their octets', () => {
  const [utf8, latin1] = parseHeader(
    Buffer.concat([octets('A: caf\u00e9 \u00e0\r\nB: caf'), Buffer.from([0xe9, 13, 10, 13, 10])]),
  );
  expect(utf8?.value).toBe('caf\u00e9 \u00e0');
  expect(utf8?.octets).toBe('caf\u00c3\u00a9 \u00c3\u00a0');
  expect(latin1?.value).toBe('caf\u00e9');
});

test('no line end and no NUL is in a value', () => {
  const [field] = parseHeader(octets('A: a\rb\0c\r\n d\r\n\r\n'));
  expect(field?.value).toBe('abc d');
});

const HEADERS = [
  'A: 1\r\nB: 2\r\n\r\n',
  '\r\n',
  '\n',
  'A: 1\n\n',
  'A: 1\n\r\n',
  'A: 1\r\r\n\r\n',
  'A: \r\r\n\r\r\n\r\n',
];

test.each(HEADERS)('the end of a header is found however it comes: %j', (header) => {
  const message = octets(`${header}body\r\n\r\nmore\r\n`);
  for (let size = 1; size <= message.length; size += 1) {
    const block = new HeaderBlock(100);
    let at = 0;
    while (!block.push(message.subarray(at, at + size))) at += size;
    expect(Buffer.from(block.bytes).toString()).toBe(header);
    expect(block.size).toBe(header.length);
    expect(Buffer.from(block.rest)).toEqual(message.subarray(header.length, at + size));
    expect([block.complete, block.overflow]).toEqual([true, false]);
  }
});

test('a header without an end is kept to the limit', () => {
  const block = new HeaderBlock(10);
  expect(block.push(octets('A: 1\r\n'))).toBe(false);
  expect([block.size, block.complete, block.overflow]).toEqual([6, false, false]);
  expect(block.push(octets('B: 22\r\n\r\n'))).toBe(false);
  expect([block.size, block.complete, block.overflow]).toEqual([6, false, true]);
  const exact = new HeaderBlock(10);
  expect(exact.push(octets('A: 123\r\n\r\n'))).toBe(true);
});

test('addresses of a field, inside groups, too', () => {
  const found = headerAddresses('Alice <alice@a.test>, Friends: bob@b.test, "C, D" <c@c.test>;, nobody');
  expect(found).toEqual([
    { name: 'Alice', address: { localPart: 'alice', domain: 'a.test' }, raw: 'Alice <alice@a.test>' },
    { name: '', address: { localPart: 'bob', domain: 'b.test' }, raw: 'bob@b.test' },
    { name: 'C, D', address: { localPart: 'c', domain: 'c.test' }, raw: '"C, D" <c@c.test>' },
    { name: '', address: null, raw: 'nobody' },
  ]);
});

test('more addresses than anybody reads end in one that is none', () => {
  const found = headerAddresses(`${'a@b.test, '.repeat(2000)}c@d.test`);
  expect(found).toHaveLength(2001);
  expect(found.at(-1)?.address).toBeNull();
});
