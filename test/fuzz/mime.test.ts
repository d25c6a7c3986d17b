// A run of the MIME fuzzer, messages that are nothing but trouble, and the reader of responses that both are judged by.

import { describe, expect, test } from 'vitest';
import { readBody, readEnvelope } from './imap-response.ts';
import { checkStructure, checkSummary, fuzzMime } from './mime.ts';
import { MOST_GROWTH } from './occupied.ts';
import { mutantsOf, SEED } from './plan.ts';
import { Random } from './random.ts';

const MUTANTS = mutantsOf('mime');

test('every mutant has a structure that a client can read', { timeout: 120_000 + 20 * MUTANTS }, async () => {
  const result = await fuzzMime(SEED, MUTANTS);
  console.info(`mime fuzz, seed ${SEED}:`, result);
  expect(result.composed).toBeGreaterThan(MUTANTS / 3);
  expect(result.growth).toBeLessThan(MOST_GROWTH);
});

test.each([
  ['addresses', `From: ${'a,'.repeat(100_000)}\n\n`],
  ['groups', `From: ${'a:;'.repeat(100_000)}\n\n`],
  ['fields of addresses', `${'From: a,b,c,d,e\n'.repeat(20_000)}\n`],
  ['comments', `From: ${'('.repeat(100_000)}\n\n`],
  ['fields without a colon', 'x \n'.repeat(100_000)],
  ['a folded field', `Subject: ${'\n '.repeat(100_000)}\n\n`],
  ['parameters', `Content-Type: text/plain${';a=b'.repeat(60_000)}\n\n`],
  [
    'continued parameters',
    `Content-Type: text/plain${Array.from({ length: 20_000 }, (_, at) => `;a*${at}*=b`).join('')}\n\n`,
  ],
  ['Content-Type fields', `${'Content-Type: text/plain; a=b\n'.repeat(10_000)}\n`],
  ['languages', `Content-Language: ${'a,'.repeat(100_000)}\n\n`],
  ['parts', `Content-Type: multipart/mixed; boundary=b\n\n${'--b\n'.repeat(50_000)}`],
  ['parts cut short', `Content-Type: multipart/digest; boundary=b\n\n${'--b\n\n'.repeat(50_000)}`],
  ['near delimiters', `Content-Type: multipart/mixed; boundary=${'-'.repeat(70)}\n\n${'\n--'.repeat(100_000)}`],
  ['messages of many senders', `Content-Type: message/rfc822\nFrom: ${'a,'.repeat(1_900)}\n\n`.repeat(60)],
  ['messages of long senders', `Content-Type: message/rfc822\nFrom: ${'a'.repeat(20_000)}\n\n`.repeat(60)],
  ['references', `References: ${'<a@b> '.repeat(50_000)}\n\n`],
  ['NULs', `Subject: ${'\0'.repeat(100_000)}\n\n`],
])('a message of nothing but %s', (_, text) => {
  const octets = Buffer.from(text);
  checkStructure(octets, new Random(SEED));
  checkSummary(octets);
});

describe('the reader of responses', () => {
  const nobody = 'NIL NIL NIL NIL NIL NIL';

  test.each([
    `(NIL NIL ${nobody} NIL NIL)`,
    `("d" {3}\r\na"b ${nobody} "a\\"b\\\\" NIL)`,
    '(NIL NIL ((NIL NIL "g" NIL)("n" NIL "a" "b")(NIL NIL NIL NIL)) NIL NIL NIL NIL NIL NIL NIL)',
  ])('takes envelope %s', (text) => readEnvelope(text));

  test.each([
    '',
    'NIL',
    `(NIL NIL ${nobody} NIL NIL) `,
    `(NIL NIL ${nobody} NIL)`,
    `(NIL  NIL ${nobody} NIL NIL)`,
    `(NIL NIL ${nobody} NIL NIL NIL)`,
    `("a\nb" NIL ${nobody} NIL NIL)`,
    `("a\\b" NIL ${nobody} NIL NIL)`,
    `("\xe9" NIL ${nobody} NIL NIL)`,
    `({2}\r\na NIL ${nobody} NIL NIL)`,
    `({1}\r\n\0 NIL ${nobody} NIL NIL)`,
    '(NIL NIL () NIL NIL NIL NIL NIL NIL NIL)',
    '(NIL NIL ((NIL NIL "g" NIL)) NIL NIL NIL NIL NIL NIL NIL)',
    '(NIL NIL ((NIL NIL NIL NIL)) NIL NIL NIL NIL NIL NIL NIL)',
    '(NIL NIL ((NIL NIL "a" "b") (NIL NIL "c" "d")) NIL NIL NIL NIL NIL NIL NIL)',
  ])('refuses envelope %j', (text) => expect(() => readEnvelope(text)).toThrow(SyntaxError));

  const text = '"text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 1 2';

  test.each([
    [`(${text})`, false],
    [`(${text} NIL NIL NIL NIL)`, true],
    [`(${text} NIL ("inline" ("a" "b" "c" "d")) ("en" "de") "x")`, true],
    [`((${text})(${text}) "mixed")`, false],
    [`((${text} NIL NIL NIL NIL) "mixed" NIL NIL NIL NIL)`, true],
    [`("message" "rfc822" NIL NIL NIL "7bit" 3 (NIL NIL ${nobody} NIL NIL) (${text}) 4)`, false],
  ])('takes body %s', (body, extended) => {
    expect(readBody(body, extended)).toMatchObject({ parts: expect.any(Array) });
  });

  test.each([
    ['()', false],
    [`(${text} NIL NIL NIL NIL)`, false],
    [`(${text})`, true],
    ['("text" "plain" ("charset") NIL NIL "7bit" 1 2)', false],
    ['("text" "plain" () NIL NIL "7bit" 1 2)', false],
    ['("text" "plain" NIL NIL NIL NIL 1 2)', false],
    ['("text" "plain" NIL NIL NIL "7bit" 1)', false],
    ['("text" "plain" NIL NIL NIL "7bit" 4294967296 2)', false],
    ['("image" "gif" NIL NIL NIL "7bit" 1 2)', false],
    ['("message" "rfc822" NIL NIL NIL "7bit" 3)', false],
    [`((${text}) (${text}) "mixed")`, false],
  ])('refuses body %s', (body, extended) => expect(() => readBody(body, extended)).toThrow(SyntaxError));
});
