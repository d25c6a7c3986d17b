// Accepting once: the key of a message that its bringer keeps until he knows that it was accepted stands in the same
// transaction as the message. Whoever was killed in between brings it again, and nothing happens.

import type { CommandOf } from '../commands.ts';
import type { Work } from '../writer/work.ts';

/** Takes note of a key. @returns false where it is known: what it stands for was done */
export function firstTime(work: Work, key: string): boolean {
  if (work.db.get('SELECT 1 FROM accepted_once WHERE key = ?', key) !== undefined) return false;
  work.db.run('INSERT INTO accepted_once (key) VALUES (?)', key);
  return true;
}

/** forget-once: these are not brought again, or nothing but these is. */
export function forgetOnce(work: Work, { keys, but }: CommandOf<'forget-once'>): void {
  if (but) {
    const kept = JSON.stringify(keys);
    work.db.run('DELETE FROM accepted_once WHERE key NOT IN (SELECT value FROM json_each(?))', kept);
    return;
  }
  for (const key of keys) work.db.run('DELETE FROM accepted_once WHERE key = ?', key);
}
