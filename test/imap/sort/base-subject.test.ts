// The base subject (RFC 5256 §2.1) against a corpus of subjects, one a line, and that hostile ones take no time.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { baseSubject } from '../../../src/imap/sort/base-subject.ts';

const spelled = (text: string) => text.replaceAll('␣', ' ').replaceAll('⇥', '\t');

const cases = readFileSync(join(import.meta.dirname, 'base-subjects.txt'), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => {
    const [subject = '', base = '', reply = ''] = line.split(' |').map((part) => part.replace(/^ /, ''));
    return [subject, base, reply.trim() === 'r'] as const;
  });

describe('a base subject', () => {
  test.each(cases)('of "%s" is "%s"', (subject, text, reply) => {
    expect(baseSubject(spelled(subject))).toEqual({ text, reply });
  });

  test('of a hostile subject is found in one pass', () => {
    for (const part of ['[fwd:', '[a]', 're:', '(fwd)', '[', ' ', '[a] re[b', 're [a] [fwd:']) {
      const subject = part.repeat(200_000);
      expect(baseSubject(subject).text.length).toBeLessThanOrEqual(subject.length);
    }
  });
});
