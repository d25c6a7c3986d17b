// Configurations of a test: text written to a file of its own and loaded from there, as the program does it.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { ConfigError } from '../../src/config/place.ts';

export const FILE = 'written.toml';

/** Three lines with which a server could start; settings of the top go in front, tables behind. */
export const LEAST = ['hostname = "mail.example.test"', 'domains = ["example.test"]'] as const;
export const LISTENER = ['[[listener]]', 'role = "imap"', 'port = 2993', 'tls = "implicit"'] as const;

type Env = Readonly<Record<string, string>>;

/** Loads lines, as if the file stood in the working directory. */
export async function load(lines: readonly string[] | Uint8Array, env: Env = {}): Promise<Config> {
  const cwd = await mkdtemp(join(tmpdir(), 'postern-config-'));
  try {
    await writeFile(join(cwd, FILE), lines instanceof Uint8Array ? lines : `${lines.join('\n')}\n`);
    return await loadConfig({ file: FILE, env, cwd });
  } finally {
    await rm(cwd, { recursive: true });
  }
}

/** What is said about lines that are wrong, as `place: text`, one for each complaint. */
export async function refusal(lines: readonly string[] | Uint8Array, env: Env = {}): Promise<ConfigError> {
  try {
    await load(lines, env);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

/** A configuration with one listener, which these settings are added to. */
export function listener(...settings: readonly string[]): readonly string[] {
  return [...LEAST, '[[listener]]', ...settings];
}
