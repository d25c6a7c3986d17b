// Values that are wrong in a way that has an answer of its own.

import * as v from 'valibot';
import { expect, it } from 'vitest';
import { mailboxes, size } from '../../src/config/values.ts';

it('bounds of a size are told in the units in which it is written', () => {
  const KB = 1024;
  for (const [least, most, said] of [
    [64 * KB, 256 * KB ** 2, '"64KB" to "256MB"'],
    [0, KB ** 4, '"0" to "1TB"'],
    [1, 1500, '"1B" to "1500B"'],
  ] as const) {
    const { issues = [] } = v.safeParse(size(least, most), '9999TB');
    expect(issues.map(({ message }) => message)).toEqual([expect.stringContaining(said)]);
  }
});

it('an address that would be taken for all addresses of a domain is none', () => {
  expect(v.safeParse(mailboxes(), ['*@example.test']).success).toBe(false);
  expect(v.safeParse(mailboxes(), ['a*@example.test']).success).toBe(true);
});
