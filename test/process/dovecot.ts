// A Dovecot of the tests' own: IMAP and LMTP for the users of one domain, state and ports in a temporary folder. Needs
// Debian's package and root. Durability is as it comes; bounds that would cap a load on loopback are lifted.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { makeCertificate } from './postfix.ts';

const run = promisify(execFile);

export interface DovecotOptions {
  readonly users: readonly string[];
  readonly domain: string;
  readonly password: string;
  readonly imap: number;
  readonly imaps: number;
}

/** Debian's own account for mail, which owns the mailboxes. */
const OWNER = 'mail';

function configuration(folder: string, options: DovecotOptions, uid: number): string {
  return `
base_dir = ${folder}/run
state_dir = ${folder}/state
instance_name = postern-peer
log_path = ${folder}/log
protocols = imap lmtp
listen = 127.0.0.1
mail_location = maildir:${folder}/mail/%n
mail_uid = ${OWNER}
mail_gid = ${OWNER}
first_valid_uid = ${uid}
first_valid_gid = 1
ssl = yes
ssl_cert = <${folder}/etc/cert.pem
ssl_key = <${folder}/etc/key.pem
auth_mechanisms = plain login
auth_username_format = %Ln
passdb {
  driver = passwd-file
  args = scheme=PLAIN username_format=%n ${folder}/etc/users
}
userdb {
  driver = static
  args = uid=${OWNER} gid=${OWNER} home=${folder}/mail/%n
}
namespace inbox {
  inbox = yes
  separator = /
}
default_client_limit = 10000
default_process_limit = 3000
mail_max_userip_connections = 10000
service imap {
  process_limit = 6000
}
service imap-login {
  process_limit = 6000
  inet_listener imap {
    port = ${options.imap}
  }
  inet_listener imaps {
    port = ${options.imaps}
    ssl = yes
  }
}
service lmtp {
  unix_listener lmtp {
    mode = 0666
  }
}
service auth {
  client_limit = 20000
  unix_listener auth-postfix {
    mode = 0666
  }
}
service anvil {
  client_limit = 20000
}
`;
}

export class Dovecot implements AsyncDisposable {
  readonly folder: string;
  readonly version: string;

  private constructor(folder: string, version: string) {
    this.folder = folder;
    this.version = version;
  }

  static async start(options: DovecotOptions): Promise<Dovecot> {
    const folder = await mkdtemp(join(tmpdir(), 'postern-dovecot-'));
    await chmod(folder, 0o755);
    for (const name of ['etc', 'mail', 'state']) await mkdir(join(folder, name));
    const uid = Number((await run('id', ['-u', OWNER])).stdout);
    await chown(join(folder, 'mail'), uid, Number((await run('id', ['-g', OWNER])).stdout));
    await makeCertificate(join(folder, 'etc'));
    await writeFile(join(folder, 'etc/users'), options.users.map((user) => `${user}:${options.password}\n`).join(''));
    await writeFile(join(folder, 'etc/dovecot.conf'), configuration(folder, options, uid));
    const { stdout } = await run('dovecot', ['--version']);
    const dovecot = new Dovecot(folder, stdout.trim());
    try {
      await dovecot.start();
    } catch (error) {
      await dovecot[Symbol.asyncDispose]();
      throw error;
    }
    return dovecot;
  }

  async start(): Promise<void> {
    const child = spawn('dovecot', ['-c', join(this.folder, 'etc/dovecot.conf')], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += chunk;
    });
    const [code] = await once(child, 'exit');
    if (code !== 0) throw new Error(`Dovecot does not start: ${said}`);
  }

  async stop(): Promise<void> {
    const pid = await this.pid().catch(() => 0);
    if (pid === 0) return;
    process.kill(pid, 'SIGTERM');
    for (let tries = 0; tries < 600 && (await this.pid().catch(() => 0)) !== 0; tries++) await sleep(50);
  }

  async pid(): Promise<number> {
    return Number((await readFile(join(this.folder, 'run/master.pid'), 'utf8')).trim());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}
