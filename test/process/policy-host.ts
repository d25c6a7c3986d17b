// The HTTPS server of an MTA-STS policy: `openssl s_server`, which answers with a file as it is, status line and all.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Identity } from '../../src/platform/tls.ts';
import { foreground } from './foreground.ts';
import { connects } from './postfix.ts';

const PORT = 443;

/** It accepts at port 443 of a loopback address, which needs root, when this resolves.
 * @param answer the whole of it: status line, header, policy */
export async function startPolicyHost(
  address: string,
  { certificate, key }: Identity,
  answer: string,
): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'postern-policy-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, '.well-known'));
  await writeFile(join(folder, '.well-known/mta-sts.txt'), answer);
  await writeFile(join(folder, 'cert.pem'), certificate);
  await writeFile(join(folder, 'key.pem'), key);
  const args = ['-HTTP', '-quiet', '-accept', `${address}:${PORT}`, '-cert', 'cert.pem', '-key', 'key.pem'];
  stack.use(await foreground('openssl', ['s_server', ...args], () => connects(PORT, address), { cwd: folder }));
  return stack.move();
}
