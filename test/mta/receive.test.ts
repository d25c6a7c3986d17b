// Rows T3, T7, T9 and H1 of the port roles, at the Receiver of port 25, over a store that records and can fail. The
// same behind a listener stands in transcripts/.

import { describe, expect, it } from 'vitest';
import { createMta } from '../../src/mta/receive.ts';
import { StoreError } from '../../src/store/store.ts';
import { agentWorld, chunks, lines, put, smtpSession, TLS, transact } from './smtp-session.ts';

const HELLO = lines('From: <eve@remote.test>', 'Subject: hello', '', 'Good morning');
const mail = { from: 'eve@remote.test', to: ['alice@example.test'], content: HELLO };

async function mta(test?: { catchAll: boolean; anyPassword: boolean }) {
  const world = await agentWorld(test);
  return { ...world, receiver: createMta(world.options) };
}

describe('recipients', () => {
  it('T3: relays for nobody, whatever the sender or the source address claims', async () => {
    const { receiver, store } = await mta();
    for (const from of ['eve@remote.test', 'alice@example.test', '']) {
      for (const remoteAddress of ['192.0.2.7', '127.0.0.1', '::1']) {
        const result = await transact(receiver, {
          from,
          to: ['eve@remote.test', 'alice@[127.0.0.1]', 'x@sub.example.test', '"a%b@remote.test"@remote.test'],
          content: HELLO,
          session: smtpSession({ remoteAddress }),
        });
        expect(result.recipients).toEqual(Array(4).fill('550 5.7.1'));
      }
    }
    expect(store.accepted).toEqual([]);
  });

  it('refuses the unknown alone, at RCPT', async () => {
    const { receiver, store } = await mta();
    const result = await transact(receiver, { ...mail, to: ['nobody@example.test', 'alice@example.test'] });
    expect(result).toEqual({ sender: '250', recipients: ['550 5.1.1', '250'], reply: '250' });
    expect(store.accepted[0]?.deliveries).toHaveLength(1);
  });

  it('T9: takes the bare Postmaster, even into a full mailbox', async () => {
    const { receiver, store } = await mta();
    await put(store, 'alice@example.test', ['postmaster@example.test'], 10);
    store.used.set('alice@example.test', 10);
    const to = ['', 'POSTMASTER@example.test', 'alice@example.test'];
    expect((await transact(receiver, { ...mail, to })).recipients).toEqual(['250', '250', '250']);
    expect((await transact(receiver, { ...mail, to: to.slice(2) })).recipients).toEqual(['452 4.2.2']);
  });

  it('gives one copy to an account that is named twice, in case, alias or detail', async () => {
    const { receiver, store } = await mta();
    const to = ['alice@example.test', 'Alice@EXAMPLE.test', 'wonder@example.test', 'alice+x@example.test'];
    expect((await transact(receiver, { ...mail, to })).recipients).toEqual(['250', '250', '250', '250']);
    expect(store.accepted[0]?.deliveries).toHaveLength(1);
  });

  it('asks the quota at RCPT: 452 while room can be made, 552 where it never can', async () => {
    const { receiver, store } = await mta();
    const to = ['bob@example.test'];
    const at = (used: number, size?: number) => {
      store.used.set('bob@example.test', used);
      return transact(receiver, { ...mail, to, parameters: size === undefined ? {} : { size } });
    };
    expect((await at(9_999)).recipients).toEqual(['250']);
    expect((await at(10_000)).recipients).toEqual(['452 4.2.2']);
    expect((await at(9_000, 1_000)).recipients).toEqual(['250']);
    expect((await at(9_000, 1_001)).recipients).toEqual(['452 4.2.2']);
    expect((await at(0, 10_001)).recipients).toEqual(['552 5.2.2']);
  });

  it('takes everybody with catch-all', async () => {
    const { receiver, store } = await mta({ catchAll: true, anyPassword: true });
    const to = ['Someone@anywhere.example', 'x@[192.0.2.1]', ''];
    expect((await transact(receiver, { ...mail, to })).recipients).toEqual(['250', '250', '250']);
    expect(store.accepted[0]?.deliveries).toHaveLength(3);
    expect(store.accepted[0]?.dispatch).toBeNull();
  });
});

describe('the message', () => {
  it('T7: gets a Received field with protocol and TLS, and is not changed otherwise', async () => {
    const { receiver, store } = await mta();
    const content = `${lines('from :  eve', 'X-Odd:\tvalue ', ' folded', '', 'a\x80\x00b', '', '')}no line end`;
    await transact(receiver, { ...mail, content, session: smtpSession({ tls: TLS }) });
    const stored = store.body(store.accepted[0]);
    expect(stored.endsWith(content)).toBe(true);
    const field = stored.slice(0, -content.length).replace(/\r\n[ \t]/g, ' ');
    expect(field).toMatch(/^Received: from client\.example \(\[192\.0\.2\.7\]\) by mail\.example\.test with ESMTPS/);
    expect(field).toContain('id abcdefghijkl-1');
    expect(field).toContain('for <alice@example.test>');
    expect(field).toContain('tls TLS_AES_256_GCM_SHA384 (TLSv1.3 256 bits)');
    expect(field.match(/\r\n/g)).toHaveLength(1);
  });

  it('has no Return-Path but that of the delivery (RFC 5321 §4.4)', async () => {
    const { receiver, store } = await mta();
    const header = [
      'return-path: <',
      ' a@b.test>',
      'From: eve',
      'Return-Path: <c@d.test>',
      'X-Return-Path: <e@f.test>',
    ];
    await transact(receiver, { ...mail, content: lines(...header, '', 'Return-Path: <g@h.test>') });
    const kept = lines('From: eve', 'X-Return-Path: <e@f.test>', '', 'Return-Path: <g@h.test>');
    expect(store.body(store.accepted[0]).replace(/^Received:.*?\r\n(?!\t)/s, '')).toBe(kept);
  });

  it.each([
    ['SMTP', { hello: { verb: 'HELO', name: 'x' } as const }, {}],
    ['ESMTP', {}, {}],
    ['ESMTPS', { tls: TLS }, {}],
    ['UTF8SMTP', {}, { smtputf8: true }],
    ['UTF8SMTPS', { tls: TLS }, { smtputf8: true }],
  ])('T7: names %s', async (protocol, facts, parameters) => {
    const { receiver, store } = await mta();
    await transact(receiver, { ...mail, parameters, session: smtpSession(facts) });
    expect(store.body(store.accepted[0])).toMatch(new RegExp(`\\swith ${protocol}\\s`));
  });

  it('names no recipient to the others', async () => {
    const { receiver, store } = await mta();
    await transact(receiver, { ...mail, to: ['alice@example.test', 'bob@example.test'] });
    expect(store.body(store.accepted[0])).not.toMatch(/alice|bob/);
  });

  it('gets Return-Path and Delivered-To at delivery, for each account its own', async () => {
    const { receiver, store } = await mta();
    await transact(receiver, { ...mail, to: ['Wonder@example.test', 'bob+x@example.test'] });
    const prefixes = store.accepted[0]?.deliveries.map(({ prefix }) => Buffer.from(prefix).toString());
    expect(prefixes).toEqual([
      'Return-Path: <eve@remote.test>\r\nDelivered-To: Wonder@example.test\r\n',
      'Return-Path: <eve@remote.test>\r\nDelivered-To: bob+x@example.test\r\n',
    ]);
    expect(store.accepted[0]?.deliveries.map(({ mailbox }) => mailbox)).toEqual(['INBOX', 'INBOX']);
  });

  it('T9: for a bare Postmaster names the mailbox in full', async () => {
    const { receiver, store } = await mta();
    await transact(receiver, { ...mail, to: [''] });
    const [delivery] = store.accepted[0]?.deliveries ?? [];
    expect(Buffer.from(delivery?.prefix ?? []).toString()).toContain('Delivered-To: Postmaster@example.test\r\n');
    expect(store.body(store.accepted[0])).toContain('for <Postmaster@example.test>;');
  });

  it('is known by its identifiers and its header, as stored', async () => {
    const { receiver, store } = await mta();
    const content = lines('Message-ID: <1@x>', 'References: <a@x> <b@x>', 'In-Reply-To: <c@x>', '', 'body');
    await transact(receiver, { ...mail, content });
    const stored = store.body(store.accepted[0]);
    expect(store.accepted[0]?.facts).toEqual({
      headerSize: stored.length - 'body\r\n'.length,
      messageId: '1@x',
      references: ['a@x', 'b@x', 'c@x'],
    });
    expect(store.accepted[0]?.messageId).toBe('abcdefghijkl-1');
  });

  it.each([1, 2, 3, 7, 1000])('is the same whether it comes in chunks of %i octets or whole', async (size) => {
    const { receiver, store } = await mta();
    const content = lines('Subject: x', '', '', 'body', '', 'end');
    await transact(receiver, { ...mail, content });
    await transact(receiver, { ...mail, content: chunks(content, size), session: smtpSession() });
    expect(store.body(store.accepted[1])).toBe(store.body(store.accepted[0]));
    expect(store.accepted[1]?.facts).toEqual(store.accepted[0]?.facts);
  });

  it.each([
    ['nothing', ''],
    ['only an empty line', '\r\n'],
    ['only a header', 'Subject: x\r\n'],
    ['a header without its line end', 'Subject: x'],
    ['no header', '\r\nbody\r\n'],
  ])('may be %s', async (_, content) => {
    const { receiver, store } = await mta();
    expect((await transact(receiver, { ...mail, content })).reply).toBe('250');
    expect(store.body(store.accepted[0]).endsWith(`\r\n${content}`)).toBe(true);
  });

  it('is all body where it has no header at all', async () => {
    const { receiver, store } = await mta();
    const content = lines('Good morning', '', 'and good bye');
    await transact(receiver, { ...mail, content });
    const stored = store.body(store.accepted[0]);
    expect(stored.slice(stored.indexOf('\r\n\r\n') + 4)).toBe(content);
    expect(store.accepted[0]?.facts.headerSize).toBe(stored.length - content.length);
  });

  it('is one write to the store when it is small, and streams when it is large', async () => {
    const { receiver, store } = await mta();
    await transact(receiver, { ...mail, content: `${HELLO}${'x'.repeat(40_000)}` });
    expect(store.writes).toBe(1);
    await transact(receiver, { ...mail, content: `${HELLO}${'x'.repeat(190_000)}` });
    expect(store.writes).toBeGreaterThan(2);
  });
});

describe('refusals at the end of data', () => {
  const refusedWith = async (content: string | AsyncIterable<Uint8Array>) => {
    const { receiver, store } = await mta();
    const { reply } = await transact(receiver, { ...mail, content });
    expect(store.staged).toBe(0);
    expect(store.accepted).toHaveLength(reply === '250' ? 1 : 0);
    return reply;
  };

  it('over the size limit, to the octet', async () => {
    expect(await refusedWith(HELLO + 'x'.repeat(200_000 - HELLO.length))).toBe('250');
    expect(await refusedWith(HELLO + 'x'.repeat(200_001 - HELLO.length))).toBe('552 5.3.4');
  });

  it('over the header limit: not cut', async () => {
    const header = (octets: number) => `X: ${'x'.repeat(octets - 7)}\r\n\r\n`;
    expect(await refusedWith(`${header(20_000)}body\r\n`)).toBe('250');
    expect(await refusedWith(`${header(20_001)}body\r\n`)).toBe('552 5.3.4');
    expect(await refusedWith('X: y\r\n'.repeat(10_000))).toBe('552 5.3.4');
  });

  it('more than 100 hops (RFC 5321 §6.3)', async () => {
    const hops = (count: number) => `${'rEceived: by x; y\r\n'.repeat(count)}\r\nReceived: no field\r\n`;
    expect(await refusedWith(hops(100))).toBe('250');
    expect(await refusedWith(hops(101))).toBe('554 5.4.6');
  });

  it('delivered to the same address before', async () => {
    expect(await refusedWith(lines('Delivered-To: ALICE@example.test', '', 'x'))).toBe('554 5.4.6');
    expect(await refusedWith(lines('Delivered-To: bob@example.test', 'delivered-to: garbage', '', 'x'))).toBe('250');
    expect(await refusedWith(lines('Subject: x', '', 'Delivered-To: alice@example.test'))).toBe('250');
  });

  it.each([
    ['full', 'stage', '452 4.3.1'],
    ['busy', 'stage', '452 4.3.1'],
    ['full', 'accept', '452 4.3.1'],
    ['missing', 'accept', '451 4.3.0'],
    ['failed', 'accept', '451 4.3.0'],
    ['closed', 'accept', '421 4.3.2'],
  ] as const)('the store is %s at %s', async (kind, at, expected) => {
    const { receiver, store } = await mta();
    store.failure = { at, error: new StoreError(kind, 'as the test wants') };
    expect((await transact(receiver, mail)).reply).toBe(expected);
    expect(store.staged).toBe(0);
    expect((await transact(receiver, mail)).reply).toBe('250');
  });

  it('a client that goes away leaves nothing behind', async () => {
    const { receiver, store } = await mta();
    async function* gone() {
      yield Buffer.from(HELLO);
      throw new Error('connection lost');
    }
    await expect(transact(receiver, { ...mail, content: gone() })).rejects.toThrow('connection lost');
    expect(store.staged).toBe(0);
    expect(store.accepted).toEqual([]);
  });
});

it('H1: the log follows a message from hop to hop by one id', async () => {
  const { receiver, lines: log } = await mta();
  const session = smtpSession();
  await transact(receiver, { ...mail, to: ['alice@example.test', 'bob@example.test'], session });
  await transact(receiver, { ...mail, session });
  expect(log.filter(({ hop }) => hop !== undefined).map(({ hop, message }) => [hop, message])).toEqual([
    ['MTA→MTA', 'abcdefghijkl-1'],
    ['MTA→MDA', 'abcdefghijkl-1'],
    ['MTA→MDA', 'abcdefghijkl-1'],
    ['MTA→MTA', 'abcdefghijkl-2'],
    ['MTA→MDA', 'abcdefghijkl-2'],
  ]);
});
