// A disk that is full keeps nobody from reading: what reading writes by the way is left undone.

import { expect, test, vi } from 'vitest';
import { StoreError } from '../../src/store/store.ts';
import { ImapClient } from '../clients/imap.ts';
import { openGate, PASSWORD } from './gate.ts';

test('mailboxes are selected and messages read, and neither \\Recent nor \\Seen is lost', async () => {
  await using gate = await openGate();
  await gate.fill('INBOX', ['Subject: one\r\n\r\nfirst\r\n', 'Subject: two\r\n\r\nsecond\r\n']);
  const open = () => ImapClient.open({ port: gate.port }, { user: 'alice@example.test', password: PASSWORD });
  const full = vi.spyOn(gate.store, 'execute').mockRejectedValue(new StoreError('full', 'on purpose'));
  const said = async (client: ImapClient, command: string) => (await client.done(command)).map(({ text }) => text);
  {
    using client = await open();
    expect(await said(client, 'SELECT INBOX')).toContain('* 0 RECENT');
    expect(await said(client, 'FETCH 1 (UID BODY[TEXT])')).toEqual(['* 1 FETCH (UID 1 BODY[TEXT] {7})']);
    expect(await client.command('STORE 1 +FLAGS (\\Flagged)')).toMatchObject({ status: 'NO' });
  }
  full.mockRestore();
  using client = await open();
  expect(await said(client, 'SELECT INBOX')).toContain('* 2 RECENT');
  expect(await said(client, 'FETCH 1 FLAGS')).toEqual(['* 1 FETCH (FLAGS (\\Recent))']);
});
