// The search index changes no result. Texts in ten scripts and every encoding, keys of one to eight characters cut out of
// them and some that are nowhere, against a scan that knows nothing of the index: with the index empty, half built, whole,
// and of messages that have a prefix of their own.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { find, type Place } from '../../../src/imap/search/finding.ts';
import type { SearchKey, SearchProgram } from '../../../src/imap/search/keys.ts';
import { UidList } from '../../../src/imap/uid-list.ts';
import { Turn } from '../../../src/platform/turn.ts';
import type { MailboxId } from '../../../src/store/rows.ts';
import type { Store } from '../../../src/store/store.ts';
import { rowsBeside } from '../../store/beside.ts';
import { until } from '../../store/cases/harness.ts';
import { deliver } from '../../store/mail.ts';
import { type Gate, openGate } from '../gate.ts';

const TEXTS = [
  'The quick brown fox jumps over the lazy dog, naïvely',
  'Η ταχεία καφέ αλεπού πηδάει πάνω από το τεμπέλικο σκυλί: ΣΊΣΥΦΟΣ σίσυφος',
  'Съешь же ещё этих мягких французских булок, да выпей чаю',
  'İstanbul ve Iğdır: çabuk kahverengi tilki',
  'שועל חום מהיר קופץ מעל הכלב העצלן',
  'الثعلب البني السريع يقفز فوق الكلب الكسول',
  'तेज़ भूरी लोमड़ी आलसी कुत्ते के ऊपर कूदती है',
  '東京都は日本の首都です。素早い茶色の狐',
  '敏捷的棕色狐狸跳过了懒狗，北京市',
  '빠른 갈색 여우가 게으른 개를 뛰어넘는다',
  'สุนัขจิ้งจอกสีน้ำตาลว่องไวกระโดดข้ามสุนัขขี้เกียจ',
  'cafe\u0301 déjà vu, Straße STRASSE ﬁne 𝔘nicode 😀 emoji',
];

const word = (text: string) => `=?utf-8?B?${Buffer.from(text).toString('base64')}?=`;
const base64 = (text: string) => Buffer.from(text).toString('base64').replace(/.{60}/g, '$&\r\n');

/** Each text in a subject, in a body, in a part of a multipart, in HTML, and cut by long lines. */
function letters(): string[] {
  return TEXTS.flatMap((text, at) => {
    const other = TEXTS[(at + 5) % TEXTS.length] ?? '';
    const typed = (type: string) => `Content-Type: ${type}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n`;
    return [
      `Subject: ${word(text.slice(0, 20))}\r\n ${word(text.slice(20))}\r\nX-N: ${at}\r\n\r\nnothing\r\n`,
      `Subject: body ${at}\r\n${typed('text/plain')}\r\n${base64(text)}\r\n`,
      `Subject: parts\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n${typed('text/html')}\r\n${base64(`<p>${text}</p>`)}\r\n--b\r\nContent-Type: text/plain; name="${word(other)}"\r\n\r\nplain ${at}\r\n--b--\r\n`,
      `From: "F" <fox (quick)@ (brown) example.test>\r\nSubject: long\r\n${typed('text/plain')}\r\n${base64(`${'x'.repeat(5_000)}${text}\0${other} `.repeat(3))}\r\n`,
    ];
  });
}

/** Keys of one to eight characters: from the texts, and some that are not in them. */
function keys(): string[] {
  const found: string[] = [];
  for (const [at, text] of TEXTS.entries()) {
    const characters = [...text.normalize('NFC')];
    for (let length = 1; length <= 8; length++) {
      const from = (at * 7 + length * 3) % (characters.length - length);
      const key = characters.slice(from, from + length).join('');
      found.push(length % 3 === 0 ? key.toUpperCase() : length % 3 === 1 ? key.toLowerCase() : key);
    }
  }
  return [
    ...new Set([...found, 'zzz', 'qqqq', '京東', 'xxxxxxxx', 'alice', 'return-path: <', 'mail', 'subject: b', '"']),
  ];
}

const MAILBOX = 'oracle';
let gate: Gate;
let mailbox: MailboxId;
const expected = new Map<string, readonly number[]>();

/** What stands in no text, but in an address. */
const ADDRESSED: SearchKey = { key: 'header', name: 'From', text: 'FOX@example', addresses: true };

/** Each key in one kind of program, so that every length and script comes to every kind. */
const programs = (): [string, SearchKey][] => [
  ['FROM', ADDRESSED],
  ...keys().flatMap((text, at): [string, SearchKey][] => {
    const whole: SearchKey = { key: 'text', text };
    const kinds: SearchKey[] = [
      { key: 'header', name: 'Subject', text },
      { key: 'or', left: { key: 'not', operand: whole }, right: { key: 'body', text } },
      { key: 'fuzzy', operand: { key: 'text', text: `${text} x` } },
      {
        key: 'or',
        left: { key: 'header', name: 'X-N', text },
        right: { key: 'and', keys: [whole, { key: 'body', text }] },
      },
      { key: 'body', text },
    ];
    const kind = kinds[at % kinds.length] ?? whole;
    return [
      [`TEXT ${text}`, whole],
      [`${kind.key} ${text}`, kind],
    ];
  }),
];

async function place(store: Store): Promise<Place> {
  const { uids } = await store.read.uids(mailbox);
  const list = new UidList(uids);
  return {
    id: mailbox,
    uids,
    exists: uids.length,
    lastUid: list.last,
    sequenceOf: (uid) => list.sequenceOf(uid),
    isRecent: () => false,
    saved: () => new Uint32Array(0),
    now: 0,
  };
}

async function search(key: SearchKey, store: Store): Promise<readonly number[]> {
  const program: SearchProgram = { keys: [key], badCharset: false };
  return (await find({ store, turn: new Turn(262_144) }, await place(store), program)).uids;
}

/** The same store without an index: every message is scanned. */
function scanning(store: Store): Store {
  return { ...store, read: { ...store.read, possibleMatches: async () => null } } as Store; // only its reads are used
}

async function untilIndexed(count: number): Promise<void> {
  const sql = 'SELECT coalesce(sum(last - first + 1), 0) AS n FROM text_done';
  const indexed = async () => (await rowsBeside<{ n: number }>(`${gate.folder}/derived.db`, sql))?.[0]?.n ?? 0;
  await until(async () => (await indexed()) >= count);
}

async function check(): Promise<void> {
  for (const [name, program] of programs()) {
    const wanted = expected.get(name);
    if (wanted) expect(await search(program, gate.store), name).toEqual(wanted);
  }
}

beforeAll(async () => {
  gate = await openGate();
  await gate.fill(MAILBOX, letters());
  mailbox = (await gate.store.read.mailboxByName(gate.alice, MAILBOX))?.id ?? mailbox;
});

afterAll(() => gate[Symbol.asyncDispose]());

describe('with the search index', () => {
  test('not there, a search is a scan', async () => {
    for (const [name, program] of programs()) expected.set(name, await search(program, scanning(gate.store)));
    // The scan itself finds what is written.
    expect(await search({ key: 'body', text: '東京' }, scanning(gate.store))).toEqual([11, 12, 30, 31, 32]);
    expect(expected.get('FROM')).toEqual([4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48]);
    await check();
  });

  test('whole, it finds the same', async () => {
    await untilIndexed(letters().length);
    await check();
    const none = await gate.store.read.possibleMatches(
      (await gate.store.read.outlines(mailbox, (await place(gate.store)).uids)).rows.map(({ body }) => body),
      { within: 'body', text: 'NOWHERE' },
    );
    expect(none?.size).toBe(0);
  });

  test('half built, it finds the same', async () => {
    const more = letters().filter((_, at) => at % 4 !== 3);
    for (const [at, letter] of more.entries()) {
      const prefix = Buffer.from(`Return-Path: <alice@example.test>\r\nX-N: ${keys()[at]}\r\n`);
      await deliver(gate.store, gate.alice, Buffer.from(letter), { mailbox: MAILBOX, prefix });
    }
    expected.clear();
    for (const [name, program] of programs().filter((_, at) => at % 3 === 0)) {
      expected.set(name, await search(program, scanning(gate.store)));
    }
    await check();
    await untilIndexed(letters().length + more.length);
    await check();
  });
});
