// MTA-STS (RFC 8461) against real peers: policies from HTTPS servers with certificates of a test authority, names from a
// real DNS, and Postfix as the mail host, with a certificate that is right or not. What becomes of a message in each cell.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PolicyFailure } from '../../src/mta/security/policy-fetch.ts';
import { SmtpClient } from '../clients/smtp.ts';
import { type Authority, makeAuthority, type Validity } from '../mta/security/authority.ts';
import { startPolicyHost } from '../process/policy-host.ts';
import { freePorts, Postfix } from '../process/postfix.ts';
import { PASSWORD, Program, userAddress } from '../process/program.ts';
import { SignedDns } from '../process/signed-dns.ts';
import { type Fate, Fates } from './fates.ts';
import { cases, program } from './foreign.ts';

const postfix = await program('postfix', ['postconf', '-d', '-h', 'mail_version'], /^(\d\S*)/);
const openssl = await program('openssl', ['openssl', 'version'], /OpenSSL (\S+)/);
const unbound = await program('unbound', ['unbound', '-V'], /Version (\S+)/);
const nsd = await program('nsd', ['nsd', '-v'], /version (\S+)/);
const bind = await program('dnssec-signzone', ['dnssec-signzone', '-V'], /(\d\S+)/);

/** Mail hosts by what they show; `plain` does not offer STARTTLS. */
const HOSTS = ['right', 'misnamed', 'expired', 'stranger', 'old', 'plain'] as const;
type Host = (typeof HOSTS)[number];
type Cells = Readonly<Record<Host, Fate>>;

const TLS: Fate = ['delivered', 'opportunistic', 'TLSv1.3'];
const WAITS: Fate = ['deferred', 'mta-sts'];
const PLAIN = ['smtpd_tls_security_level=none'];
const OLD = ['smtpd_tls_protocols=TLSv1', 'tls_medium_cipherlist=DEFAULT:@SECLEVEL=0'];

/** Where no policy is in force: any certificate, TLS 1.0, and clear where there is nothing else. */
const TRUSTING: Cells = {
  right: TLS,
  misnamed: TLS,
  expired: TLS,
  stranger: TLS,
  old: ['delivered', 'opportunistic', 'TLSv1'],
  plain: ['delivered', 'opportunistic', 'clear'],
};
const STRICT: Cells = {
  right: ['delivered', 'mta-sts', 'TLSv1.3'],
  misnamed: WAITS,
  expired: WAITS,
  stranger: WAITS,
  old: WAITS,
  plain: WAITS,
};

type Certificate = ReturnType<Authority['issue']>;

interface Row {
  readonly what: string;
  readonly fates: Cells;
  /** Why there is no policy, by the names of RFC 8460 §4.3.3; absent: there is one. */
  readonly failure?: PolicyFailure;
  /** Of the policy; absent: `enforce` for all hosts. */
  readonly policy?: string;
  /** What the HTTPS server answers with; `@POLICY@` stands for the policy. Absent: 200 and text/plain. */
  readonly answer?: string;
  /** Of the HTTPS server; absent: right. */
  readonly certificate?: (right: Authority, names: readonly string[]) => Certificate;
}

const policyOf = (mode: string, mx = '*.hosts.test'): string =>
  `version: STSv1\r\nmode: ${mode}\r\nmx: ${mx}\r\nmax_age: 86400\r\n`;
const answer = (status: string, ...fields: string[]): string =>
  `HTTP/1.0 ${[status, ...fields].join('\r\n')}\r\n\r\n@POLICY@`;
const ANSWER = answer('200 OK', 'Content-Type: text/plain');
const past: Validity = { from: Date.now() - 7_200_000, to: Date.now() - 3_600_000 };

const ROWS: Readonly<Record<string, Row>> = {
  enforce: { what: 'mode enforce', fates: STRICT },
  testing: { what: 'mode testing', policy: policyOf('testing'), fates: TRUSTING },
  none: { what: 'mode none', policy: policyOf('none'), fates: TRUSTING },
  unlisted: {
    what: 'mode enforce, for other hosts',
    policy: policyOf('enforce', 'elsewhere.test'),
    fates: { ...STRICT, right: WAITS },
  },
  // RFC 8461 §3.3: whatever is wrong with the way to the policy, there is none.
  expired: {
    what: 'its certificate is over',
    certificate: (right, names) => right.issue(names, past),
    failure: 'sts-webpki-invalid',
    fates: TRUSTING,
  },
  misnamed: {
    what: 'its certificate is for another name',
    certificate: (right) => right.issue(['elsewhere.test']),
    failure: 'sts-webpki-invalid',
    fates: TRUSTING,
  },
  stranger: {
    what: 'nobody who is known vouches for it',
    certificate: async (_right, names) => (await makeAuthority('Stranger')).issue(names),
    failure: 'sts-webpki-invalid',
    fates: TRUSTING,
  },
  redirect: {
    what: 'it redirects to a policy',
    answer: answer(
      '301 Moved',
      'Content-Type: text/plain',
      'Location: https://mta-sts.right.enforce.sts.test/.well-known/mta-sts.txt',
    ),
    failure: 'sts-policy-fetch-error',
    fates: TRUSTING,
  },
  missing: {
    what: 'it has none',
    answer: answer('404 Not Found', 'Content-Type: text/plain'),
    failure: 'sts-policy-fetch-error',
    fates: TRUSTING,
  },
  page: {
    what: 'it is a page',
    answer: answer('200 OK', 'Content-Type: text/html'),
    failure: 'sts-policy-invalid',
    fates: TRUSTING,
  },
  oversize: {
    what: 'it is over 64 KB',
    policy: policyOf('enforce').repeat(2_000),
    failure: 'sts-policy-invalid',
    fates: TRUSTING,
  },
  nonsense: {
    what: 'it is no policy',
    policy: 'mode: enforce\r\nmx: *.hosts.test\r\n',
    failure: 'sts-policy-invalid',
    fates: TRUSTING,
  },
};

const recipient = (host: Host, name: string): string => `x@${host}.${name}.sts.test`;
const policyAddress = (index: number): string => `127.0.8.${index + 1}`;
const hostAddress = (index: number): string => `127.0.9.${index + 1}`;

cases([openssl, postfix, unbound, nsd, bind], () => {
  describe('MTA-STS', () => {
    const stack = new AsyncDisposableStack();
    const fates = new Fates();
    let server: Program;

    beforeAll(async () => {
      const folder = await mkdtemp(join(tmpdir(), 'postern-sts-'));
      stack.defer(() => rm(folder, { recursive: true }));
      const authority = await makeAuthority();
      await writeFile(join(folder, 'ca.pem'), authority.certificate);
      // An address for each, since the port is 443.
      await Promise.all(
        Object.entries(ROWS).map(async ([name, row], index) => {
          const names = HOSTS.map((host) => `mta-sts.${host}.${name}.sts.test`);
          const certificate = await (row.certificate?.(authority, names) ?? authority.issue(names));
          const text = (row.answer ?? ANSWER).replace('@POLICY@', row.policy ?? policyOf('enforce'));
          stack.use(await startPolicyHost(policyAddress(index), certificate, text));
        }),
      );
      const certificates: Readonly<Partial<Record<Host, Certificate>>> = {
        right: authority.issue(['right.hosts.test']),
        misnamed: authority.issue(['elsewhere.test']),
        expired: authority.issue(['expired.hosts.test'], past),
        stranger: makeAuthority('Stranger').then((stranger) => stranger.issue(['stranger.hosts.test'])),
        old: authority.issue(['old.hosts.test']),
      };
      const [port = 0] = await freePorts(1);
      const listeners = HOSTS.map(async (host, index) => {
        const identity = await certificates[host];
        if (identity === undefined) return { address: hostAddress(index), port, options: PLAIN };
        const [cert, key] = [join(folder, `${host}.pem`), join(folder, `${host}.key`)];
        await writeFile(cert, identity.certificate);
        await writeFile(key, identity.key, { mode: 0o600 });
        const files = [`smtpd_tls_cert_file=${cert}`, `smtpd_tls_key_file=${key}`];
        return { address: hostAddress(index), port, options: host === 'old' ? [...files, ...OLD] : files };
      });
      const main = [
        'myhostname = peer.other.test',
        'mynetworks = 127.0.0.0/8',
        'smtpd_relay_restrictions = permit_mynetworks, reject',
        'smtpd_tls_security_level = may',
        'default_transport = discard',
      ];
      stack.use(await Postfix.start({ main, listeners: await Promise.all(listeners) }));
      const domains = Object.keys(ROWS).flatMap((name, index) =>
        HOSTS.flatMap((host) => [
          `${host}.${name} MX 10 ${host}.hosts.test.`,
          `_mta-sts.${host}.${name} TXT "v=STSv1; id=1;"`,
          `mta-sts.${host}.${name} A ${policyAddress(index)}`,
        ]),
      );
      const addresses = HOSTS.map((host, index) => `${host} A ${hostAddress(index)}`);
      const dns = stack.use(
        await SignedDns.start([
          { name: 'hosts.test', signing: 'signed', records: addresses },
          { name: 'sts.test', signing: 'unsigned', records: domains },
        ]),
      );
      const relay = ['[relay]', `port = ${port}`, 'loopback = true', `ca = "${join(folder, 'ca.pem')}"`];
      const resolver = ['[[relay.resolver]]', `address = "127.0.0.1:${dns.port}"`, 'trusted = true'];
      const more = [...relay, ...resolver].join('\n');
      server = stack.use(await Program.start({ more, logLevel: 'info', onLine: fates.hear }));
      const door = { port: server.port(465), tls: 'implicit' } as const;
      using client = await SmtpClient.open(door, { user: userAddress(1), password: PASSWORD });
      const recipients = Object.keys(ROWS).flatMap((name) => HOSTS.map((host) => recipient(host, name)));
      await client.send(userAddress(1), recipients, `From: <${userAddress(1)}>\r\nSubject: STS\r\n\r\nx\r\n.\r\n`);
      await client.quit();
    });
    afterAll(() => stack.disposeAsync());

    describe.each(Object.entries(ROWS))('%s', (name, { what, fates: expected }) => {
      test.each(HOSTS)(`${what}; %s`, async (host) => {
        expect(await fates.of(recipient(host, name))).toEqual(expected[host]);
        if (expected[host] !== WAITS) return;
        expect((await fates.wordOn(recipient(host, name))).status).toBe(
          host === 'plain' && name === 'enforce' ? '4.7.4' : '4.7.5',
        );
      });
    });

    test.each(Object.entries(ROWS))('%s: why there is no policy is told', async (name, { failure }) => {
      await fates.of(recipient('right', name));
      const told = server.output.filter((line) => line.includes(`"domain":"right.${name}.sts.test","failure"`));
      expect(told.map((line) => JSON.parse(line).failure)).toEqual(failure === undefined ? [] : [failure]);
    });

    test.each([
      ['right', 'authorities'],
      ['misnamed', 'certificate-host-mismatch'],
      ['expired', 'certificate-expired'],
      ['stranger', 'certificate-not-trusted'],
    ] as const)('mode testing reports on %s: %s', async (host, verdict) => {
      expect((await fates.wordOn(recipient(host, 'testing'))).certificate).toBe(verdict);
    });
  });
});
