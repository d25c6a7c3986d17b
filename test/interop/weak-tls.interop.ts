// Postfix with old or broken TLS, as receiver and as sender. Any encryption beats cleartext, and cleartext beats losing
// mail (PORTS.md T4, T5, H2, H3); but where an operator wants to know who the other side is, mail waits.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFailed, onTestFinished, test } from 'vitest';
import { SmtpClient } from '../clients/smtp.ts';
import { makeAuthority } from '../mta/security/authority.ts';
import { freePorts, Postfix } from '../process/postfix.ts';
import { PASSWORD, Program, userAddress } from '../process/program.ts';
import { type Fate, Fates } from './fates.ts';
import { cases, program } from './foreign.ts';
import { arrival, receivedOf } from './mailbox.ts';

const postfix = await program('postfix', ['postconf', '-d', '-h', 'mail_version'], /^(\d\S*)/);

const OLD = ['smtpd_tls_protocols=TLSv1', 'tls_medium_cipherlist=DEFAULT:@SECLEVEL=0'];
const RUNGS = ['opportunistic', 'required', 'verified'] as const;
type Rung = (typeof RUNGS)[number];

interface Receiver {
  readonly what: string;
  /** Options of its smtpd; `@NAME@` stands for a file among `certificates`. */
  readonly options: readonly string[];
  /** `waits` is a deferral, else the version of TLS that brings the message. */
  readonly fates: Readonly<Record<Rung, 'TLSv1.3' | 'TLSv1' | 'clear' | 'waits'>>;
}

const identity = (name: string, key = name): readonly string[] => [
  `smtpd_tls_cert_file=@${name}@.pem`,
  `smtpd_tls_key_file=@${key}@.key`,
];
const ALL_TLS = { opportunistic: 'TLSv1.3', required: 'TLSv1.3', verified: 'TLSv1.3' } as const;
const NOBODY_KNOWN = { ...ALL_TLS, verified: 'waits' } as const;
const NO_TLS = { opportunistic: 'clear', required: 'waits', verified: 'waits' } as const;

const RECEIVERS: Readonly<Record<string, Receiver>> = {
  right: { what: 'TLS 1.3 and a good certificate', options: identity('right'), fates: ALL_TLS },
  old: {
    what: 'TLS 1.0 only',
    options: [...identity('right'), ...OLD],
    // RFC 8996: who must be known is not known by TLS 1.0.
    fates: { opportunistic: 'TLSv1', required: 'TLSv1', verified: 'waits' },
  },
  expired: { what: 'a certificate that is over', options: identity('expired'), fates: NOBODY_KNOWN },
  misnamed: { what: 'a certificate for another host', options: identity('misnamed'), fates: NOBODY_KNOWN },
  stranger: { what: 'a certificate of nobody who is known', options: identity('stranger'), fates: NOBODY_KNOWN },
  // It offers STARTTLS, and answers 454 to it.
  mismatched: { what: 'a key of another certificate', options: identity('right', 'expired'), fates: NO_TLS },
  // The handshake fails.
  anonymous: { what: 'no certificate at all', options: ['smtpd_tls_cert_file=none'], fates: NO_TLS },
  clear: { what: 'no STARTTLS', options: ['smtpd_tls_security_level=none'], fates: NO_TLS },
};

const main = (...lines: string[]): string[] => [
  'myhostname = peer.other.test',
  'mynetworks = 127.0.0.0/8',
  'smtpd_relay_restrictions = permit_mynetworks, reject',
  'smtp_host_lookup = native',
  'smtp_dns_support_level = disabled',
  // Postfix goes on in clear at its second try.
  'minimal_backoff_time = 1s',
  'maximal_backoff_time = 1s',
  'queue_run_delay = 1s',
  ...lines,
];

/** Certificates and their keys, in PEM, and `ca.pem` of the authority that has issued all but the stranger's. */
async function writeCertificates(folder: string): Promise<void> {
  const authority = await makeAuthority();
  const hours = (count: number): number => Date.now() + count * 3_600_000;
  const made = {
    right: await authority.issue(['127.0.0.1']),
    expired: await authority.issue(['127.0.0.1'], { from: hours(-2), to: hours(-1) }),
    misnamed: await authority.issue(['elsewhere.test']),
    stranger: await (await makeAuthority('Stranger')).issue(['127.0.0.1']),
  };
  await writeFile(join(folder, 'ca.pem'), authority.certificate);
  for (const [name, { certificate, key }] of Object.entries(made)) {
    await writeFile(join(folder, `${name}.pem`), certificate);
    await writeFile(join(folder, `${name}.key`), key, { mode: 0o600 });
  }
}

cases([postfix], () => {
  describe('Postern relays to a Postfix with weak TLS', () => {
    const stack = new AsyncDisposableStack();
    const fates = new Fates();
    let receiver: Postfix;

    beforeAll(async () => {
      const certificates = await mkdtemp(join(tmpdir(), 'postern-certificates-'));
      stack.defer(() => rm(certificates, { recursive: true }));
      await writeCertificates(certificates);
      const names = Object.keys(RECEIVERS);
      const ports = await freePorts(names.length);
      const place = (option: string): string => option.replace(/@(\w+)@/, join(certificates, '$1'));
      receiver = stack.use(
        await Postfix.start({
          main: main('default_transport = discard', 'smtpd_tls_security_level = may', 'smtpd_tls_loglevel = 1'),
          listeners: Object.values(RECEIVERS).map(({ options }, index) => ({
            port: ports[index] ?? 0,
            options: options.map(place),
          })),
        }),
      );
      const routes = names.flatMap((name, index) =>
        RUNGS.flatMap((rung) => [
          `[[relay.route]]\ndomain = "${name}.${rung}.test"`,
          `host = "127.0.0.1"\nport = ${ports[index]}\ntls = "${rung}"`,
        ]),
      );
      const more = ['[relay]', `ca = "${join(certificates, 'ca.pem')}"`, ...routes].join('\n');
      const server = stack.use(await Program.start({ more, logLevel: 'info', onLine: fates.hear }));
      const door = { port: server.port(465), tls: 'implicit' } as const;
      using client = await SmtpClient.open(door, { user: userAddress(1), password: PASSWORD });
      const recipients = names.flatMap((name) => RUNGS.map((rung) => `x@${name}.${rung}.test`));
      await client.send(userAddress(1), recipients, `From: <${userAddress(1)}>\r\nSubject: weak\r\n\r\nx\r\n.\r\n`);
      await client.quit();
    });
    afterAll(() => stack.disposeAsync());

    describe.each(Object.entries(RECEIVERS))('%s', (name, { what, fates: expected }) => {
      test.each(RUNGS)(`${what}, %s`, async (rung) => {
        const fate = expected[rung];
        const wanted: Fate = fate === 'waits' ? ['deferred', rung] : ['delivered', rung, fate];
        expect(await fates.of(`x@${name}.${rung}.test`)).toEqual(wanted);
        if (fate === 'waits') expect((await fates.wordOn(`x@${name}.${rung}.test`)).status).toMatch(/^4\.7\.[45]$/);
      });
    });

    test('Postfix has seen TLS 1.0, too', async () => {
      await fates.of('x@old.opportunistic.test');
      await expect.poll(() => receiver.log()).toMatch(/TLS connection established from .*: TLSv1 with cipher /);
    });
  });

  describe('a Postfix with weak TLS relays to Postern', () => {
    const SENDERS: readonly { name: string; what: string; lines: readonly string[]; trace: RegExp }[] = [
      {
        name: 'old',
        what: 'TLS 1.0 only',
        lines: ['smtp_tls_protocols = TLSv1', 'tls_medium_cipherlist = DEFAULT:@SECLEVEL=0'],
        trace: / with ESMTPS .* \(TLSv1 /,
      },
      {
        name: 'older',
        what: 'TLS 1.0 only, and the key by RSA',
        lines: ['smtp_tls_protocols = TLSv1', 'tls_medium_cipherlist = AES128-SHA:@SECLEVEL=0'],
        trace: / with ESMTPS .* tls TLS_RSA_WITH_AES_128_CBC_SHA \(TLSv1 /,
      },
      {
        name: 'demanding',
        what: 'TLS 1.0 only, and never in clear',
        lines: [
          'smtp_tls_security_level = encrypt',
          'smtp_tls_mandatory_protocols = TLSv1',
          'tls_medium_cipherlist = DEFAULT:@SECLEVEL=0',
        ],
        trace: / with ESMTPS .* \(TLSv1 /,
      },
      {
        name: 'anonymous',
        what: 'ciphers without a certificate only, which port 25 refuses: it comes back in clear',
        lines: ['smtp_tls_protocols = TLSv1.2', 'tls_medium_cipherlist = aNULL:!eNULL:@SECLEVEL=0'],
        trace: / with ESMTP /,
      },
    ];
    const stack = new AsyncDisposableStack();
    const ports = new Map<string, number>();
    const senders = new Map<string, Postfix>();
    let server: Program;

    beforeAll(async () => {
      server = stack.use(await Program.start());
      const free = await freePorts(SENDERS.length);
      await Promise.all(
        SENDERS.map(async ({ name, lines }, index) => {
          const port = free[index] ?? 0;
          ports.set(name, port);
          const relayhost = `relayhost = [localhost]:${server.port(25)}`;
          const sender = await Postfix.start({
            main: main(relayhost, 'smtp_tls_security_level = may', ...lines),
            listeners: [{ port }],
          });
          senders.set(name, stack.use(sender));
        }),
      );
    });
    afterAll(() => stack.disposeAsync());

    test.each(SENDERS)('$name: $what', async ({ name, trace }) => {
      const sender = senders.get(name);
      onTestFailed(async () => console.log((await sender?.log())?.slice(-3000)));
      // Its queue manager may look at a message in the moment in which the first try ends, and then lets it lie.
      const nudge = setInterval(() => sender?.flush().catch(() => undefined), 5_000);
      onTestFinished(() => clearInterval(nudge));
      for (const number of [1, 2]) {
        const subject = `from ${name} ${number}`;
        using client = await SmtpClient.open({ port: ports.get(name) ?? 0 });
        await client.send('sender@other.test', [userAddress(2)], `Subject: ${subject}\r\n\r\nx\r\n.\r\n`);
        await client.quit();
        expect(receivedOf(await arrival(server, 2, subject))[0]).toMatch(trace);
      }
    });
  });
});
