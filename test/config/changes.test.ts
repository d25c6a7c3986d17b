// What has changed from one reading of the configuration to the next: every setting by its name, and nothing that was only
// written in another way.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { changedSettings } from '../../src/config/changes.ts';
import { readConfig } from '../../src/config/load.ts';
import { type Outline, outlineOfConfig } from '../../src/config/outline.ts';
import type { Settings } from '../../src/config/schema.ts';
import { LEAST, LISTENER } from './written.ts';

async function settings(...lines: readonly string[]): Promise<Settings> {
  const cwd = await mkdtemp(join(tmpdir(), 'postern-config-'));
  try {
    await writeFile(join(cwd, 'written.toml'), `${[...LEAST, ...lines].join('\n')}\n`);
    return (await readConfig({ file: 'written.toml', env: {}, cwd })).settings;
  } finally {
    await rm(cwd, { recursive: true });
  }
}

/** Each setting that is no table, by the keys that lead to it. */
function leaves(outline: Outline, path: readonly string[] = []): readonly (readonly string[])[] {
  if (outline.is !== 'table') return [path];
  return Object.entries(outline.entries).flatMap(([key, entry]) => leaves(entry, [...path, key]));
}

it('names each setting that has changed, and no other', async () => {
  const before = await settings(...LISTENER);
  const paths = leaves(outlineOfConfig());
  expect(paths.length).toBeGreaterThan(40);
  for (const path of paths) {
    const after = structuredClone(before);
    const last = path.at(-1) ?? '';
    // Whatever it is, it is something else now.
    const table = path.slice(0, -1).reduce<object>((above, key) => Reflect.get(above, key), after);
    Reflect.set(table, last, { else: true });
    expect(changedSettings(before, after)).toEqual([path.join('.')]);
  }
});

it('finds nothing where only the writing has changed', async () => {
  const route = ['[[relay.route]]', 'domain = "far.test"', 'smarthost = "smtps://u:p@relay.test"'];
  const before = await settings(...LISTENER, ...route, '[queue]', 'expire = "5d"', 'retry = ["5m"]');
  const after = await settings('[queue]', 'retry = "300s"', ...route, ...LISTENER, 'address = "127.0.0.1"');
  expect(changedSettings(before, after)).toEqual([]);
  expect(changedSettings(before, await settings(...LISTENER, '[queue]', 'retry = ["5m"]'))).toEqual(['relay.route']);
});
