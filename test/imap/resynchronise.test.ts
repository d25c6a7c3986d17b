// More than a page of everything: a client that comes back hears of each message that changed, and of each that vanished.

import { expect, test } from 'vitest';
import { ImapClient } from '../clients/imap.ts';
import { numbered, openGate, PASSWORD } from './gate.ts';

const MESSAGES = 2_403;

test('a client comes back to thousands of changes', async () => {
  await using gate = await openGate();
  await gate.fill('INBOX', numbered(MESSAGES));
  const open = () => ImapClient.open({ port: gate.port }, { user: 'alice@example.test', password: PASSWORD });
  using away = await open();
  await away.done('ENABLE QRESYNC');
  const opened = (await away.done('SELECT INBOX')).map(({ text }) => text).join('\n');
  const validity = /UIDVALIDITY (\d+)/.exec(opened)?.[1];
  const modSeq = /HIGHESTMODSEQ (\d+)/.exec(opened)?.[1];
  await away.done('UNSELECT');

  using other = await open();
  await other.done('SELECT INBOX');
  await other.done('STORE 1:* +FLAGS.SILENT (\\Flagged)');
  const every = Array.from({ length: MESSAGES }, (_, at) => at + 1);
  const odd = every.filter((uid) => uid % 2 === 1);
  for (let at = 0; at < odd.length; at += 400) {
    await other.done(`UID STORE ${odd.slice(at, at + 400).join()} +FLAGS.SILENT (\\Deleted)`);
  }
  await other.done('EXPUNGE');

  const even = every.filter((uid) => uid % 2 === 0);
  const heard = (lines: readonly { readonly text: string }[]) => ({
    vanished: lines
      .flatMap(({ text }) => /^\* VANISHED \(EARLIER\) (\S+)$/.exec(text)?.[1]?.split(',') ?? [])
      .map(Number),
    changed: lines.flatMap(({ text }) => /FETCH \(UID (\d+) .*\\Flagged/.exec(text)?.[1] ?? []).map(Number),
    longest: Math.max(...lines.map(({ text }) => text.length)),
  });
  const back = heard(await away.done(`SELECT INBOX (QRESYNC (${validity} ${modSeq}))`));
  expect(back.vanished.toSorted((a, b) => a - b)).toEqual(odd);
  expect(back.changed.toSorted((a, b) => a - b)).toEqual(even);
  expect(back.longest).toBeLessThan(8_000);
  const again = heard(await away.done(`UID FETCH 1:* (FLAGS) (CHANGEDSINCE ${modSeq} VANISHED)`));
  expect(again.vanished).toEqual(odd);
  expect(again.changed).toEqual(even);
});
