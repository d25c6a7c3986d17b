// What a verb is given by the process it runs in, so that a test can give it something else; and how it fails.

import { once } from 'node:events';
import type { Config } from '../config/config.ts';
import { type Reading, readConfig } from '../config/load.ts';
import { ConfigError } from '../config/place.ts';

export interface Context {
  /** `--config`; null: the default file. */
  readonly configFile: string | null;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
}

/** Exit codes: 0 done, 1 not done, 2 wrong usage, 78 wrong configuration (EX_CONFIG: a service manager should not try
 * again). */
export const EXIT = { done: 0, failed: 1, usage: 2, configuration: 78 } as const;

/** A verb could not do what was asked; the message is one line for people. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly exitCode: number;
  constructor(message: string, exitCode: number = EXIT.failed) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** What a start or a verb failed with, for people: one line where somebody can do something about it, and the stack where
 * only a programmer can. */
export function failureText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const ours = error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError;
  return ours && !('code' in error) ? (error.stack ?? error.message) : error.message;
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof Failure) return error.exitCode;
  return error instanceof ConfigError ? EXIT.configuration : EXIT.failed;
}

/** @throws ConfigError */
export async function configOf(context: Context): Promise<Config> {
  return (await readingOf(context)).config;
}

/** As configOf, with what the file says. @throws ConfigError */
export function readingOf({ configFile, env, cwd }: Context): Promise<Reading> {
  return readConfig({ file: configFile, env, cwd });
}

export function say(context: Context, text: string): void {
  context.stdout.write(`${text}\n`);
}

/** Writes, and waits where the reader is slow. */
export async function write({ stdout }: Context, text: string): Promise<void> {
  if (!stdout.write(text)) await Promise.race([once(stdout, 'drain'), once(stdout, 'close')]);
}

export function sayJson(context: Context, value: unknown): void {
  say(context, JSON.stringify(value, null, 2));
}
