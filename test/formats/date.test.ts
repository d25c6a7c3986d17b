// Dates of a header, read and written.

import { expect, test } from 'vitest';
import { formatDate, formatZone, parseDate } from '../../src/formats/date.ts';
import { corpus } from './corpus.ts';

test.each(corpus('dates'))('%s', (written, formatted) => {
  const date = parseDate(written ?? '');
  if (date === null) throw new Error('it was not read');
  expect(formatDate(date.time, date.zone)).toBe(formatted);
});

test.each(corpus('no-dates'))('%s is none', (written) => {
  expect(parseDate(written ?? '')).toBeNull();
});

test('what is written is read again', () => {
  for (let time = 0; time < 2e12; time += 12_345_678_000) {
    for (const zone of [-720, -210, 0, 1, 330, 840]) {
      expect(parseDate(formatDate(time, zone))).toEqual({ time, zone });
    }
  }
});

test('zones', () => {
  expect([0, 60, -90, 825].map(formatZone)).toEqual(['+0000', '+0100', '-0130', '+1345']);
});

test('a hostile field takes no time', () => {
  for (const piece of ['(', '1 ', 'Jan ', '1-', ': ', '((1'])
    expect(() => parseDate(piece.repeat(200_000))).not.toThrow();
});
