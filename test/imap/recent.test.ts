// Claims of \Recent against a store in hand: one for all sessions of the process, and none that the store did not grant.

import { expect, test } from 'vitest';
import { RecentClaims } from '../../src/imap/recent.ts';
import type { MailboxId, Uid } from '../../src/store/rows.ts';
import type { Store } from '../../src/store/store.ts';

const mailbox = 1 as MailboxId;
const uid = (number: number) => number as Uid;

/** Answers claims with these, one after another; null: it fails. */
function storeThat(...answers: (number | null)[]): Store {
  const execute = async () => {
    const recentFrom = answers.shift();
    if (typeof recentFrom !== 'number') throw new Error('no room');
    return { recentFrom };
  };
  return { execute } as unknown as Store; // nothing else is asked of it
}

test('what one session has claimed is claimed for all', async () => {
  const claims = new RecentClaims(storeThat(3));
  claims.enter(mailbox);
  claims.enter(mailbox);
  expect(await Promise.all([claims.claim(mailbox, uid(5)), claims.claim(mailbox, uid(5))])).toEqual([3, null]);
});

test('a claim that failed is nobody’s', async () => {
  const claims = new RecentClaims(storeThat(null, 3));
  claims.enter(mailbox);
  await expect(claims.claim(mailbox, uid(5))).rejects.toThrow();
  expect(await claims.claim(mailbox, uid(5))).toBe(3);
});
