// Due work is found by an index: what the runner asks of the queue looks at no more rows than it returns, however many wait.

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Connection } from '../../src/store/engine.ts';
import { queueSql } from '../../src/store/reads/queue-sql.ts';
import { storeFolder } from './open-folder.ts';

test.each(Object.entries(queueSql))('%s scans no table', async (_, sql) => {
  await using place = await storeFolder();
  const store = await place.open();
  await store.close();
  const db = new Connection(join(place.folder, 'mail.db'));
  try {
    const parameters = Array.from({ length: sql.split('?').length - 1 }, () => 1);
    const plan = db.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`, ...parameters);
    const steps = plan.map(({ detail }) => detail);
    expect(steps.length).toBeGreaterThan(0);
    // A scan of what the query itself has made is bounded by its own limit.
    const scans = steps.filter((step) => /^SCAN (?:entry|transit|attempt)\b/.test(step));
    expect(scans).toEqual([]);
  } finally {
    db.close();
  }
});

test('no statement is planned anew at each run for a limit that is a bare parameter', () => {
  const source = join(import.meta.dirname, '../../src');
  const files = globSync('**/*.ts', { cwd: source });
  const bare = files.filter((file) => /LIMIT \?/.test(readFileSync(join(source, file), 'utf8')));
  expect(files).toContain('store/reads/queue-sql.ts');
  expect(bare).toEqual([]);
});
