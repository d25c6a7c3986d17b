// Postfix as the other server, in both directions: it relays into port 25, with and without TLS, and Postern relays to
// it; recipients that are unknown, a greylist, reports, and a round trip of DSN.

import { execFile } from 'node:child_process';
import { chown, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SmtpClient } from '../clients/smtp.ts';
import { readReport } from '../journeys/report.ts';
import { freePorts, Postfix } from '../process/postfix.ts';
import { PASSWORD, Program, userAddress } from '../process/program.ts';
import { cases, program } from './foreign.ts';
import { arrival, authorityOf, bodyOf, everything, receivedOf } from './mailbox.ts';

const run = promisify(execFile);
const postfix = await program('postfix', ['postconf', '-d', '-h', 'mail_version'], /^(\d\S*)/);
const openssl = await program('openssl', ['openssl', 'version'], /OpenSSL (\S+)/);

/** What a Postfix has of other.test and of us. */
const main = (...lines: string[]): string[] => [
  'myhostname = peer.other.test',
  'mynetworks = 127.0.0.0/8',
  'smtpd_relay_restrictions = permit_mynetworks, reject',
  'smtp_host_lookup = native',
  'smtp_dns_support_level = disabled',
  'maximal_backoff_time = 5s',
  'minimal_backoff_time = 1s',
  'queue_run_delay = 1s',
  ...lines,
];

async function ended(server: Program, peers: readonly Postfix[]): Promise<void> {
  await Promise.all([server, ...peers].map((each) => each[Symbol.asyncDispose]()));
}

cases([postfix, openssl], () => {
  describe('Postfix relays to Postern', () => {
    let server: Program;
    /** By what they do about TLS. */
    const ports = new Map<string, number>();
    const peers: Postfix[] = [];
    beforeAll(async () => {
      server = await Program.start();
      const kinds = {
        clear: ['smtp_tls_security_level = none'],
        offered: ['smtp_tls_security_level = may'],
        old: ['smtp_tls_security_level = encrypt', 'smtp_tls_mandatory_protocols = TLSv1.2'],
        verified: [
          'smtp_tls_security_level = secure',
          'smtp_tls_secure_cert_match = localhost',
          `smtp_tls_CAfile = ${authorityOf(server)}`,
        ],
      };
      const free = await freePorts(Object.keys(kinds).length);
      await Promise.all(
        Object.entries(kinds).map(async ([kind, lines], index) => {
          const port = free[index] ?? 0;
          ports.set(kind, port);
          const relayhost = `relayhost = [localhost]:${server.port(25)}`;
          peers.push(await Postfix.start({ main: main(relayhost, ...lines), listeners: [{ port }] }));
        }),
      );
    });
    afterAll(() => ended(server, peers));

    const enter = (kind: string): Promise<SmtpClient> => SmtpClient.open({ port: ports.get(kind) ?? 0 });

    test.each([
      ['in clear', 'clear', /with ESMTP /],
      ['where TLS is offered', 'offered', /with ESMTPS .*TLSv1\.3/],
      ['with TLS 1.2 only', 'old', /TLSv1\.2/],
      ['with the certificate verified', 'verified', /with ESMTPS /],
    ] as const)('%s', async (name, kind, trace) => {
      using client = await enter(kind);
      await client.send('sender@other.test', [userAddress(2)], `Subject: ${name}\r\n\r\n..dots\r\n.\r\n`);
      await client.quit();
      const octets = await arrival(server, 2, name);
      expect(bodyOf(octets)).toBe('.dots\r\n');
      const hops = receivedOf(octets);
      expect(hops).toHaveLength(2);
      expect(hops[0]).toMatch(trace);
      expect(hops[0]).toMatch(/from peer\.other\.test /);
      expect(hops[1]).toMatch(/by peer\.other\.test \(Postfix\)/);
      expect(octets).toMatch(/^Return-Path: <sender@other\.test>\r\n/);
    });

    test('a hundred messages, each once', async () => {
      using client = await enter('offered');
      for (let number = 0; number < 100; number++) {
        const content = `Subject: load ${number}\r\n\r\n${'x'.repeat(number * 50)}\r\n.\r\n`.replace(
          /x{900}/g,
          '$&\r\n',
        );
        await client.send('sender@other.test', [userAddress(1)], content);
      }
      await client.quit();
      for (let number = 0; number < 100; number++) await arrival(server, 1, `load ${number}`);
      expect((await everything(server, 1)).filter((octets) => /^Subject: load /m.test(octets))).toHaveLength(100);
    });

    test('an unknown recipient: Postfix reports it, and the report comes in, from <>', async () => {
      using client = await enter('offered');
      await client.send(userAddress(1), ['nobody@example.test'], 'Subject: to nobody\r\n\r\nx\r\n.\r\n');
      await client.quit();
      const octets = await arrival(server, 1, 'Undelivered Mail Returned to Sender');
      expect(octets).toMatch(/^Return-Path: <>\r\n/);
      const { recipients } = await readReport(Buffer.from(octets));
      expect(recipients[0]?.get('final-recipient')).toBe('rfc822; nobody@example.test');
      expect(recipients[0]?.get('status')).toBe('5.1.1');
      expect(recipients[0]?.get('diagnostic-code')).toMatch(/^smtp; 550 5\.1\.1 /);
    });
  });

  describe('Postern relays to Postfix', () => {
    let server: Program;
    const ports: Record<string, number> = {};
    /** By the domain that leads to it. */
    const peers = new Map<string, Postfix>();
    beforeAll(async () => {
      const domains = ['tls.test', 'clear.test', 'demanding.test', 'grey.test'];
      const free = await freePorts(domains.length);
      const routes = domains.flatMap((domain, index) => {
        ports[domain] = free[index] ?? 0;
        return ['[[relay.route]]', `domain = "${domain}"`, 'host = "127.0.0.1"', `port = ${ports[domain]}`];
      });
      const more = ['[queue]', 'retry = ["3s"]', ...routes].join('\n');
      server = await Program.start({ more });
      const start = async (domain: string, ...lines: string[]): Promise<void> => {
        const peer = await Postfix.start({
          main: main(
            `relayhost = [127.0.0.1]:${server.port(25)}`,
            `virtual_mailbox_domains = ${domain}`,
            'virtual_mailbox_maps = hash:@FOLDER@/etc/users',
            'virtual_mailbox_base = @FOLDER@/mail',
            'virtual_uid_maps = static:65534',
            'virtual_gid_maps = static:65534',
            ...lines,
          ),
          listeners: [{ port: ports[domain] ?? 0 }],
          tables: { users: `zoe@${domain} zoe/\nyan@${domain} yan/\n`, access: `zoe@${domain} 450 4.7.1 come back\n` },
        });
        peers.set(domain, peer);
        await mkdir(join(peer.folder, 'mail'));
        await chown(join(peer.folder, 'mail'), 65534, 65534);
      };
      await Promise.all([
        start('tls.test', 'smtpd_tls_security_level = may', 'smtpd_tls_received_header = yes'),
        start('clear.test', 'smtpd_tls_security_level = none'),
        start('demanding.test', 'smtpd_tls_security_level = encrypt'),
        start('grey.test', 'smtpd_recipient_restrictions = check_recipient_access hash:@FOLDER@/etc/access'),
      ]);
    });
    afterAll(() => ended(server, [...peers.values()]));

    const peerAt = (domain: string): Postfix => {
      const peer = peers.get(domain);
      if (!peer) throw new Error(`nobody stands at ${domain}`);
      return peer;
    };
    const submit = async (subject: string, recipients: readonly string[], rcpt = ''): Promise<void> => {
      const door = { port: server.port(465), tls: 'implicit' } as const;
      using client = await SmtpClient.open(door, { user: userAddress(1), password: PASSWORD });
      await client.command(`MAIL FROM:<${userAddress(1)}>`, 250);
      for (const recipient of recipients) await client.command(`RCPT TO:<${recipient}>${rcpt}`, 250);
      await client.command('DATA', 354);
      const content = `From: <${userAddress(1)}>\r\nSubject: ${subject}\r\n\r\n..dots\r\nÜ\r\n.`;
      await client.command(Buffer.from(content).toString('latin1'), 250);
      await client.quit();
    };
    /** Looks until a Maildir has the message; Postfix tells nobody when it delivers. */
    const delivered = async (domain: string, user: string, subject: string): Promise<string> => {
      const folder = join(peerAt(domain).folder, 'mail', user, 'new');
      for (;;) {
        const names = await readdir(folder).catch(() => []);
        const all = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
        const found = all.filter((octets) => octets.includes(`Subject: ${subject}\n`));
        if (found.length > 1) throw new Error(`${found.length} of "${subject}"`);
        if (found[0] !== undefined) return found[0];
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };

    test.each([
      ['with STARTTLS, and a certificate that nobody knows (H2)', 'tls.test', /using TLSv1\.3 /],
      ['in clear where there is no TLS', 'clear.test', /with ESMTP id/],
      ['with STARTTLS where it is demanded', 'demanding.test', /with ESMTPS id/],
    ] as const)('%s', async (name, domain, trace) => {
      await submit(name, [`zoe@${domain}`, `yan@${domain}`]);
      for (const user of ['zoe', 'yan']) {
        const octets = await delivered(domain, user, name);
        // Made 7-bit before it was signed (RFC 6376 §5.3).
        expect(octets).toMatch(/\n\n\.dots\n=C3=9C\n$/);
        expect(octets).toMatch(/^Return-Path: <user01@example\.test>\n/);
        const [first = ''] = octets.replace(/\n[ \t]+/g, ' ').match(/^Received: .*$/gm) ?? [];
        expect(first).toMatch(/from mail\.example\.test /);
        expect(first).toMatch(trace);
      }
    });

    test('450 first: it waits, comes again by the retry table, and arrives once', async () => {
      const peer = peerAt('grey.test');
      await submit('greylisted', ['zoe@grey.test', 'yan@grey.test']);
      await delivered('grey.test', 'yan', 'greylisted');
      while (!(await peer.log()).includes('450 4.7.1')) await new Promise((resolve) => setTimeout(resolve, 20));
      expect(await readdir(join(peer.folder, 'mail/zoe/new')).catch(() => [])).toEqual([]);
      const etc = join(peer.folder, 'etc');
      await writeFile(join(etc, 'access'), '');
      await run('postmap', ['-c', etc, `hash:${join(etc, 'access')}`]);
      await delivered('grey.test', 'zoe', 'greylisted');
      expect(await readdir(join(peer.folder, 'mail/yan/new'))).toHaveLength(1);
    });

    test('an unknown recipient among known ones: one report, about that one', async () => {
      await submit('one unknown', ['zoe@tls.test', 'nobody@tls.test']);
      await delivered('tls.test', 'zoe', 'one unknown');
      const octets = await arrival(server, 1, 'Your message could not be delivered');
      const { recipients } = await readReport(Buffer.from(octets));
      expect(recipients).toHaveLength(1);
      expect(recipients[0]?.get('final-recipient')).toBe('rfc822; nobody@tls.test');
      expect(recipients[0]?.get('diagnostic-code')).toMatch(/^smtp; 550 5\.1\.1 /);
    });

    test('NOTIFY=SUCCESS is handed on, and the report of Postfix comes back', async () => {
      await submit('notified', ['zoe@tls.test'], ' NOTIFY=SUCCESS ORCPT=rfc822;zoe@tls.test');
      await delivered('tls.test', 'zoe', 'notified');
      const octets = await arrival(server, 1, 'Successful Mail Delivery Report');
      const { message, recipients } = await readReport(Buffer.from(octets));
      expect(message.get('reporting-mta')).toBe('dns; peer.other.test');
      expect(recipients[0]?.get('action')).toBe('delivered');
      expect(recipients[0]?.get('original-recipient')).toBe('rfc822;zoe@tls.test');
    });

    test('a large message, whole, in chunks (RFC 3030)', async () => {
      const door = { port: server.port(465), tls: 'implicit' } as const;
      using client = await SmtpClient.open(door, { user: userAddress(1), password: PASSWORD });
      const line = `${'0123456789'.repeat(7)}\r\n`;
      const content = `Subject: large\r\n\r\n${line.repeat(60_000)}.\r\n`;
      await client.send(userAddress(1), ['zoe@clear.test'], content);
      const octets = await delivered('clear.test', 'zoe', 'large');
      expect(octets.slice(octets.indexOf('\n\n') + 2) === line.replace('\r', '').repeat(60_000)).toBe(true);
      // Told at the end of the connection, which Postern keeps for a moment.
      const peer = peerAt('clear.test');
      while (!(await peer.log()).includes(' bdat=2 ')) await new Promise((resolve) => setTimeout(resolve, 20));
    });
  });
});
