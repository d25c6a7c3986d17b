// What an access control list means, and what each right allows (RFC 4314 §2, §4).

import { describe, expect, test } from 'vitest';
import {
  ALL_RIGHTS,
  allows,
  changesShared,
  flagScope,
  type Operation,
  parseRights,
  rightsOf,
  rightsText,
} from '../../src/imap/rights.ts';
import { Flag } from '../../src/store/rows.ts';

const list = (entries: Readonly<Record<string, string>>) =>
  Object.entries(entries).map(([identifier, rights]) => ({ identifier, rights }));
const text = (rights: Iterable<string>) => [...rights].sort().join('');
const sorted = text(ALL_RIGHTS);

describe('rights of a user', () => {
  test.each([
    ['nothing is given', {}, false, ''],
    ['an owner has all', {}, true, sorted],
    ['an owner with an entry has that, and la', { a: 'r' }, true, 'alr'],
    ['an owner keeps la whatever is taken', { a: 'lr', '-a': 'lra', '-anyone': ALL_RIGHTS }, true, 'al'],
    ['what another has is not mine', { b: 'lr' }, false, ''],
    ['the union of mine and everybody’s', { a: 'l', anyone: 'r' }, false, 'lr'],
    ['without what is taken from me', { a: 'lr', '-a': 'r' }, false, 'l'],
    ['without what is taken from everybody', { a: 'lr', '-anyone': 'l' }, false, 'r'],
    ['taking from everybody takes from an owner, too', { '-anyone': 'x' }, true, text(ALL_RIGHTS.replace('x', ''))],
  ])('%s', (_, entries, owner, expected) => {
    expect(text(rightsOf(list(entries), 'a', owner))).toBe(expected);
  });
});

describe('what a right allows', () => {
  const by: Readonly<Record<Operation, readonly string[]>> = {
    list: ['l'],
    read: ['r'],
    insert: ['i'],
    'create below': ['k'],
    delete: ['x'],
    expunge: ['e'],
    'move away': ['et'],
    administer: ['a'],
    'ask rights': ['l', 'r', 'i', 'k', 'x', 'a'],
    annotate: ['lr', 'ls', 'lw', 'li', 'lp'],
  };
  test.each(Object.entries(by))('%s', (name, sets) => {
    // A key of the table.
    const operation = name as Operation;
    for (const set of sets) {
      expect(allows(new Set(set), operation)).toBe(true);
      for (const letter of set) expect(allows(new Set(set.replace(letter, '')), operation)).toBe(false);
    }
    const others = [...ALL_RIGHTS].filter((letter) => !sets.some((set) => set.includes(letter)));
    expect(allows(new Set(others), operation)).toBe(false);
  });

  test('flags', () => {
    expect(flagScope(new Set('s'))).toEqual({ flags: Flag.Seen, keywords: false });
    expect(flagScope(new Set('t'))).toEqual({ flags: Flag.Deleted, keywords: false });
    expect(flagScope(new Set('w'))).toEqual({ flags: Flag.Answered | Flag.Flagged | Flag.Draft, keywords: true });
    expect(flagScope(new Set('lripkxea'))).toEqual({ flags: 0, keywords: false });
  });

  test('READ-WRITE', () => {
    for (const letter of 'iewt') expect(changesShared(new Set(letter))).toBe(true);
    expect(changesShared(new Set('lrspkxa'))).toBe(false);
  });
});

describe('letters (RFC 4314 §2.1.1)', () => {
  test.each([
    ['', ''],
    ['c', 'kx'],
    ['d', 'et'],
    ['lrswida', 'adeilrstw'.replace('d', '')],
    [ALL_RIGHTS, sorted],
    ['R', null],
    ['lrq', null],
    ['0', null],
    ['-l', null],
  ])('%j is read', (given, expected) => {
    expect(parseRights(given)).toBe(expected);
  });

  test.each([
    ['', ''],
    ['k', 'kc'],
    ['x', 'xc'],
    ['t', 'td'],
    ['e', 'ed'],
    [ALL_RIGHTS, `${ALL_RIGHTS}cd`],
  ])('%j is told', (given, expected) => {
    expect(rightsText(given)).toBe(expected);
  });
});
