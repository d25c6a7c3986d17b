// What is asked again and again is found by an index: due work looks at no more rows than it returns, however many wait, and
// so do the pages of what has changed.

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Connection } from '../../src/store/engine.ts';
import { changedSql } from '../../src/store/reads/messages.ts';
import { queueSql } from '../../src/store/reads/queue-sql.ts';
import { storeFolder } from './open-folder.ts';

test.each(Object.entries(queueSql))('%s scans no table', async (_, sql) => {
  const steps = await stepsOf(sql, sql.split('?').length - 1);
  expect(steps.length).toBeGreaterThan(0);
  // A scan of what the query itself has made is bounded by its own limit.
  const scans = steps.filter((step) => /^SCAN (?:entry|transit|attempt)\b/.test(step));
  expect(scans).toEqual([]);
});

test('pages of what one command has changed do not look at the pages before', async () => {
  expect(await stepsOf(changedSql.same, 3)).toEqual([
    'SEARCH message USING INDEX message_modseq (mailbox=? AND modseq=? AND rowid>?)',
  ]);
  expect(await stepsOf(changedSql.later, 3)).toEqual([
    'SEARCH message USING INDEX message_modseq (mailbox=? AND modseq>?)',
  ]);
});

async function stepsOf(sql: string, parameters: number): Promise<readonly string[]> {
  await using place = await storeFolder();
  const store = await place.open();
  await store.close();
  const db = new Connection(join(place.folder, 'mail.db'));
  try {
    const values = Array.from({ length: parameters }, () => 1);
    const plan = db.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`, ...values);
    return plan.map(({ detail }) => detail);
  } finally {
    db.close();
  }
}

test('no statement is planned anew at each run for a limit that is a bare parameter', () => {
  const source = join(import.meta.dirname, '../../src');
  const files = globSync('**/*.ts', { cwd: source });
  const bare = files.filter((file) => /LIMIT \?/.test(readFileSync(join(source, file), 'utf8')));
  expect(files).toContain('store/reads/queue-sql.ts');
  expect(bare).toEqual([]);
});
