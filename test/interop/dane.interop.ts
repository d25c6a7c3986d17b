// DANE (RFC 7672) against a DNS that is really signed and validated, and Postfix as the receiver: what becomes of a message
// in each cell of MX × TLSA × what the host offers. A man in the middle has all of these answers at hand but the right one.

import { createHash, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Identity } from '../../src/platform/tls.ts';
import { SmtpClient } from '../clients/smtp.ts';
import { type Authority, makeAuthority, tlsaFor, type Validity } from '../mta/security/authority.ts';
import { freePorts, Postfix } from '../process/postfix.ts';
import { PASSWORD, Program, userAddress } from '../process/program.ts';
import { SignedDns } from '../process/signed-dns.ts';
import { type Fate, Fates } from './fates.ts';
import { cases, program } from './foreign.ts';

const postfix = await program('postfix', ['postconf', '-d', '-h', 'mail_version'], /^(\d\S*)/);
const unbound = await program('unbound', ['unbound', '-V'], /Version (\S+)/);
const nsd = await program('nsd', ['nsd', '-v'], /version (\S+)/);
const bind = await program('dnssec-signzone', ['dnssec-signzone', '-V'], /(\d\S+)/);

const OLD = ['smtpd_tls_protocols=TLSv1', 'tls_medium_cipherlist=DEFAULT:@SECLEVEL=0'];
const past: Validity = { from: Date.now() - 7_200_000, to: Date.now() - 3_600_000 };

/** TLSA records and hosts, and their fate where MX and addresses are secure (RFC 7672 §2.1, §2.2, §3.1). */
const hosts: readonly (readonly [host: string, what: string, secure: Fate])[] = [
  ['ee-right', 'DANE-EE, the right key', ['delivered', 'dane', 'TLSv1.3']],
  ['ee-wrong', 'DANE-EE, another key', ['deferred', 'dane']],
  ['ta-right', 'DANE-TA, a certificate that is its own issuer, for another name', ['deferred', 'dane']],
  ['absent', 'no TLSA', ['delivered', 'opportunistic', 'TLSv1.3']],
  ['unusable', 'PKIX-EE, which SMTP cannot use', ['delivered', 'required', 'TLSv1.3']],
  ['bogus', 'TLSA whose signatures nobody trusts', ['deferred', 'dane']],
  ['expired', 'TLSA whose signatures are over', ['deferred', 'dane']],
  ['ee-stripped', 'DANE-EE, and STARTTLS is not offered', ['deferred', 'dane']],
  ['unusable-stripped', 'PKIX-EE, and STARTTLS is not offered', ['deferred', 'required']],
  ['absent-stripped', 'no TLSA, and STARTTLS is not offered', ['delivered', 'opportunistic', 'clear']],
  ['ee-over', 'DANE-EE, a certificate that is over, and for another name', ['delivered', 'dane', 'TLSv1.3']],
  ['ee-old', 'DANE-EE, and TLS 1.0 only', ['deferred', 'dane']],
  ['ee-mismatched', 'DANE-EE, and a key of another certificate: 454 to STARTTLS', ['deferred', 'dane']],
  ['ta-valid', 'DANE-TA, a certificate of that authority', ['delivered', 'dane', 'TLSv1.3']],
  ['ta-over', 'DANE-TA, a certificate of that authority that is over', ['deferred', 'dane']],
  ['ta-misnamed', 'DANE-TA, a certificate of that authority for another name', ['deferred', 'dane']],
];

/** Hosts with an identity of their own, at addresses of their own: the certificate and what else Postfix is told. */
const identities: readonly (readonly [
  host: string,
  issue: (authority: Authority) => Promise<Identity>,
  options?: readonly string[],
])[] = [
  ['ee-over', (authority) => authority.issue(['elsewhere.test'], past)],
  ['ee-old', (authority) => authority.issue(['ee-old.good.test']), OLD],
  [
    'ee-mismatched',
    async (authority) => {
      const [one, other] = [await authority.issue(['ee-mismatched.good.test']), await authority.issue(['x.test'])];
      return { certificate: one.certificate, key: other.key };
    },
  ],
  ['ta-valid', (authority) => authority.issue(['ta-valid.good.test'])],
  ['ta-over', (authority) => authority.issue(['ta-over.good.test'], past)],
  ['ta-misnamed', (authority) => authority.issue(['elsewhere.test'])],
];
/** What is delivered to them where nothing is demanded; the others as it says in their names. */
const OVER: Readonly<Record<string, string>> = { 'ee-old': 'TLSv1', 'ee-mismatched': 'clear' };

function addressOf(host: string): string {
  const own = identities.findIndex(([name]) => name === host);
  if (own >= 0) return `127.0.10.${own + 1}`;
  return host.endsWith('stripped') ? '127.0.0.2' : '127.0.0.1';
}

cases([unbound, nsd, bind, postfix], () => {
  describe('DANE', () => {
    const stack = new AsyncDisposableStack();
    let server: Program;
    const fates = new Fates();

    beforeAll(async () => {
      const [port = 0] = await freePorts(1);
      const main = [
        'myhostname = peer.other.test',
        'mynetworks = 127.0.0.0/8',
        'smtpd_relay_restrictions = permit_mynetworks, reject',
        'default_transport = discard',
      ];
      const folder = await mkdtemp(join(tmpdir(), 'postern-dane-'));
      stack.defer(() => rm(folder, { recursive: true }));
      const authority = await makeAuthority();
      const own = await Promise.all(
        identities.map(async ([host, issue, options = []]) => {
          const { certificate, key } = await issue(authority);
          await writeFile(join(folder, `${host}.pem`), certificate);
          await writeFile(join(folder, `${host}.key`), key, { mode: 0o600 });
          const tlsa = host.startsWith('ee') ? tlsaFor(certificate, 3, 1, 1) : tlsaFor(authority.certificate, 2, 0, 1);
          return { host, tlsa, options };
        }),
      );
      const receiver = stack.use(
        await Postfix.start({
          main,
          listeners: [
            { port, options: ['smtpd_tls_security_level=may'] },
            { address: '127.0.0.2', port, options: ['smtpd_tls_security_level=none'] },
            ...own.map(({ host, options }) => ({
              address: addressOf(host),
              port,
              options: [
                'smtpd_tls_security_level=may',
                `smtpd_tls_cert_file=${join(folder, `${host}.pem`)}`,
                `smtpd_tls_key_file=${join(folder, `${host}.key`)}`,
                ...options,
              ],
            })),
          ],
        }),
      );
      const certificate = new X509Certificate(await readFile(join(receiver.folder, 'etc/cert.pem')));
      const key = certificate.publicKey.export({ type: 'spki', format: 'der' });
      const sha256 = (octets: Uint8Array): string => createHash('sha256').update(octets).digest('hex');
      const right = sha256(key);
      const at = (host: string, data: string): string => `_${port}._tcp.${host} ${data}`;
      const dns = stack.use(
        await SignedDns.start([
          {
            name: 'good.test',
            signing: 'signed',
            records: [
              ...hosts.flatMap(([host]) => [`${host} A ${addressOf(host)}`, `to.${host} MX 10 ${host}`]),
              at('ee-right', `TLSA 3 1 1 ${right}`),
              at('ee-stripped', `TLSA 3 1 1 ${right}`),
              at('ee-wrong', `TLSA 3 1 1 ${sha256(Buffer.from('another'))}`),
              at('ta-right', `TLSA 2 0 1 ${sha256(certificate.raw)}`),
              at('unusable', `TLSA 1 1 1 ${right}`),
              at('unusable-stripped', `TLSA 1 1 1 ${right}`),
              at('bogus', 'CNAME tlsa.bad.test.'),
              at('expired', 'CNAME tlsa.old.test.'),
              ...own.map(({ host, tlsa: { usage, selector, matching, data } }) =>
                at(host, `TLSA ${usage} ${selector} ${matching} ${data.toString('hex')}`),
              ),
            ],
          },
          {
            name: 'plain.test',
            signing: 'unsigned',
            records: hosts.map(([host]) => `to.${host} MX 10 ${host}.good.test.`),
          },
          {
            name: 'bad.test',
            signing: 'untrusted',
            records: [`tlsa TLSA 3 1 1 ${right}`, ...hosts.map(([host]) => `to.${host} MX 10 ${host}.good.test.`)],
          },
          { name: 'old.test', signing: 'expired', records: [`tlsa TLSA 3 1 1 ${right}`] },
        ]),
      );
      const relay = ['[relay]', `port = ${port}`, 'loopback = true'];
      const resolver = ['[[relay.resolver]]', `address = "127.0.0.1:${dns.port}"`, 'trusted = true'];
      server = stack.use(
        await Program.start({ more: [...relay, ...resolver].join('\n'), logLevel: 'info', onLine: fates.hear }),
      );
      const door = { port: server.port(465), tls: 'implicit' } as const;
      using client = await SmtpClient.open(door, { user: userAddress(1), password: PASSWORD });
      const recipients = ['good', 'plain', 'bad'].flatMap((zone) => hosts.map(([host]) => `x@to.${host}.${zone}.test`));
      await client.send(userAddress(1), recipients, `From: <${userAddress(1)}>\r\nSubject: DANE\r\n\r\nx\r\n.\r\n`);
      await client.quit();
    });
    afterAll(() => stack.disposeAsync());

    test.each(hosts)('MX secure, %s: %s', async (host, _what, secure) => {
      expect(await fates.of(`x@to.${host}.good.test`)).toEqual(secure);
      if (secure[0] === 'deferred') {
        expect((await fates.wordOn(`x@to.${host}.good.test`)).status).toMatch(/^4\.7\./);
      }
    });

    test.each(hosts)('MX not signed, %s: whatever there is', async (host) => {
      const tls = OVER[host] ?? (host.endsWith('stripped') ? 'clear' : 'TLSv1.3');
      expect(await fates.of(`x@to.${host}.plain.test`)).toEqual(['delivered', 'opportunistic', tls]);
    });

    test.each(hosts)('MX bogus, %s: it waits', async (host) => {
      expect((await fates.of(`x@to.${host}.bad.test`))[0]).toBe('deferred');
    });
  });
});
