// A server of somebody else's that stays in the foreground: started, waited for until it accepts, and ended.

import { type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** ms. */
const PATIENCE = 60_000;

interface Surroundings extends Pick<SpawnOptions, 'cwd'> {
  /** A file in which it says more. */
  readonly log?: string;
}

/** It accepts when this resolves, and ends when that is disposed of. @throws Error with what it said; then it has ended */
export async function foreground(
  command: string,
  args: readonly string[],
  accepts: () => Promise<boolean>,
  { cwd, log }: Surroundings = {},
): Promise<AsyncDisposable> {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => said.push(String(text)));
  child.on('error', (error) => said.push(error.message));
  const running = {
    async [Symbol.asyncDispose]() {
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      await exit;
    },
  };
  for (const end = Date.now() + PATIENCE; !(await accepts()); await sleep(50)) {
    if (Date.now() < end && child.exitCode === null && child.pid !== undefined) continue;
    await running[Symbol.asyncDispose]();
    if (log !== undefined) said.push(await readFile(log, 'utf8').catch(() => ''));
    throw new Error(`${command} does not start: ${said.join('').slice(-2_000)}`);
  }
  return running;
}
