// Was this program called as sendmail? By a link of that name, as /usr/sbin/sendmail is, or by the verb. Under the name it
// runs for callers (cron, PHP) that know nothing of Postern, so that it has to find its configuration by itself.

import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

export interface SendmailCall {
  readonly args: readonly string[];
  /** The configuration that was named, or found; null: as for any verb. */
  readonly config: string | null;
  /** What relative paths start from; null: the working directory. */
  readonly cwd: string | null;
}

/** Where a server that the system starts has its configuration. */
const SYSTEM_CONFIG = '/etc/postern/postern.toml';

/** @returns null for any other call */
export function sendmailCall(
  [, script = '', ...args]: readonly string[],
  env: Readonly<Record<string, string | undefined>> = process.env,
): SendmailCall | null {
  if (basename(script) === 'sendmail') return byName(args, env);
  const named = args[0] === '-c' || args[0] === '--config';
  const [verb, ...rest] = args.slice(named ? 2 : /^--config=/.test(args[0] ?? '') ? 1 : 0);
  if (verb !== 'sendmail' || rest.includes('--help')) return null;
  const config = named ? (args[1] ?? null) : (/^--config=(.*)$/s.exec(args[0] ?? '')?.[1] ?? null);
  return { args: rest, config, cwd: null };
}

/** The callers' working directory means nothing: the program's own folder stands for it, as where "npm start" runs. */
function byName(args: readonly string[], env: Readonly<Record<string, string | undefined>>): SendmailCall {
  const home = join(import.meta.dirname, '../..');
  const named = env.POSTERN_CONFIG;
  const config = named ? resolve(named) : existsSync(SYSTEM_CONFIG) ? SYSTEM_CONFIG : null;
  return { args, config, cwd: home };
}
