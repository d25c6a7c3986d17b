// The peer that figures are compared with: Postfix delivering to Dovecot by LMTP, both as Debian ships them, both with
// their own durability. Only bounds that would cap a load from one address are lifted.

import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { LineSocket } from '../clients/line-socket.ts';
import { Dovecot } from '../process/dovecot.ts';
import { freePorts, Postfix } from '../process/postfix.ts';
import { RETRY, type Route } from './receivers.ts';
import { type Gate, type LoadedServer, PASSWORD, USERS, userAddress } from './server.ts';

/** Dovecot tells IDLE clients by inotify; the kernel's default is too few for a thousand of them. */
const INOTIFY = '/proc/sys/fs/inotify/max_user_instances';
const INOTIFY_WANTED = 8192;

/** @param routes where the mail for other domains goes */
export async function startPeer(routes: readonly Route[]): Promise<LoadedServer> {
  const stack = new AsyncDisposableStack();
  try {
    const inotify = (await readFile(INOTIFY, 'latin1')).trim();
    if (Number(inotify) < INOTIFY_WANTED) {
      await writeFile(INOTIFY, String(INOTIFY_WANTED));
      stack.defer(() => writeFile(INOTIFY, inotify));
    }
    const [transfer = 0, submissions = 0, submission = 0, imaps = 0, imap = 0] = await freePorts(5);
    const ports: Readonly<Record<Gate, number>> = {
      25: transfer,
      465: submissions,
      587: submission,
      993: imaps,
      143: imap,
    };
    const addresses = Array.from({ length: USERS }, (_, index) => userAddress(index + 1));
    const dovecot = stack.use(
      await Dovecot.start({
        users: addresses.map((address) => address.replace(/@.*/, '')),
        domain: 'example.test',
        password: PASSWORD,
        imap,
        imaps,
      }),
    );
    const sasl = ['smtpd_sasl_auth_enable=yes', 'smtpd_relay_restrictions=permit_sasl_authenticated,reject'];
    const postfix = stack.use(
      await Postfix.start({
        main: [
          'myhostname = peer.example.test',
          'virtual_mailbox_domains = example.test',
          'virtual_mailbox_maps = hash:@FOLDER@/etc/users',
          `virtual_transport = lmtp:unix:${dovecot.folder}/run/lmtp`,
          'transport_maps = hash:@FOLDER@/etc/transport',
          'smtpd_tls_security_level = may',
          'smtpd_tls_auth_only = yes',
          'smtpd_sasl_type = dovecot',
          `smtpd_sasl_path = ${dovecot.folder}/run/auth-postfix`,
          'smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination',
          'smtpd_client_connection_count_limit = 0',
          'default_process_limit = 200',
          'message_size_limit = 52428800',
          // TLS where a host has it, as Postern does; how long to wait is the same for both.
          'smtp_tls_security_level = may',
          `queue_run_delay = ${RETRY}s`,
          `minimal_backoff_time = ${RETRY}s`,
          `maximal_backoff_time = ${RETRY}s`,
        ],
        listeners: [
          { port: transfer },
          { port: submissions, options: ['smtpd_tls_wrappermode=yes', ...sasl] },
          { port: submission, options: ['smtpd_tls_security_level=encrypt', ...sasl] },
        ],
        tables: {
          users: addresses.map((address) => `${address} OK\n`).join(''),
          transport: routes.map(({ domain, host, port }) => `${domain} smtp:[${host}]:${port}\n`).join(''),
        },
      }),
    );
    await greeted(transfer, imap);
    const disposal = stack.move();
    return {
      name: 'postfix + dovecot',
      version: `${postfix.version} + ${dovecot.version}`,
      port: (gate) => ports[gate],
      clearImap: imap,
      pids: async () => [await postfix.pid(), await dovecot.pid()],
      async restart() {
        await postfix.stop();
        await dovecot.stop();
        const begun = performance.now();
        await Promise.all([postfix.start(), dovecot.start()]);
        await greeted(transfer, imap);
        return performance.now() - begun;
      },
      [Symbol.asyncDispose]: () => disposal.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** Waits until each port greets. */
async function greeted(...ports: readonly number[]): Promise<void> {
  for (const port of ports) {
    for (let tries = 0; ; tries++) {
      try {
        using link = await LineSocket.open({ port });
        await link.line();
        break;
      } catch (error) {
        if (tries > 1000) throw error;
        await sleep(5);
      }
    }
  }
}
