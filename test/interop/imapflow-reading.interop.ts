// What imapflow reads: every key of its FETCH, downloads, and every criterion of its SEARCH, over one mailbox.

import type { FetchQueryObject, ImapFlow, MessageRange, SearchObject } from 'imapflow';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cases, packaged } from './foreign.ts';
import { Flows, MANNERS } from './imapflow.ts';

const PICTURE = Buffer.from(Array.from({ length: 300 }, (_, index) => index % 256));
const base64 = (octets: Buffer): string => octets.toString('base64').replace(/.{76}/g, '$&\r\n');
const PLAIN = 'Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n';
const IMAGE =
  'Content-Type: image/png; name="p.png"\r\nContent-ID: <p@b.test>\r\n' +
  'Content-Disposition: attachment; filename="p.png"\r\nContent-Transfer-Encoding: base64\r\n';
const INNER = 'From: <inner@b.test>\r\nSubject: inside\r\n\r\ninner text\r\n';
const RICH_HEADER =
  'Date: Fri, 2 Jan 2026 03:04:05 +0000\r\n' +
  'From: =?utf-8?q?J=C3=B6rg?= <joerg@b.test>\r\nTo: <one@a.test>, Two <two@a.test>\r\nCc: <three@a.test>\r\n' +
  'Bcc: <four@a.test>\r\nReply-To: <back@b.test>\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n' +
  'Message-ID: <rich@b.test>\r\nIn-Reply-To: <before@b.test>\r\nX-Mark: yes, marked\r\nMIME-Version: 1.0\r\n' +
  'Content-Type: multipart/mixed; boundary="cut"\r\n\r\n';
const RICH =
  `${RICH_HEADER}--cut\r\n${PLAIN}\r\nGr=FC=DFe aus dem Text\r\n` +
  `--cut\r\n${IMAGE}\r\n${base64(PICTURE)}\r\n` +
  `--cut\r\nContent-Type: message/rfc822\r\n\r\n${INNER}--cut--\r\n`;
const SHORT = 'Date: Thu, 1 Jan 2026 00:00:00 +0000\r\nFrom: <b@b.test>\r\nSubject: short\r\n\r\nbrief\r\n';
const LONG = `Date: Sat, 3 Jan 2026 00:00:00 +0000\r\nFrom: <b@b.test>\r\nSubject: long\r\n\r\n${'tall tale\r\n'.repeat(500)}`;

/** UIDs 1 to 3, by the time that they are of. */
const MAILBOX: readonly (readonly [content: string, flags: string[], date: string])[] = [
  [RICH, ['\\Seen', '\\Flagged', '$Work'], '2026-01-02T03:04:05Z'],
  [SHORT, ['\\Answered', '\\Draft'], '2026-02-03T12:00:00Z'],
  [LONG, ['\\Deleted'], '2026-03-04T12:00:00Z'],
];

const FETCHES: Readonly<Record<string, readonly [FetchQueryObject, object]>> = {
  uid: [{ uid: true }, { seq: 1, uid: 1 }],
  internalDate: [{ internalDate: true }, { internalDate: new Date('2026-01-02T03:04:05Z') }],
  size: [{ size: true }, { size: RICH.length }],
  envelope: [
    { envelope: true },
    {
      envelope: {
        date: new Date('2026-01-02T03:04:05Z'),
        subject: 'Grüße',
        messageId: '<rich@b.test>',
        inReplyTo: '<before@b.test>',
        from: [{ name: 'Jörg', address: 'joerg@b.test' }],
        sender: [{ name: 'Jörg', address: 'joerg@b.test' }],
        replyTo: [{ name: '', address: 'back@b.test' }],
        to: [
          { name: '', address: 'one@a.test' },
          { name: 'Two', address: 'two@a.test' },
        ],
        cc: [{ name: '', address: 'three@a.test' }],
        bcc: [{ name: '', address: 'four@a.test' }],
      },
    },
  ],
  bodyStructure: [
    { bodyStructure: true },
    {
      bodyStructure: {
        type: 'multipart/mixed',
        parameters: { boundary: 'cut' },
        childNodes: [
          { part: '1', type: 'text/plain', encoding: 'quoted-printable', parameters: { charset: 'iso-8859-1' } },
          {
            part: '2',
            type: 'image/png',
            id: '<p@b.test>',
            disposition: 'attachment',
            dispositionParameters: { filename: 'p.png' },
            size: base64(PICTURE).length,
          },
          { part: '3', type: 'message/rfc822', envelope: { subject: 'inside' }, childNodes: [{ type: 'text/plain' }] },
        ],
      },
    },
  ],
  source: [{ source: true }, { source: Buffer.from(RICH) }],
  'source from an octet on': [
    { source: { start: 100, maxLength: 50 } },
    { source: Buffer.from(RICH).subarray(100, 150) },
  ],
  headers: [{ headers: true }, { headers: Buffer.from(RICH_HEADER) }],
  bodyParts: [
    { bodyParts: ['text', '1', '1.mime', { key: '2', start: 4, maxLength: 8 }, '3.header', '3.1'] },
    {
      bodyParts: new Map([
        ['text', Buffer.from(RICH.slice(RICH_HEADER.length))],
        ['1', Buffer.from('Gr=FC=DFe aus dem Text')],
        ['1.mime', Buffer.from(`${PLAIN}\r\n`)],
        ['2', Buffer.from(base64(PICTURE).slice(4, 12))],
        ['3.header', Buffer.from('From: <inner@b.test>\r\nSubject: inside\r\n\r\n')],
        ['3.1', Buffer.from('inner text')],
      ]),
    },
  ],
  fast: [{ fast: true }, { size: RICH.length }],
  all: [{ all: true }, { size: RICH.length, envelope: { subject: 'Grüße' } }],
  full: [{ full: true }, { envelope: { subject: 'Grüße' }, bodyStructure: { type: 'multipart/mixed' } }],
};

const RANGES: readonly (readonly [MessageRange, number[]])[] = [
  ['1:*', [1, 2, 3]],
  ['*', [3]],
  ['3,1', [1, 3]],
  [
    [2, 3],
    [2, 3],
  ],
  [{ flagged: true }, [1]],
  [{ subject: 'nowhere' }, []],
];

const SEARCHES: readonly (readonly [SearchObject, number[]])[] = [
  [{ all: true }, [1, 2, 3]],
  [{ seq: '2:3' }, [2, 3]],
  [{ uid: '1,3' }, [1, 3]],
  [{ answered: true }, [2]],
  [{ answered: false }, [1, 3]],
  [{ deleted: true }, [3]],
  [{ deleted: false }, [1, 2]],
  [{ draft: true }, [2]],
  [{ draft: false }, [1, 3]],
  [{ flagged: true }, [1]],
  [{ flagged: false }, [2, 3]],
  [{ seen: true }, [1]],
  [{ seen: false }, [2, 3]],
  [{ keyword: '$Work' }, [1]],
  [{ unKeyword: '$Work' }, [2, 3]],
  [{ from: 'JÖRG' }, [1]],
  [{ from: 'joerg@b.test' }, [1]],
  [{ to: 'two' }, [1]],
  [{ cc: 'three@a.test' }, [1]],
  [{ bcc: 'four' }, [1]],
  [{ subject: 'grüsse' }, [1]],
  [{ body: 'grüße aus' }, [1]],
  [{ body: 'brief' }, [2]],
  [{ text: 'marked' }, [1]],
  [{ text: 'tall tale' }, [3]],
  [{ header: { 'X-Mark': 'MARKED' } }, [1]],
  [{ header: { 'x-mark': true } }, [1]],
  [{ header: { subject: 'short', from: 'b@b' } }, [2]],
  [{ larger: 2000 }, [3]],
  [{ smaller: SHORT.length + 1 }, [2]],
  [{ before: new Date('2026-02-01') }, [1]],
  [{ since: new Date('2026-02-01') }, [2, 3]],
  [{ on: new Date('2026-02-03') }, [2]],
  [{ sentBefore: new Date('2026-01-02') }, [2]],
  [{ sentOn: new Date('2026-01-02') }, [1]],
  [{ sentSince: new Date('2026-01-02') }, [1, 3]],
  [{ not: { subject: 'long' } }, [1, 2]],
  [{ or: [{ flagged: true }, { answered: true }] }, [1, 2]],
  [{ or: [{ subject: 'short' }, { subject: 'long' }, { subject: 'nowhere' }] }, [2, 3]],
  [{ from: 'b@b.test', not: { deleted: true } }, [2]],
  [{ seen: false, or: [{ body: 'brief' }, { body: 'aus' }] }, [2]],
  [{ subject: '東京' }, []],
];

cases([await packaged('imapflow')], () => {
  let flows: Flows;
  beforeAll(async () => {
    flows = await Flows.start();
  });
  afterAll(() => flows[Symbol.asyncDispose]());

  describe.each(Object.entries(MANNERS).map(([name, manner], index) => ({ name, manner, user: index + 1 })))(
    '$name',
    ({ manner, user }) => {
      let flow: ImapFlow;
      beforeAll(async () => {
        flow = await flows.connect(manner, user);
        for (const [content, flags, date] of MAILBOX) await flow.append('INBOX', content, flags, new Date(date));
        await flow.mailboxOpen('INBOX', { readOnly: true });
      });

      test.each(Object.entries(FETCHES))('FETCH %s', async (_, [query, expected]) => {
        expect(await flow.fetchOne('1', query)).toMatchObject(expected);
        for await (const one of flow.fetch('1', query, { uid: true })) expect(one).toMatchObject(expected);
      });

      test('FETCH headers by name gives those and no other', async () => {
        const [fetched] = await flow.fetchAll('1', { headers: ['x-mark', 'Subject', 'absent'] });
        expect(fetched?.headers?.toString().split('\r\n').sort()).toEqual([
          '',
          '',
          'Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=',
          'X-Mark: yes, marked',
        ]);
      });

      test('FETCH flags, MODSEQ and identities', async () => {
        const [one, two] = await flow.fetchAll('1:2', { flags: true, emailId: true, threadId: true });
        expect([...(one?.flags ?? [])].filter((flag) => flag !== '\\Recent').sort()).toEqual([
          '$Work',
          '\\Flagged',
          '\\Seen',
        ]);
        expect(one?.emailId).toMatch(/^[\w-]+$/);
        expect(one?.emailId).not.toBe(two?.emailId);
        expect(await flow.search({ emailId: one?.emailId })).toEqual([1]);
        if (one?.threadId) expect(await flow.search({ threadId: one.threadId })).toEqual([1]);
        const { modseq } = one ?? {};
        expect(typeof modseq).toBe(manner.enabled.includes('CONDSTORE') ? 'bigint' : 'undefined');
        if (modseq === undefined) return;
        expect(await flow.search({ modseq })).toContain(1);
        const later = await flow.fetchAll('1:*', { uid: true }, { changedSince: modseq });
        expect(later.map(({ uid }) => uid)).toEqual([2, 3]);
      });

      test.each(RANGES)('FETCH of %j', async (range, expected) => {
        expect((await flow.fetchAll(range, { uid: true })).map(({ uid }) => uid)).toEqual(expected);
      });

      test('FETCH of what is not there', async () => {
        expect(await flow.fetchOne('9', { uid: true }, { uid: true })).toBe(false);
      });

      test.each([
        ['whole', undefined, {}, Buffer.from(RICH)],
        ['whole, in small pieces', undefined, { chunkSize: 100 }, Buffer.from(RICH)],
        ['a beginning', undefined, { maxBytes: 120 }, Buffer.from(RICH.slice(0, 120))],
        ['a text', '1', {}, Buffer.from('Grüße aus dem Text')],
        ['a text as it is', '1', { decodeText: false }, Buffer.from('Grüße aus dem Text', 'latin1')],
        ['an attachment', '2', {}, PICTURE],
        ['an attachment, decoded by the server', '2', { binary: true }, PICTURE],
      ])('download of %s', async (_, part, options, expected) => {
        const { content } = await flow.download('1', part, { ...options, uid: true });
        const chunks: Buffer[] = [];
        for await (const chunk of content ?? []) chunks.push(chunk);
        expect(Buffer.concat(chunks)).toEqual(expected);
      });

      test('downloads of several parts', async () => {
        for (const binary of [false, true]) {
          const parts = await flow.downloadMany('1', ['1', '2'], { binary });
          expect(parts['1']?.content).toEqual(Buffer.from('Grüße aus dem Text', 'latin1'));
          expect(parts['2']).toMatchObject({ content: PICTURE, meta: { contentType: 'image/png', filename: 'p.png' } });
        }
      });

      test.each(SEARCHES)('SEARCH %j', async (query, expected) => {
        expect(await flow.search(query)).toEqual(expected);
        expect(await flow.search(query, { uid: true })).toEqual(expected);
      });

      test('SEARCH RETURN', async () => {
        const returnOptions = ['MIN', 'MAX', 'COUNT', 'ALL'] as const;
        const found = await flow.search({ seen: false }, { uid: true, returnOptions: [...returnOptions] });
        expect(found).toMatchObject({ min: 2, max: 3, count: 2, all: '2:3' });
        const partial = await flow.search({ all: true }, { uid: true, returnOptions: [{ partial: '2:2' }] });
        expect(partial).toMatchObject({ partial: { range: '2:2', messages: '2' } });
      });
    },
  );
});
