// The HTTPS server of an MTA-STS policy: `openssl s_server`, which answers with a file as it is, status line and all.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Identity } from '../../src/platform/tls.ts';
import { connects } from './postfix.ts';

const PORT = 443;

export class PolicyHost implements AsyncDisposable {
  readonly #folder: string;
  readonly #child: ChildProcess;

  private constructor(folder: string, child: ChildProcess) {
    this.#folder = folder;
    this.#child = child;
  }

  /** It accepts at port 443 of a loopback address, which needs root, when this resolves.
   * @param answer the whole of it: status line, header, policy */
  static async start(address: string, { certificate, key }: Identity, answer: string): Promise<PolicyHost> {
    const folder = await mkdtemp(join(tmpdir(), 'postern-policy-'));
    await mkdir(join(folder, '.well-known'));
    await writeFile(join(folder, '.well-known/mta-sts.txt'), answer);
    await writeFile(join(folder, 'cert.pem'), certificate);
    await writeFile(join(folder, 'key.pem'), key);
    const args = ['-HTTP', '-quiet', '-accept', `${address}:${PORT}`, '-cert', 'cert.pem', '-key', 'key.pem'];
    const child = spawn('openssl', ['s_server', ...args], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (text) => {
      said = String(text);
    });
    const host = new PolicyHost(folder, child);
    while (!(await connects(PORT, address))) {
      if (child.exitCode !== null) {
        await host[Symbol.asyncDispose]();
        throw new Error(`openssl s_server does not start at ${address}:${PORT}: ${said}`);
      }
      await sleep(20);
    }
    return host;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exit = once(this.#child, 'exit');
      this.#child.kill('SIGTERM');
      await exit;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}
