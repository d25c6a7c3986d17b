// OpenSMTPD as the other server, in both directions: one without PIPELINING and CHUNKING, and, as Debian builds it, with a
// STARTTLS whose handshake fails. What it takes for its own domain goes on to smtp-sink, where it is looked at.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SmtpClient } from '../clients/smtp.ts';
import { readReport } from '../journeys/report.ts';
import { OPENSMTPD, startOpenSmtpd } from '../process/opensmtpd.ts';
import { freePorts } from '../process/postfix.ts';
import { PASSWORD, Program, userAddress } from '../process/program.ts';
import { SmtpSink } from '../process/smtp-sink.ts';
import { Fates } from './fates.ts';
import { cases, program } from './foreign.ts';
import { arrival, bodyOf, receivedOf } from './mailbox.ts';

const opensmtpd = await program('opensmtpd', [OPENSMTPD, '-h'], /OpenSMTPD (\S+)/);
const postfix = await program('postfix', ['postconf', '-d', '-h', 'mail_version'], /^(\d\S*)/);

/** Schemes of its relay by local part of the sender, and what our trace field says of them. */
const SENDERS = {
  clear: { scheme: 'smtp+notls', more: '', trace: / with ESMTP / },
  offered: { scheme: 'smtp', more: '', trace: / with ESMTPS .*TLSv1\.[23]/ },
  demanded: { scheme: 'smtp+tls', more: ' tls no-verify', trace: / with ESMTPS .*TLSv1\.[23]/ },
} as const;

cases([opensmtpd, postfix], () => {
  const stack = new AsyncDisposableStack();
  const fates = new Fates();
  let server: Program;
  let sink: SmtpSink;
  let entry = 0;

  beforeAll(async () => {
    const [tls = 0, clear = 0, end = 0] = await freePorts(3);
    entry = clear;
    sink = stack.use(await SmtpSink.start(end));
    const route = (domain: string, port: number): string =>
      `[[relay.route]]\ndomain = "${domain}"\nhost = "127.0.0.1"\nport = ${port}`;
    const more = [route('tls.far.test', tls), route('clear.far.test', clear)].join('\n');
    server = stack.use(await Program.start({ more, logLevel: 'info', onLine: fates.hear }));
    const port = server.port(25);
    stack.use(
      await startOpenSmtpd(
        [tls, clear],
        [
          `listen on 127.0.0.1 port ${tls} tls pki peer hostname peer.other.test`,
          `listen on 127.0.0.1 port ${clear} hostname peer.other.test`,
          `action "sink" relay host "smtp+notls://127.0.0.1:${end}"`,
          'match from any for rcpt-to "gone@clear.far.test" reject',
          ...['tls', 'clear'].map((name) => `match from any for domain "${name}.far.test" action "sink"`),
          ...Object.entries(SENDERS).flatMap(([name, { scheme, more: options }]) => [
            `action "${name}" relay host "${scheme}://127.0.0.1:${port}"${options}`,
            `match from any mail-from "${name}@other.test" for any action "${name}"`,
          ]),
        ],
      ),
    );
  });
  afterAll(() => stack.disposeAsync());

  const submit = async (subject: string, recipients: readonly string[], body = '..dots\r\n'): Promise<void> => {
    const door = { port: server.port(465), tls: 'implicit' } as const;
    using client = await SmtpClient.open(door, { user: userAddress(1), password: PASSWORD });
    const content = `From: <${userAddress(1)}>\r\nSubject: ${subject}\r\n\r\n${body}.\r\n`;
    await client.send(userAddress(1), recipients, content);
    await client.quit();
  };
  const passedOn = async (subject: string): Promise<string[]> => {
    const found = async (): Promise<string[]> =>
      (await sink.transactions()).filter((octets) => octets.includes(`\nSubject: ${subject}\n`));
    await expect.poll(found).not.toEqual([]);
    return found();
  };

  describe('Postern relays to OpenSMTPD', () => {
    test.each(['clear', 'tls'])('%s', async (name) => {
      await submit(name, [`zoe@${name}.far.test`, `yan@${name}.far.test`]);
      const all = await passedOn(name);
      expect(all).toHaveLength(1);
      expect([...(all[0] ?? '').matchAll(/^X-Rcpt-Args: <(\w+)@/gm)].map(([, user]) => user).sort()).toEqual([
        'yan',
        'zoe',
      ]);
      expect(all[0]).toMatch(/\n\n\.dots\n/);
      expect((await fates.of(`zoe@${name}.far.test`)).slice(0, 2)).toEqual(['delivered', 'opportunistic']);
    });

    test('an unknown recipient among known ones: one report, about that one', async () => {
      await submit('one unknown', ['ann@clear.far.test', 'gone@clear.far.test']);
      await passedOn('one unknown');
      const octets = await arrival(server, 1, 'Your message could not be delivered');
      const { recipients } = await readReport(Buffer.from(octets));
      expect(recipients.map((fields) => fields.get('final-recipient'))).toEqual(['rfc822; gone@clear.far.test']);
      expect(recipients[0]?.get('diagnostic-code')).toMatch(/^smtp; 550 /);
    });

    test('a large message, whole, though there is no CHUNKING', async () => {
      const line = `${'0123456789'.repeat(7)}\r\n`;
      await submit('large', ['max@clear.far.test'], line.repeat(60_000));
      await expect.poll(async () => (await passedOn('large'))[0]?.endsWith(`\n${line.replace('\r', '')}\n`)).toBe(true);
      const [octets = ''] = await passedOn('large');
      expect(octets.slice(octets.indexOf('\n\n') + 2) === `${line.replace('\r', '').repeat(60_000)}\n`).toBe(true);
    });
  });

  test.each(Object.entries(SENDERS))('OpenSMTPD relays to Postern: %s', async (name, { trace }) => {
    using client = await SmtpClient.open({ port: entry });
    const content = `Subject: by ${name}\r\n\r\n..dots\r\nÜ\r\n.\r\n`;
    await client.send(`${name}@other.test`, [userAddress(2)], Buffer.from(content));
    await client.quit();
    const octets = await arrival(server, 2, `by ${name}`);
    expect(bodyOf(octets)).toBe('.dots\r\nÜ\r\n');
    expect(receivedOf(octets)[0]).toMatch(trace);
    expect(octets).toMatch(new RegExp(`^Return-Path: <${name}@other\\.test>\\r\\n`));
  });
});
