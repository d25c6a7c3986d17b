// A Dovecot of the tests' own that does nothing but answer for a Postfix whether a password is right: its SASL mechanisms
// over a socket in Postfix's folder. Needs Debian's package and root.

import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { foreground } from './foreground.ts';

const run = promisify(execFile);

export interface DovecotAuthOptions {
  /** Where the socket is to be. */
  readonly socket: string;
  /** Lower case, with spaces. */
  readonly mechanisms: string;
  readonly user: string;
  readonly password: string;
}

const configuration = (folder: string, { socket, mechanisms }: DovecotAuthOptions): string => `
base_dir = ${folder}/run
state_dir = ${folder}/state
instance_name = postern-auth
log_path = ${folder}/log
protocols =
ssl = no
disable_plaintext_auth = no
auth_mechanisms = ${mechanisms}
passdb {
  driver = passwd-file
  args = scheme=PLAIN username_format=%u ${folder}/users
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=/nonexistent
}
service auth {
  unix_listener ${socket} {
    mode = 0666
  }
}
service stats {
  process_limit = 1
}
`;

/** Starts it; the socket is there when this resolves. @throws Error with the log's end */
export async function startDovecotAuth(options: DovecotAuthOptions): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'postern-dovecot-auth-'));
  stack.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  for (const name of ['run', 'state']) await mkdir(join(folder, name));
  await writeFile(join(folder, 'users'), `${options.user}:{PLAIN}${options.password}\n`, { mode: 0o644 });
  const file = join(folder, 'dovecot.conf');
  await writeFile(file, configuration(folder, options));
  await run('chmod', ['-R', 'a+rX', folder]);
  const isThere = () =>
    access(options.socket).then(
      () => true,
      () => false,
    );
  stack.use(await foreground('dovecot', ['-F', '-c', file], isThere, { log: join(folder, 'log') }));
  return stack.move();
}
