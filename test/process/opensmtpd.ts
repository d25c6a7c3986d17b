// An OpenSMTPD of the tests' own. Its folders and users are fixed when it is built, so it runs in a mount namespace where
// its own /var and /etc/passwd lie over the machine's. Needs root. What it takes goes on to whoever the tests name.

import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { foreground } from './foreground.ts';
import { allConnect } from './postfix.ts';
import { unpacked } from './unpacked.ts';

export const OPENSMTPD = unpacked('smtpd');
const USERS = ['opensmtpd', 'opensmtpq'];

/** All ports accept when this resolves. @param lines of smtpd.conf; `pki peer` is there @throws Error with what it said */
export async function startOpenSmtpd(ports: readonly number[], lines: readonly string[]): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'postern-opensmtpd-'));
  stack.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  await chmod(folder, 0o755);
  for (const path of ['spool/smtpd', 'run', 'lib/opensmtpd/empty', 'tmp']) {
    await mkdir(join(folder, 'var', path), { recursive: true });
  }
  await chmod(join(folder, 'var/spool/smtpd'), 0o711);
  for (const [file, line] of [
    ['passwd', (name: string, id: number) => `${name}:x:${id}:${id}::/var/lib/opensmtpd/empty:/usr/sbin/nologin`],
    ['group', (name: string, id: number) => `${name}:x:${id}:`],
  ] as const) {
    const known = (await readFile(join('/etc', file), 'utf8')).split('\n').filter((one) => !/^opensmtp/.test(one));
    const more = USERS.map((name, index) => line(name, 60_100 + index));
    await writeFile(join(folder, file), `${[...known.filter((one) => one !== ''), ...more].join('\n')}\n`, {
      mode: 0o644,
    });
  }
  const names = ['-subj', '/CN=localhost', '-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')];
  await promisify(execFile)('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '3', ...names]);
  await chmod(join(folder, 'key.pem'), 0o600);
  const pki = [`pki peer cert "${folder}/cert.pem"`, `pki peer key "${folder}/key.pem"`];
  await writeFile(join(folder, 'smtpd.conf'), `${[...pki, ...lines].join('\n')}\n`, { mode: 0o600 });
  const script = [
    'set -e',
    'for file in passwd group; do mount --bind "$1/$file" "/etc/$file"; done',
    'mount --bind "$1/var" /var',
    `exec ${OPENSMTPD} -d -f "$1/smtpd.conf"`,
  ];
  const args = ['--mount', 'sh', '-c', script.join('\n'), 'smtpd', folder];
  stack.use(await foreground('unshare', args, () => allConnect(ports)));
  return stack.move();
}
