// imapflow comes up to date with QRESYNC (RFC 7162): what vanished and what changed while it was away.

import { ImapFlow } from 'imapflow';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import { numbered, openGate, PASSWORD } from './gate.ts';

test('a mail program comes back, and asks for what it missed', async () => {
  await using gate = await openGate({ tls: 'implicit', clock: systemClock });
  await gate.fill('INBOX', numbered(5));
  const open = async () => {
    const flow = new ImapFlow({
      host: '127.0.0.1',
      port: gate.port,
      secure: true,
      tls: { rejectUnauthorized: false },
      auth: { user: 'alice@example.test', pass: PASSWORD },
      qresync: true,
      logger: false,
    });
    await flow.connect();
    return flow;
  };
  const away = await open();
  const { uidValidity, highestModseq } = await away.mailboxOpen('INBOX');
  expect(away.enabled.has('QRESYNC')).toBe(true);
  await away.mailboxClose();

  const other = await open();
  await other.mailboxOpen('INBOX');
  await other.messageFlagsAdd('2', ['\\Flagged'], { uid: true });
  const gone = new Promise((resolve) => other.once('expunge', resolve));
  await other.messageDelete('4:5', { uid: true });
  expect(await gone).toMatchObject({ vanished: true, uid: 4 });
  await other.logout();

  const vanished: unknown[] = [];
  const changed: unknown[] = [];
  away.on('expunge', ({ uid, earlier }) => vanished.push({ uid, earlier }));
  away.on('flags', ({ uid, flags }) => changed.push({ uid, flags: [...flags] }));
  const known = highestModseq === undefined ? {} : { changedSince: highestModseq, uidValidity };
  await away.mailboxOpen('INBOX', known);
  expect(vanished).toEqual([
    { uid: 4, earlier: true },
    { uid: 5, earlier: true },
  ]);
  expect(changed).toEqual([{ uid: 2, flags: ['\\Flagged'] }]);
  await away.logout();
});
