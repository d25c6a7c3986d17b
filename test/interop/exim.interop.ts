// Exim as the other server, in both directions: a second opinion beside Postfix, with another TLS library (GnuTLS) and its
// own ideas of CHUNKING, PIPELINING and lines.

import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SmtpClient } from '../clients/smtp.ts';
import { readReport } from '../journeys/report.ts';
import { EXIM, Exim } from '../process/exim.ts';
import { freePorts } from '../process/postfix.ts';
import { PASSWORD, Program, userAddress } from '../process/program.ts';
import { Fates } from './fates.ts';
import { cases, program } from './foreign.ts';
import { arrival, authorityOf, bodyOf, receivedOf } from './mailbox.ts';

const exim = await program('exim4', [EXIM, '-C', '/dev/null', '-bV'], /^Exim version (\S+)/m);
const openssl = await program('openssl', ['openssl', 'version'], /OpenSSL (\S+)/);

/** Exim's ports by what they offer. */
const GATES = ['tls', 'clear', 'small', 'plain'] as const;
type Gate = (typeof GATES)[number];

/** Transports by local part of the sender, and what our trace field says of them. */
const SENDERS = {
  clear: { options: ['hosts_avoid_tls = *'], trace: / with ESMTP / },
  offered: { options: [], trace: / with ESMTPS .*TLSv1\.3/ },
  verified: {
    options: [
      'hosts_require_tls = *',
      'tls_verify_hosts = *',
      'tls_verify_cert_hostnames = *',
      'tls_verify_certificates = @FOLDER@/ca.pem',
    ],
    trace: / with ESMTPS /,
  },
  old: { options: ['hosts_require_tls = *', 'tls_require_ciphers = LEGACY:-VERS-ALL:+VERS-TLS1.0'], trace: /\(TLSv1 / },
  unchunked: { options: ['hosts_try_chunking ='], trace: / with ESMTPS / },
  helo: { options: ['hosts_avoid_esmtp = *'], trace: / with SMTP / },
} as const;

cases([exim, openssl], () => {
  const stack = new AsyncDisposableStack();
  const fates = new Fates();
  const ports = new Map<Gate, number>();
  let peer: Exim;
  let server: Program;

  beforeAll(async () => {
    const free = await freePorts(GATES.length);
    for (const [index, gate] of GATES.entries()) ports.set(gate, free[index] ?? 0);
    const at = (gate: Gate, yes: string, no: string): string =>
      `\${if eq{$received_port}{${ports.get(gate)}}{${yes}}{${no}}}`;
    const routes = GATES.map(
      (gate) => `[[relay.route]]\ndomain = "${gate}.far.test"\nhost = "127.0.0.1"\nport = ${ports.get(gate)}`,
    );
    const back = `[[relay.route]]\ndomain = "other.test"\nhost = "127.0.0.1"\nport = ${ports.get('tls')}`;
    const more = ['[queue]', 'retry = ["1s"]', ...routes, back].join('\n');
    server = stack.use(await Program.start({ more, logLevel: 'info', onLine: fates.hear }));
    peer = stack.use(
      await Exim.start({
        ports: free,
        domains: ['other.test', ...GATES.map((gate) => `${gate}.far.test`)],
        onward: server.port(25),
        authority: await readFile(authorityOf(server), 'utf8'),
        transports: Object.fromEntries(Object.entries(SENDERS).map(([name, { options }]) => [name, options])),
        main: [
          `tls_advertise_hosts = ${at('clear', '', at('plain', '', '*'))}`,
          `message_size_limit = ${at('small', '5K', '50M')}`,
          `chunking_advertise_hosts = ${at('plain', '', '*')}`,
          `pipelining_advertise_hosts = ${at('plain', '', '*')}`,
          `dsn_advertise_hosts = ${at('plain', '', '*')}`,
        ],
      }),
    );
  });
  afterAll(() => stack.disposeAsync());

  const submit = async (
    subject: string,
    recipients: readonly string[],
    body = '..dots\r\nÜ\r\n',
    rcpt = '',
  ): Promise<void> => {
    const door = { port: server.port(465), tls: 'implicit' } as const;
    using client = await SmtpClient.open(door, { user: userAddress(1), password: PASSWORD });
    await client.command(`MAIL FROM:<${userAddress(1)}>`, 250);
    for (const recipient of recipients) await client.command(`RCPT TO:<${recipient}>${rcpt}`, 250);
    await client.command('DATA', 354);
    client.link.write(Buffer.from(`From: <${userAddress(1)}>\r\nSubject: ${subject}\r\n\r\n${body}.\r\n`));
    await client.expect('end of data', 250);
    await client.quit();
  };
  /** What Exim has for a user under a subject, when it is there. */
  const delivered = async (user: string, subject: string): Promise<string> => {
    const found = async (): Promise<string[]> =>
      (await peer.mailbox(user)).filter((octets) => octets.includes(`\nSubject: ${subject}\n`));
    await expect.poll(found).not.toEqual([]);
    const [first = '', ...others] = await found();
    expect(others).toEqual([]);
    return first;
  };
  /** The line of Exim's log by which a message came in. */
  const accepted = async (subject: string, user: string): Promise<string> => {
    const id = /\sid (\w{6}-\w{6,11}-\w{2,4})/.exec(await delivered(user, subject))?.[1];
    return (await peer.log()).split('\n').find((line) => line.includes(`${id} <= `)) ?? '';
  };

  describe('Postern relays to Exim', () => {
    test.each([
      ['with STARTTLS', 'tls', / P=esmtps .*X=TLS1\.3:/],
      ['in clear', 'clear', / P=esmtp /],
      ['without PIPELINING, CHUNKING and DSN', 'plain', / P=esmtp /],
    ] as const)('%s', async (name, gate, line) => {
      await submit(name, [`zoe@${gate}.far.test`, `yan@${gate}.far.test`]);
      for (const user of ['zoe', 'yan']) {
        const octets = await delivered(`${user}@${gate}.far.test`, name);
        expect(octets).toMatch(/\n\n\.dots\n=C3=9C\n$/);
        expect(octets).toMatch(/^Return-path: <user01@example\.test>\n/);
      }
      expect(await accepted(name, `zoe@${gate}.far.test`)).toMatch(line);
    });

    test('450 for one, 550 for another, in one transaction: each fares by itself', async () => {
      await submit('by recipient', ['zoe@tls.far.test', 'busy@tls.far.test', 'gone@tls.far.test']);
      await delivered('zoe@tls.far.test', 'by recipient');
      const octets = await arrival(server, 1, 'Your message could not be delivered');
      const { recipients } = await readReport(Buffer.from(octets));
      expect(recipients.map((fields) => fields.get('final-recipient'))).toEqual(['rfc822; gone@tls.far.test']);
      expect(recipients[0]?.get('status')).toBe('5.1.1');
      expect(await fates.wordOn('busy@tls.far.test')).toMatchObject({ msg: 'deferred', status: '4.2.1' });
      expect(await peer.mailbox('busy@tls.far.test')).toEqual([]);
      await peer.takeAll();
      await delivered('busy@tls.far.test', 'by recipient');
      await delivered('zoe@tls.far.test', 'by recipient');
    });

    test('a message larger than SIZE is not even tried', async () => {
      await submit('too large', ['zoe@small.far.test'], `${'x'.repeat(70)}\r\n`.repeat(100));
      expect(await fates.wordOn('zoe@small.far.test')).toMatchObject({ msg: 'failed', status: '5.3.4' });
      expect(await peer.log()).not.toContain('zoe@small.far.test');
    });

    test('a large message, whole, in chunks (RFC 3030)', async () => {
      const line = `${'0123456789'.repeat(7)}\r\n`;
      await submit('large', ['zoe@tls.far.test'], line.repeat(60_000));
      const octets = await delivered('zoe@tls.far.test', 'large');
      expect(octets.slice(octets.indexOf('\n\n') + 2) === line.replace('\r', '').repeat(60_000)).toBe(true);
      expect(await accepted('large', 'zoe@tls.far.test')).toMatch(/ K /);
    });

    test('lines of 998 octets stay, also behind dots; longer ones are made short', async () => {
      const longest = `.${'y'.repeat(997)}`;
      await submit('longest lines', ['zoe@tls.far.test'], `.${longest}\r\n`.repeat(3));
      expect((await delivered('zoe@tls.far.test', 'longest lines')).endsWith(`\n\n${`${longest}\n`.repeat(3)}`)).toBe(
        true,
      );
      await submit('longer lines', ['zoe@tls.far.test'], `${'z'.repeat(5_000)}\r\n`);
      const octets = await delivered('zoe@tls.far.test', 'longer lines');
      expect(octets.slice(octets.indexOf('\n\n')).replaceAll('=\n', '').trim()).toBe('z'.repeat(5_000));
    });

    test('NOTIFY=SUCCESS is handed on, and the report of Exim comes back', async () => {
      await submit('notified', ['zoe@tls.far.test'], 'x\r\n', ' NOTIFY=SUCCESS ORCPT=rfc822;zoe@tls.far.test');
      const octets = await arrival(server, 1, 'Delivery Status Notification');
      const { message, recipients } = await readReport(Buffer.from(octets));
      expect(message.get('reporting-mta')).toBe('dns; exim.other.test');
      expect(recipients[0]?.get('action')).toBe('delivered');
    });
  });

  describe('Exim relays to Postern', () => {
    const enter = async (
      name: string,
      subject: string,
      body: string,
      rcpt = '',
      to = userAddress(2),
    ): Promise<void> => {
      using client = await SmtpClient.open({ port: ports.get('tls') ?? 0 });
      await client.command(`MAIL FROM:<${name}@other.test>`, 250);
      await client.command(`RCPT TO:<${to}>${rcpt}`, 250);
      await client.command('DATA', 354);
      client.link.write(Buffer.from(`Subject: ${subject}\r\n\r\n${body}.\r\n`));
      await client.expect('end of data', 250);
      await client.quit();
    };

    test.each(Object.entries(SENDERS))('%s', async (name, { trace }) => {
      await enter(name, `by ${name}`, '..dots\r\nÜ\r\n');
      const octets = await arrival(server, 2, `by ${name}`);
      expect(bodyOf(octets)).toBe('.dots\r\nÜ\r\n');
      const hops = receivedOf(octets);
      expect(hops).toHaveLength(2);
      expect(hops[0]).toMatch(trace);
      expect(hops[0]).toMatch(/from exim\.other\.test /);
      expect(octets).toMatch(new RegExp(`^Return-Path: <${name}@other\\.test>\\r\\n`));
    });

    test('a large message in chunks, whole', async () => {
      const line = `${'0123456789'.repeat(7)}\r\n`;
      await enter('offered', 'a large one', line.repeat(60_000));
      expect(bodyOf(await arrival(server, 2, 'a large one')) === line.repeat(60_000)).toBe(true);
      // K: by CHUNKING.
      expect(await peer.log()).toMatch(/=> user02@example\.test .* K /);
    });

    test('an unknown recipient: Exim reports it to its sender', async () => {
      await enter('clear', 'to nobody', 'x\r\n', '', 'nobody@example.test');
      await expect.poll(() => peer.log()).toMatch(/\*\* nobody@example\.test .*550 5\.1\.1 /);
    });

    test('NOTIFY=SUCCESS: the report on delivery goes back through Exim', async () => {
      await enter('notified', 'told of', 'x\r\n', ' NOTIFY=SUCCESS');
      await arrival(server, 2, 'told of');
      await expect.poll(() => peer.mailbox('notified@other.test')).toHaveLength(1);
      const [octets = ''] = await peer.mailbox('notified@other.test');
      const { message, recipients } = await readReport(Buffer.from(octets.replaceAll('\n', '\r\n')));
      expect(message.get('reporting-mta')).toBe('dns; mail.example.test');
      expect(recipients[0]?.get('action')).toBe('delivered');
    });
  });
});
