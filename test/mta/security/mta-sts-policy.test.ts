// MTA-STS as text (RFC 8461 §3): what is a record, what is a policy, which hosts it names.

import { describe, expect, test } from 'vitest';
import {
  declaredLines,
  declaredPatterns,
  parsePolicy,
  policyId,
  policyNames,
} from '../../../src/mta/security/mta-sts-policy.ts';

describe('the TXT record', () => {
  test.each<readonly [readonly string[], string | null]>([
    [['v=STSv1; id=20160831085700Z;'], '20160831085700Z'],
    [['v=STSv1;id=1'], '1'],
    [['v=STSv1 ; other=x; \t id=a1 ;'], 'a1'],
    [['v=STSv1; id=a1; id=b2'], 'a1'],
    [['v=STSv1; id = a1'], null],
    [['v=STSv1; id=a1; other'], null],
    [['v=STSv1; id=a1; other=x=y'], null],
    [['v=STSv1; id=a1;;'], null],
    [['v=STSv1; id=a-b; id=a1'], null],
    [['v=STSv1; ID=a1'], null],
    [['v=spf1 -all', 'v=STSv1; id=1'], '1'],
    [[], null],
    [['v=STSv1; id=1', 'v=STSv1; id=2'], null],
    [['v=STSv1; id='], null],
    [['v=STSv1; id=a-b'], null],
    [[`v=STSv1; id=${'1'.repeat(33)}`], null],
    [['id=1; v=STSv1'], null],
    [['v=STSv2; id=1'], null],
    [['v=STSv1'], null],
    [[' v=STSv1; id=1'], null],
  ])('%j', (records, id) => {
    expect(policyId(records)).toBe(id);
  });
});

const lines = (...all: string[]) => all.join('\r\n');
const WHOLE = ['version: STSv1', 'mode: enforce', 'mx: mail.example.test', 'mx: *.Example.TEST', 'max_age: 604800'];

test('a record of nothing but white space takes no time', () => {
  expect(policyId([`v=STSv1; id=${' '.repeat(500_000)}x`])).toBeNull();
});

describe('the policy', () => {
  test('with CRLF or LF, with or without a last line end', () => {
    const expected = { mode: 'enforce', mx: ['mail.example.test', '*.example.test'], maxAge: 604_800 };
    expect(parsePolicy(lines(...WHOLE, ''))).toEqual(expected);
    expect(parsePolicy(WHOLE.join('\n'))).toEqual(expected);
    expect(parsePolicy(lines(...WHOLE, 'x-extension: whatever', 'mode: none'))).toEqual(expected);
  });

  test('age is capped at a year', () => {
    expect(parsePolicy(lines('version: STSv1', 'mode: testing', 'mx: a.test', 'max_age: 9999999999'))).toMatchObject({
      maxAge: 31_557_600,
    });
  });

  test('none needs no host', () => {
    expect(parsePolicy(lines('version: STSv1', 'mode: none', 'max_age: 0'))).toEqual({
      mode: 'none',
      mx: [],
      maxAge: 0,
    });
  });

  test.each([
    ['nothing', ''],
    ['no version', lines(...WHOLE.slice(1))],
    ['another version', lines('version: STSv2', ...WHOLE.slice(1))],
    ['no mode', lines('version: STSv1', 'mx: a.test', 'max_age: 1')],
    ['another mode', lines('version: STSv1', 'mode: Enforce', 'mx: a.test', 'max_age: 1')],
    ['no host', lines('version: STSv1', 'mode: enforce', 'max_age: 1')],
    ['no age', lines('version: STSv1', 'mode: enforce', 'mx: a.test')],
    ['an age that is no number', lines('version: STSv1', 'mode: enforce', 'mx: a.test', 'max_age: -1')],
    ['a host that is none', lines('version: STSv1', 'mode: enforce', 'mx: a b', 'max_age: 1')],
    ['a host in U-labels', lines('version: STSv1', 'mode: enforce', 'mx: bücher.test', 'max_age: 1')],
    ['a wildcard in the middle', lines('version: STSv1', 'mode: enforce', 'mx: a.*.test', 'max_age: 1')],
    ['a page of HTML', '<!doctype html>\n<html>\n'],
    ['hosts without end', lines(...WHOLE, ...Array.from({ length: 101 }, (_, at) => `mx: m${at}.test`))],
  ])('not: %s', (_, text) => {
    expect(parsePolicy(text)).toBeNull();
  });
});

test('a line of nothing but white space takes no time', () => {
  expect(parsePolicy(`mode:${' '.repeat(64_000)}x`)).toBeNull();
  expect(parsePolicy(lines(...WHOLE, `mx: ${'\t'.repeat(60_000)}b.test`))?.mx).toHaveLength(3);
});

test.each([
  ['mail.example.test', true],
  ['MAIL.example.test', true],
  ['mx1.example.test', true],
  ['a.mx1.example.test', false],
  ['example.test', false],
  ['mx1.example.test.evil.test', false],
  ['evilexample.test', false],
  ['', false],
])('is %s named? %s', (host, named) => {
  expect(policyNames({ mode: 'enforce', mx: ['mail.example.test', '*.example.test'], maxAge: 1 }, host)).toBe(named);
});

test('the lines as they are written, with what is wrong in them (RFC 8460 §4.5)', () => {
  const text =
    'version:STSv1\r\nmode: enforced\nnew: \u00e9\u0000x\n\nmx :\t*.A.test. \nmx: b\u00fccher.test\nno field\rat all';
  const declared = declaredLines(text);
  expect(declared).toEqual([
    'version:STSv1',
    'mode: enforced',
    'new: ??x',
    'mx : *.A.test.',
    'mx: b?cher.test',
    'no field?at all',
  ]);
  expect(declaredPatterns(declared)).toEqual(['*.a.test']);
  expect(declaredLines('x'.repeat(60_000)).join('')).toHaveLength(8_000);
  expect(declaredLines('x\n'.repeat(4_000))).toHaveLength(150);
  expect(declaredLines('')).toEqual([]);
});
