// Threads of messages that say who they answer, and of those that say it wrongly (RFC 5256 §3): the cases of JWZ's
// description, and trees of any shape in the THREAD response.

import { describe, expect, test } from 'vitest';
import { parseHeader } from '../../../src/formats/header.ts';
import type { Sortable } from '../../../src/imap/sort/order.ts';
import { orderedSubject } from '../../../src/imap/sort/ordered-subject.ts';
import { references, refs } from '../../../src/imap/sort/references.ts';
import { SortKeys, sortValuesOf, writeSortKeys } from '../../../src/imap/sort/sort-keys.ts';
import { type ThreadNode, threadData } from '../../../src/imap/sort/thread-tree.ts';
import { Turn } from '../../../src/platform/turn.ts';

interface Letter {
  readonly id?: string;
  readonly refs?: string;
  readonly irt?: string;
  readonly subject?: string;
  /** Minutes. */
  readonly sent?: number;
  readonly arrived?: number;
}

function sortable({ id, refs: ancestors, irt, subject, sent, arrived }: Letter, at: number): Sortable {
  const header = [
    ...(sent === undefined ? [] : [`Date: 1 Jan 2020 00:${String(sent).padStart(2, '0')}:00 +0000`]),
    ...(id === undefined ? [] : [`Message-ID: ${id}`]),
    ...(ancestors === undefined ? [] : [`References: ${ancestors}`]),
    ...(irt === undefined ? [] : [`In-Reply-To: ${irt}`]),
    `Subject: ${subject ?? `subject ${at}`}`,
  ];
  const keys = new SortKeys(writeSortKeys(sortValuesOf(parseHeader(Buffer.from(`${header.join('\r\n')}\r\n\r\n`)))));
  return { uid: at + 1, internalDate: Date.UTC(2020, 0, 1) + (arrived ?? at) * 60_000, size: 1, score: 0, keys };
}

async function threads(algorithm: typeof references, letters: readonly Letter[]): Promise<string> {
  const roots = await algorithm(letters.map(sortable), new Turn(262_144));
  return [...threadData(roots, (uid) => uid)].join('').trim();
}

const node = (uid: number | null, ...children: ThreadNode[]): ThreadNode => ({
  message: uid === null ? null : { uid, internalDate: 0, size: 0, score: 0, keys: null },
  children,
});

describe('thread-data (RFC 5256 §4)', () => {
  const told = (...roots: ThreadNode[]) => [...threadData(roots, (uid) => uid)].join('');

  test('is that of the examples', () => {
    const long = node(3, node(6, node(4, node(23)), node(44, node(7, node(96)))));
    expect(told(node(2), long)).toBe(' (2)(3 6 (4 23)(44 7 96))');
    expect(told(node(null, node(3), node(5)))).toBe(' ((3)(5))');
    expect(told()).toBe('');
  });

  test('of a thread as deep as a mailbox is long', () => {
    let deepest = node(100_000);
    for (let uid = 99_999; uid > 0; uid--) deepest = node(uid, deepest);
    expect(told(deepest)).toHaveLength(588_895 + 2);
  });
});

describe('THREAD=REFERENCES (RFC 5256 §3)', () => {
  test.each<[string, Letter[], string]>([
    [
      'replies follow what they answer',
      [{ id: '<a@x>' }, { refs: '<a@x>', id: '<b@x>' }, { refs: '<a@x> <b@x>' }],
      '(1 2 3)',
    ],
    ['In-Reply-To stands for References', [{ id: '<a@x>' }, { irt: 'Your letter <a@x> of <b@y>' }], '(1 2)'],
    ['References that hold no identifier do not', [{ id: '<a@x>' }, { refs: 'none', irt: '<a@x>' }], '(1 2)'],
    [
      'References are believed rather than In-Reply-To',
      [{ id: '<a@x>' }, { id: '<b@x>' }, { refs: '<a@x>', irt: '<b@x>' }],
      '(1 3)(2)',
    ],
    ['quoting makes no difference', [{ id: '<"a"@x>' }, { refs: '<a@x>' }], '(1 2)'],
    ['case does', [{ id: '<a@x>' }, { refs: '<A@x>' }], '(1)(2)'],
    ['an answer may come first', [{ refs: '<b@x>' }, { id: '<b@x>' }], '(2 1)'],
    ['siblings of a message that is not there', [{ refs: '<a@x>' }, { refs: '<a@x>' }], '((1)(2))'],
    ['one child of a message that is not there', [{ refs: '<a@x>' }], '(1)'],
    ['a message that is not there in between', [{ id: '<a@x>' }, { refs: '<a@x> <b@x>' }], '(1 2)'],
    ['children go up past it', [{ id: '<a@x>' }, { refs: '<a@x> <b@x>' }, { refs: '<a@x> <b@x>' }], '(1 (2)(3))'],
    [
      'an identifier belongs to the first that has it',
      [{ id: '<a@x>' }, { id: '<a@x>' }, { refs: '<a@x>' }],
      '(1 3)(2)',
    ],
    [
      'a loop of two',
      [
        { id: '<a@x>', refs: '<b@x>' },
        { id: '<b@x>', refs: '<a@x>' },
      ],
      '(2 1)',
    ],
    ['a message that answers itself', [{ id: '<a@x>', refs: '<a@x>' }], '(1)'],
    ['a loop within References', [{ id: '<c@x>', refs: '<a@x> <b@x> <a@x>' }], '(1)'],
    // The second message's own word on its parent stands, whatever the truncated References of the third say.
    [
      'References that were cut',
      [{ id: '<a@x>' }, { id: '<b@x>' }, { id: '<c@x>', refs: '<b@x>' }, { refs: '<a@x> <c@x>' }],
      '(1)(2 3 4)',
    ],
    [
      'links of others hold where the message says nothing',
      [{ id: '<b@x>' }, { refs: '<a@x> <b@x>' }, { id: '<a@x>' }],
      '(3 1 2)',
    ],
    [
      'by sent date',
      [{ id: '<a@x>', sent: 5 }, { refs: '<a@x>', sent: 9 }, { refs: '<a@x>', sent: 8 }, { sent: 1 }],
      '(4)(1 (3)(2))',
    ],
    [
      'a subject that comes back',
      [
        { subject: 'tea', sent: 1 },
        { subject: 'Re: tea', sent: 2 },
      ],
      '(1 2)',
    ],
    ['two of one subject that are no replies', [{ subject: 'tea' }, { subject: 'TEA' }], '((1)(2))'],
    ['two replies to nothing', [{ subject: 'Re: tea' }, { subject: 'Fwd: tea' }], '((1)(2))'],
    [
      'the message without Re: stands for them',
      [
        { subject: 'Re: tea', sent: 1 },
        { subject: 'tea', sent: 2 },
      ],
      '(2 1)',
    ],
    ['no subject joins nothing', [{ subject: '' }, { subject: 'Re:' }], '(1)(2)'],
    [
      'dummies of one subject are one',
      [{ refs: '<a@x>', subject: 'tea' }, { refs: '<a@x>' }, { refs: '<b@x>', subject: 'tea' }, { refs: '<b@x>' }],
      '((1)(2)(3)(4))',
    ],
    [
      'a dummy takes a message of its subject',
      [{ refs: '<a@x>', subject: 'tea' }, { refs: '<a@x>' }, { subject: 'tea' }],
      '((1)(2)(3))',
    ],
  ])('%s', async (_, letters, told) => {
    expect(await threads(references, letters)).toBe(told);
  });

  test('is a tree whatever References say', async () => {
    // A fixed sequence: every id may point to any other.
    let seed = 7;
    const next = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return Math.floor((seed / 2_147_483_648) * below);
    };
    for (let round = 0; round < 200; round++) {
      const letters = Array.from({ length: 12 }, () => ({
        id: `<${next(10)}@x>`,
        refs: Array.from({ length: next(5) }, () => `<${next(14)}@x>`).join(' '),
        subject: `${next(2) ? 'Re: ' : ''}${next(4)}`,
        sent: next(60),
      }));
      for (const algorithm of [references, refs, orderedSubject]) {
        const told = await threads(algorithm, letters);
        expect((told.match(/\d+/g) ?? []).map(Number).sort((a, b) => a - b)).toEqual(letters.map((_, at) => at + 1));
        expect(told).toMatch(/^(?:\(.*\))*$/);
      }
    }
  });

  test('of a chain as long as a mailbox', async () => {
    const count = 20_000;
    const chain = Array.from({ length: count }, (_, at) => ({ id: `<${at}@x>`, refs: `<${at - 1}@x>` }));
    const numbers = chain.map((_, at) => at + 1);
    expect(await threads(references, chain)).toBe(`(${numbers.join(' ')})`);
    const backwards = chain.toReversed();
    expect(await threads(references, backwards)).toBe(`(${numbers.toReversed().join(' ')})`);
  });
});

test('THREAD=REFS: no subject joins, and the thread where something arrived last is last', async () => {
  const letters = [
    { id: '<a@x>', subject: 'tea', sent: 1, arrived: 1 },
    { id: '<b@x>', subject: 'Re: tea', sent: 2, arrived: 2 },
    { refs: '<a@x>', sent: 3, arrived: 3 },
  ];
  expect(await threads(refs, letters)).toBe('(2)(1 3)');
});

test('THREAD=ORDEREDSUBJECT: the first of a subject has all others as its children', async () => {
  const letters = [
    { subject: 'tea', sent: 3 },
    { subject: 'milk', sent: 2 },
    { subject: 'Re: TEA', sent: 1 },
    { subject: '[x] tea', sent: 4 },
  ];
  expect(await threads(orderedSubject, letters)).toBe('(3 (1)(4))(2)');
});

test('what is compared is what a header says', () => {
  const keys = (header: string) => sortValuesOf(parseHeader(Buffer.from(`${header}\r\n\r\n`)));
  expect(keys('From: =?utf-8?q?J=C3=BCrgen?= <zoe@x.test>')).toMatchObject({ from: 'ZOE' });
  expect(keys('From: a <zoe@x.test>, b <y@x.test>').displayFrom).toBe('A');
  expect(keys('To: zoe@x.test').displayTo).toBe('ZOE@X.TEST');
  expect(keys('Cc: friends: zoe@x.test;')).toMatchObject({ cc: 'FRIENDS', sent: null, id: '' });
  expect(keys('Date: 31 Dec 2000 16:01:33 -0800').sent).toBe(Date.UTC(2001, 0, 1, 0, 1, 33));
  expect(keys(`References: ${'<a@x> '.repeat(100_000)}`).references).toHaveLength(200);
});
