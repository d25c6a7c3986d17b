// The small grammars: sequence sets, flags, dates, mailbox names and patterns, FETCH items, SEARCH programs.

import { describe, expect, test } from 'vitest';
import { date, dateTime, dateTimeText } from '../../../src/imap/grammar/date-time.ts';
import { fetchItems } from '../../../src/imap/grammar/fetch-items.ts';
import { flagList, flags, storeFlags } from '../../../src/imap/grammar/flags.ts';
import {
  checkNewName,
  decodeName,
  encodeName,
  listPattern,
  mailbox,
  matchesPattern,
  nameText,
} from '../../../src/imap/grammar/mailbox-name.ts';
import { Scanner } from '../../../src/imap/grammar/scanner.ts';
import { searchProgram } from '../../../src/imap/grammar/search-program.ts';
import { sequenceSet, uidSet } from '../../../src/imap/grammar/sequence-set.ts';
import { Flag } from '../../../src/store/rows.ts';

/** Reads all of the text by one grammar. */
function read<T>(grammar: (scanner: Scanner) => T, text: string): T {
  const scanner = new Scanner(Buffer.from(`${text}\r\n`));
  const value = grammar(scanner);
  scanner.end();
  return value;
}

function refuses(grammar: (scanner: Scanner) => unknown, texts: readonly string[]): void {
  for (const text of texts) {
    expect(() => read(grammar, text), text).toThrow(expect.objectContaining({ name: 'ImapRefusal' }));
  }
}

describe('sequence-set (RFC 3501 §9)', () => {
  test('is read', () => {
    expect(read(sequenceSet, '1,3:5,*:2')).toEqual([
      { first: 1, last: 1 },
      { first: 3, last: 5 },
      { first: '*', last: 2 },
    ]);
    refuses(sequenceSet, ['', '0', '01', '1:', '1,,2', ':2', '4294967296', '1:0', 'x', '**']);
  });

  test('uid-set is written in its order (RFC 4315 §4)', () => {
    expect(uidSet([1, 2, 3, 7, 5, 6])).toBe('1:3,7,5:6');
    expect(uidSet([])).toBe('');
  });
});

describe('flags (RFC 3501 §2.3.2)', () => {
  test('are read, with or without parentheses', () => {
    expect(read(flags, '(\\SEEN $Forwarded \\deleted $FORWARDED)')).toEqual({
      bits: Flag.Seen | Flag.Deleted,
      keywords: ['$Forwarded'],
    });
    expect(read(flags, '()')).toEqual({ bits: 0, keywords: [] });
    expect(read(storeFlags, '\\Seen x')).toEqual({ bits: Flag.Seen, keywords: ['x'] });
    refuses(flags, ['(\\Recent)', '(\\Unknown)', '(a b', 'a', '(a  b)', '("a")', '(]x)']);
    refuses(storeFlags, ['']);
  });

  test('are written', () => {
    expect(flagList(Flag.Seen | Flag.Answered, ['a'], true)).toBe('(\\Answered \\Seen \\Recent a)');
    expect(flagList(0, [], false)).toBe('()');
  });
});

describe('dates (RFC 3501 §9)', () => {
  test('date-time is read and written', () => {
    const zoned = read(dateTime, '"17-Jul-1996 02:44:25 -0700"');
    expect(zoned).toEqual({ at: Date.UTC(1996, 6, 17, 9, 44, 25), zone: -420 });
    expect(dateTimeText(zoned)).toBe('"17-Jul-1996 02:44:25 -0700"');
    expect(dateTimeText(read(dateTime, '" 1-feb-2024 00:00:00 +0530"'))).toBe('" 1-Feb-2024 00:00:00 +0530"');
    refuses(dateTime, [
      '"31-Feb-2024 00:00:00 +0000"',
      '"1-Feb-2024 24:00:00 +0000"',
      '"1-Feb-2024"',
      '17-Jul-1996',
      '"17-Xxx-1996 02:44:25 -0700"',
    ]);
  });

  test('date is read', () => {
    expect(read(date, '1-Jan-1970')).toBe(0);
    expect(read(date, '"02-Jan-1970"')).toBe(1);
    refuses(date, ['1-Jan-70', '30-Feb-2020', 'x', '"']);
  });
});

describe('mailbox names', () => {
  test('modified UTF-7 (RFC 3501 §5.1.3)', () => {
    const pairs = [
      ['~peter/mail/台北/日本語', '~peter/mail/&U,BTFw-/&ZeVnLIqe-'],
      ['Hi Mom ☺!', 'Hi Mom &Jjo-!'],
      ['A&B', 'A&-B'],
      ['Entwürfe', 'Entw&APw-rfe'],
      ['😀', '&2D3eAA-'],
    ];
    for (const [name, text] of pairs) {
      expect(encodeName(name ?? '')).toBe(text);
      expect(decodeName(text ?? '')).toBe(name);
    }
  });

  test('what is not modified UTF-7, or not its only spelling, is refused', () => {
    for (const text of ['&', '&AGE-', '&Jjo', 'é', '&Jjo-&Jjo-', '&2D0-', '&AAA-x&', '&J-', '&Jjo=-', '&Jj/-']) {
      expect(decodeName(text), text).toBeNull();
    }
  });

  test('INBOX has no case (RFC 3501 §5.1)', () => {
    expect(read(mailbox, 'inBox')).toBe('INBOX');
    expect(read(mailbox, '"inbox/Sub"')).toBe('INBOX/Sub');
    expect(read(mailbox, 'inboxes')).toBe('inboxes');
    expect(nameText('a "b\\', { utf8: false })).toBe('"a \\"b\\\\"');
  });

  test('names that cannot be', () => {
    for (const name of ['', '/a', 'a/', 'a//b', 'a*', '%', 'a\tb', 'x'.repeat(1001), 'a/'.repeat(31).slice(0, -1)]) {
      expect(() => checkNewName(name), name).toThrow(expect.objectContaining({ name: 'ImapRefusal' }));
    }
    checkNewName('a/b c/ü');
  });

  test('patterns (RFC 3501 §6.3.8)', () => {
    const matching: [string, string][] = [
      ['a/b/c', '*'],
      ['a/b/c', 'a/%/c'],
      ['a/b/c', 'a*c'],
      ['INBOX', 'inbox'],
      ['INBOX', 'iN%'],
      ['INBOX/x', 'inbox/%'],
      ['abc', '%b%'],
      ['a/b', '%/%'],
      ['a/bb/c', '*b/%'],
      ['aXbXc', '%X%X%'],
      ['', ''],
    ];
    const failing: [string, string][] = [
      ['a/b', '%'],
      ['a/b', 'a'],
      ['INBOX/x', 'inbox'],
      ['Inboxes', 'inbox%'],
      ['abc', 'b'],
      ['a/b/c', '%/%'],
      ['foo', 'FOO'],
    ];
    const pattern = (text: string) => listPattern(Buffer.alloc(0), Buffer.from(text), false);
    for (const [name, text] of matching) expect(matchesPattern(name, pattern(text)), `${name} ${text}`).toBe(true);
    for (const [name, text] of failing) expect(matchesPattern(name, pattern(text)), `${name} ${text}`).toBe(false);
  });

  test('no pattern is expensive', () => {
    const before = process.cpuUsage();
    matchesPattern('a'.repeat(1000), `${'*a'.repeat(400)}b`);
    matchesPattern('a'.repeat(1000), `${'%a*'.repeat(300)}b`);
    expect(process.cpuUsage(before).user).toBeLessThan(500_000);
  });
});

describe('FETCH items (RFC 3501 §6.4.5)', () => {
  test('macros and items', () => {
    expect(read(fetchItems, 'fast').map(({ item }) => item)).toEqual(['FLAGS', 'INTERNALDATE', 'RFC822.SIZE']);
    expect(read(fetchItems, 'FULL').map(({ item }) => item)).toEqual([
      'FLAGS',
      'INTERNALDATE',
      'RFC822.SIZE',
      'ENVELOPE',
      'BODY',
    ]);
    expect(read(fetchItems, '(UID BODYSTRUCTURE)')).toEqual([{ item: 'UID' }, { item: 'BODYSTRUCTURE' }]);
    expect(read(fetchItems, 'rfc822.header')).toMatchObject([{ label: 'RFC822.HEADER', peek: true }]);
  });

  test('sections', () => {
    expect(read(fetchItems, 'BODY[]')).toMatchObject([{ peek: false, label: 'BODY[]', partial: null }]);
    expect(read(fetchItems, 'body.peek[1.2.mime]<0.100>')).toEqual([
      {
        item: 'section',
        section: { part: [1, 2], text: 'MIME', fields: [] },
        partial: { offset: 0, length: 100 },
        peek: true,
        label: 'BODY[1.2.MIME]<0>',
      },
    ]);
    expect(read(fetchItems, '(BODY.PEEK[1.HEADER.FIELDS (From "x\\"y")] UID)')).toMatchObject([
      {
        section: { part: [1], text: 'HEADER.FIELDS', fields: ['From', 'x"y'] },
        label: 'BODY[1.HEADER.FIELDS (FROM "x\\"y")]',
      },
      { item: 'UID' },
    ]);
    expect(read(fetchItems, 'BODY[HEADER.FIELDS.NOT (to)]')).toMatchObject([
      { section: { text: 'HEADER.FIELDS.NOT' } },
    ]);
  });

  test('what is none is refused', () => {
    refuses(fetchItems, [
      '()',
      '(ALL)',
      '(FAST UID)',
      'BODY[',
      'BODY[0]',
      'BODY[1.]',
      'BODY[MIME]',
      'BODY[.HEADER]',
      'BODY[1HEADER]',
      'BODY[HEADER.FIELDS]',
      'BODY[HEADER.FIELDS ()]',
      'BODY[HEADER (x)]',
      'BODY[]<0>',
      'BODY[]<0.0>',
      'BODY[]<1.2',
      'BODY[]<9223372036854775808.1>',
      'BODY[]<0.9223372036854775808>',
      'BODY[]<0.01>',
      'BODYSTRUCTURE[1]',
      'BODY.PEEK',
      'UNKNOWN',
      '(UID',
    ]);
  });
});

describe('SEARCH (RFC 3501 §6.4.4)', () => {
  test('keys', () => {
    expect(read(searchProgram, 'CHARSET UTF-8 1:3 UNSEEN NOT (OR FROM "ü" UID 5) LARGER 10 SENTON 1-Feb-1994')).toEqual(
      {
        keys: [
          { key: 'sequence', set: [{ first: 1, last: 3 }] },
          { key: 'flag', flag: Flag.Seen, set: false },
          {
            key: 'not',
            operand: {
              key: 'and',
              keys: [
                {
                  key: 'or',
                  left: { key: 'header', name: 'From', text: 'ü', addresses: true },
                  right: { key: 'uid', set: [{ first: 5, last: 5 }] },
                },
              ],
            },
          },
          { key: 'size', relation: 'larger', octets: 10 },
          { key: 'date', of: 'sent', relation: 'on', day: 8797 },
        ],
        badCharset: false,
      },
    );
    expect(read(searchProgram, 'HEADER X-Y ""')).toMatchObject({ keys: [{ key: 'header', name: 'X-Y', text: '' }] });
    expect(read(searchProgram, '$ UID $ FUZZY (TEXT a) OLDER 5')).toMatchObject({
      keys: [
        { key: 'sequence', set: 'saved' },
        { key: 'uid', set: 'saved' },
        { key: 'fuzzy', operand: { key: 'and', keys: [{ key: 'text', text: 'a' }] } },
        { key: 'within', relation: 'older', seconds: 5 },
      ],
    });
  });

  test('a charset is decoded, or named as unknown', () => {
    const scanner = new Scanner(Buffer.from('CHARSET iso-8859-1 TEXT {1+}\r\n\xfc\r\n', 'latin1'));
    expect(searchProgram(scanner)).toEqual({ keys: [{ key: 'text', text: 'ü' }], badCharset: false });
    expect(read(searchProgram, 'CHARSET KLINGON ALL')).toEqual({ keys: [{ key: 'all' }], badCharset: true });
  });

  test('what is none is refused, also where it is only too much', () => {
    refuses(searchProgram, ['', 'NOT', 'OR ALL', '()', 'FROM', 'XYZZY', 'SINCE yesterday', '(ALL', 'ALL ALL)']);
    refuses(searchProgram, [
      `${'('.repeat(60)}ALL${')'.repeat(60)}`,
      `${'NOT '.repeat(60)}ALL`,
      'ALL '.repeat(1001).trim(),
      'TEXT x '.repeat(101).trim(),
    ]);
  });
});
