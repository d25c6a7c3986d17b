// Enhanced status codes: what the sources say is registered, and agrees with the reply that it stands in (RFC 3463 §2).

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const SOURCES = join(import.meta.dirname, '..', '..', 'src');
const text = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => readFileSync(join(SOURCES, name), 'utf8'))
  .join('\n');

/** Subjects, with their last detail, in the registry of RFC 5248: RFC 3463 §3 and what came later, up to RFC 7505 (1.10), RFC
 * 6710 (3.6), RFC 4954 (5.6), RFC 6531 (6.10) and RFC 8689 (7.30). */
const REGISTERED: readonly number[] = [0, 10, 4, 6, 7, 6, 10, 30];
/** In no registry, and yet what large servers say of a bare CR or LF. */
const COMMON = ['6.11'];

test('every status is registered', () => {
  const codes = [...text.matchAll(/'[245]\.(\d{1,3})\.(\d{1,3})'/g)];
  expect(codes.length).toBeGreaterThan(50);
  const unknown = codes
    .filter(([, subject, detail]) => Number(detail) > (REGISTERED[Number(subject)] ?? -1))
    .map(([, subject, detail]) => `${subject}.${detail}`);
  expect(new Set(unknown)).toEqual(new Set(COMMON));
});

test('the class is that of the reply', () => {
  const replies = [...text.matchAll(/\((\d)\d\d, '(\d)\.\d+\.\d+'/g)];
  expect(replies.length).toBeGreaterThan(40);
  expect(replies.filter(([, code, status]) => code !== status).map(([all]) => all)).toEqual([]);
});

test('no number has leading zeros', () => {
  expect(text.match(/'[245]\.(?:0\d+\.\d+|\d+\.0\d+)'/g)).toBeNull();
});
