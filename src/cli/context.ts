// What a verb is given by the process it runs in, so that a test can give it something else; and how it fails.

import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';

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

/** @throws ConfigError */
export function configOf({ configFile, env, cwd }: Context): Promise<Config> {
  return loadConfig({ file: configFile, env, cwd });
}

export function say(context: Context, text: string): void {
  context.stdout.write(`${text}\n`);
}

export function sayJson(context: Context, value: unknown): void {
  say(context, JSON.stringify(value, null, 2));
}
