// imapflow as a client: what a mail program does in a day, over STARTTLS and over implicit TLS.

import { ImapFlow } from 'imapflow';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import { openGate, PASSWORD } from './gate.ts';

describe.each([
  ['143', 'required'],
  ['993', 'implicit'],
] as const)('port %s', (_, tls) => {
  test('a day of a mail program', async () => {
    await using gate = await openGate({ tls, clock: systemClock });
    const flow = new ImapFlow({
      host: '127.0.0.1',
      port: gate.port,
      secure: tls === 'implicit',
      tls: { rejectUnauthorized: false },
      auth: { user: 'alice@example.test', pass: PASSWORD },
      logger: false,
    });
    await flow.connect();
    try {
      const boxes = await flow.list();
      const uses = Object.fromEntries(boxes.map(({ path, specialUse }) => [path, specialUse ?? null]));
      expect(uses).toMatchObject({ Sent: '\\Sent', Trash: '\\Trash', Junk: '\\Junk', Drafts: '\\Drafts' });
      await flow.mailboxCreate(['Projekte', 'Größe & Maß']);
      expect((await flow.list()).map(({ path }) => path)).toContain('Projekte/Größe & Maß');

      const text =
        'From: Bob <bob@example.test>\r\nTo: alice@example.test\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\nHallo\r\n';
      const appended = await flow.append('INBOX', text, ['$Work'], new Date(Date.UTC(2024, 1, 29)));
      expect(appended).toMatchObject({ uid: 1 });

      const lock = await flow.getMailboxLock('INBOX');
      try {
        expect(flow.mailbox).toMatchObject({ exists: 1, readOnly: false });
        const arrival = new Promise((resolve) => flow.once('exists', resolve));
        const idling = flow.idle();
        await gate.fill('INBOX', ['Subject: news\r\n\r\nfresh\r\n']);
        expect(await arrival).toMatchObject({ count: 2 });
        const message = await flow.fetchOne('1', {
          envelope: true,
          flags: true,
          bodyStructure: true,
          source: true,
          internalDate: true,
        });
        await idling;
        expect(message).toMatchObject({ envelope: { subject: 'Grüße' }, bodyStructure: { type: 'text/plain' } });
        if (!message) throw new Error('imapflow found no message');
        expect(message.source?.toString()).toBe(text);
        expect(message.flags?.has('$Work')).toBe(true);
        const { content } = await flow.download('1', '1');
        let body = '';
        for await (const chunk of content ?? []) body += chunk;
        expect(body).toBe('Hallo\n'.replace('\n', '\r\n'));
        expect(await flow.search({ body: 'hallo', from: 'bob' }, { uid: true })).toEqual([1]);
        await flow.messageFlagsAdd('1', ['\\Seen']);
        expect(await flow.search({ seen: true })).toEqual([1]);
        expect(await flow.messageMove('1', 'Trash')).toMatchObject({ destination: 'Trash', uidMap: new Map([[1, 1]]) });
        expect(await flow.messageCopy('1', 'Archive')).toMatchObject({ uidMap: new Map([[2, 1]]) });
        await flow.messageDelete('1');
      } finally {
        lock.release();
      }
      expect(await flow.status('INBOX', { messages: true, uidNext: true })).toMatchObject({ messages: 0, uidNext: 3 });
      await flow.mailboxRename('Projekte', 'Alt');
      await flow.mailboxDelete('Alt/Größe & Maß');
    } finally {
      await flow.logout();
    }
  });
});
