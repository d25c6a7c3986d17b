// What is to be published: the records of a configuration by name and meaning, and the verb that prints them.

import { createHash, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MailFacts, publication } from '../../src/cli/dns-records.ts';
import { gatesOf } from '../../src/cli/ports-table.ts';
import type { Publication } from '../../src/cli/publication.ts';
import { quotedStrings } from '../../src/cli/zone-file.ts';
import type { Config, ListenerConfig } from '../../src/config/config.ts';
import { Program } from '../process/program.ts';
import { makeTestIdentity } from '../smtp/test-identity.ts';
import { configOf } from '../world/config.ts';
import { postern, site } from './postern.ts';

const PUBLIC_PORTS: readonly (readonly [ListenerConfig['role'], number, ListenerConfig['tls']])[] = [
  ['transfer', 25, 'offered'],
  ['submission', 465, 'implicit'],
  ['submission', 587, 'required'],
  ['imap', 993, 'implicit'],
  ['pop3', 995, 'implicit'],
];

/** A server on the public net; with certificates of its own if they are given. */
function facts(more: Partial<Config> = {}, certificates: readonly X509Certificate[] = []): MailFacts {
  const plain = configOf('here', '/nowhere', 25);
  const listeners = PUBLIC_PORTS.map(
    ([role, port, tls]): ListenerConfig => ({
      role,
      port,
      tls,
      addresses: ['0.0.0.0'],
      cleartext: false,
      private: false,
      earlyTalkerWait: 0,
      clients: null,
    }),
  );
  const config: Config = { ...plain, listeners, dkim: { ...plain.dkim, enabled: true }, ...more };
  const keys = new Map([['example.test', [{ selector: 'one', record: `v=DKIM1; p=${'A'.repeat(400)}` }]]]);
  return { config, gates: gatesOf(config, null), certificates, keys, now: Date.UTC(2026, 0, 1) };
}

const dataOf = ({ records }: Publication, name: string, type: string): string[] =>
  records.filter((record) => record.name === name && record.type === type).map(({ data }) => data);
const left = ({ leftOut }: Publication): string[] => leftOut.map(({ name, type }) => `${type} ${name}`);

const DOMAIN = ['example.test'];
let certificate: X509Certificate;

beforeAll(async () => {
  certificate = new X509Certificate((await makeTestIdentity()).certificate);
});

describe('the records', () => {
  it('of a server on the public net', () => {
    const all = publication(facts(), DOMAIN);
    expect(dataOf(all, 'example.test', 'MX')).toEqual(['10 mail.example.test.']);
    expect(dataOf(all, 'example.test', 'TXT')).toEqual(['v=spf1 mx ~all']);
    expect(dataOf(all, 'mail.example.test', 'TXT')).toEqual(['v=spf1 a -all']);
    expect(dataOf(all, 'one._domainkey.example.test', 'TXT')).toEqual([`v=DKIM1; p=${'A'.repeat(400)}`]);
    expect(dataOf(all, '_dmarc.example.test', 'TXT')).toEqual(['v=DMARC1; p=none; rua=mailto:postmaster@example.test']);
    expect(dataOf(all, '_smtp._tls.example.test', 'TXT')).toEqual(['v=TLSRPTv1; rua=mailto:tls-reports@example.test']);
    expect(dataOf(all, '_submissions._tcp.example.test', 'SRV')).toEqual(['0 1 465 mail.example.test.']);
    expect(dataOf(all, '_submission._tcp.example.test', 'SRV')).toEqual(['10 1 587 mail.example.test.']);
    expect(dataOf(all, '_imaps._tcp.example.test', 'SRV')).toEqual(['0 1 993 mail.example.test.']);
    // RFC 6186 §3.4: not there, and said so.
    expect(dataOf(all, '_imap._tcp.example.test', 'SRV')).toEqual(['0 0 0 .']);
    expect(dataOf(all, '_pop3s._tcp.example.test', 'SRV')).toEqual(['20 1 995 mail.example.test.']);
    expect(dataOf(all, '_pop3._tcp.example.test', 'SRV')).toEqual(['0 0 0 .']);
    // No certificate yet, none that the world trusts, and nobody knows the address behind 0.0.0.0.
    expect(left(all)).toEqual([
      'A/AAAA mail.example.test',
      'TLSA _25._tcp.mail.example.test',
      'TXT _mta-sts.example.test',
    ]);
    expect(all.policies).toEqual([]);
    for (const { reason } of [...all.records, ...all.leftOut]) expect(reason).not.toBe('');
  });

  it('TLSA of each key, which the local authority may have issued', () => {
    const spki = certificate.publicKey.export({ type: 'spki', format: 'der' });
    const expected = `3 1 1 ${createHash('sha256').update(spki).digest('hex')}`;
    const all = publication(facts({}, [certificate, certificate]), DOMAIN);
    expect(dataOf(all, '_25._tcp.mail.example.test', 'TLSA')).toEqual([expected, expected]);
    expect(left(all)).toContain('TXT _mta-sts.example.test');
  });

  it('MTA-STS needs a certificate that others check: not one that is signed by itself', () => {
    const plain = configOf('here', '/nowhere', 25);
    const own = { tls: { ...plain.tls, certificates: ['a.pem'], keys: ['a.key'] } };
    expect(left(publication(facts(own, [certificate]), DOMAIN))).toContain('TXT _mta-sts.example.test');
  });

  it('addresses that a gate is bound to', () => {
    const listeners = facts().config.listeners.map((listener) => ({
      ...listener,
      addresses: ['203.0.113.9', '2001:db8::9', '10.0.0.1'],
    }));
    const all = publication(facts({ listeners }), DOMAIN);
    expect(dataOf(all, 'mail.example.test', 'A')).toEqual(['203.0.113.9']);
    expect(dataOf(all, 'mail.example.test', 'AAAA')).toEqual(['2001:db8::9']);
    expect(left(all)).not.toContain('A/AAAA mail.example.test');
  });

  it('a domain that is the host has one SPF record', () => {
    const all = publication(facts({ hostname: 'example.test' }), DOMAIN);
    expect(dataOf(all, 'example.test', 'TXT')).toEqual(['v=spf1 mx ~all']);
  });

  it('what only this machine can reach is left out', () => {
    const listeners = facts().config.listeners.map((listener) => ({ ...listener, addresses: ['127.0.0.1'] }));
    const all = publication(facts({ listeners }), DOMAIN);
    expect(all.records.filter(({ type }) => type === 'MX')).toEqual([]);
    expect(left(all)).toEqual(expect.arrayContaining(['MX example.test', 'SRV _submissions._tcp.example.test']));
  });

  it('each domain has its own, the host once', () => {
    const all = publication(facts({ domains: ['example.test', 'second.test'] }), ['example.test', 'second.test']);
    expect(all.records.filter(({ name }) => name === 'mail.example.test')).toHaveLength(1);
    expect(dataOf(all, 'second.test', 'MX')).toEqual(['10 mail.example.test.']);
    expect(left(all)).toContain('TXT *._domainkey.second.test');
  });
});

describe('MTA-STS, with a certificate that a chain leads from', () => {
  /** One that was issued by another, for this name. */
  let issued: X509Certificate;
  let program: Program;
  beforeAll(async () => {
    program = await Program.start();
    issued = new X509Certificate(await readFile(join(program.folder, 'certs', 'server-p256.pem')));
  });
  afterAll(() => program[Symbol.asyncDispose]());

  const own = { tls: { folder: '', certificates: ['a.pem'], keys: ['a.key'] } };

  it('has a policy with the id of what it says', () => {
    const all = publication(facts(own, [issued]), DOMAIN);
    expect(all.policies.map(({ url }) => url)).toEqual(['https://mta-sts.example.test/.well-known/mta-sts.txt']);
    // RFC 8461 §3.2
    expect(all.policies[0]?.text).toBe(
      'version: STSv1\r\nmode: testing\r\nmx: mail.example.test\r\nmax_age: 604800\r\n',
    );
    const [record = ''] = dataOf(all, '_mta-sts.example.test', 'TXT');
    expect(record).toMatch(/^v=STSv1; id=[a-z0-9]{1,32}$/);
    const other = publication(facts({ ...own, hostname: 'localhost' }, [issued]), DOMAIN);
    expect(dataOf(other, '_mta-sts.example.test', 'TXT')).not.toEqual([record]);
  });

  it('but not for another name, or after its end', () => {
    const named = facts({ ...own, hostname: 'mx.example.test' }, [issued]);
    expect(publication(named, DOMAIN).policies).toEqual([]);
    const late = { ...facts(own, [issued]), now: Date.UTC(2100, 0, 1) };
    expect(publication(late, DOMAIN).policies).toEqual([]);
  });

  it('the running server makes the keys, and is asked for its gates', async () => {
    const { code, stdout } = await postern(['--config', program.config, 'dns', '--json'], { cwd: program.folder });
    expect(code).toBe(0);
    const all = JSON.parse(stdout) as Publication; // what the verb prints
    const [rsa = ''] = dataOf(all, 'postern-rsa._domainkey.example.test', 'TXT');
    expect(rsa).toMatch(/^v=DKIM1; k=rsa; p=[A-Za-z0-9+/]{300,}=*$/);
    const file = join(program.folder, 'data/dkim/example.test/postern-rsa.pem');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const submissions = all.leftOut.find(({ name }) => name === '_submissions._tcp.example.test');
    expect(submissions?.reason).toContain(`127.0.0.1:${program.port(465)}`);
  });
});

describe('the verb', () => {
  /** Lines of the zone file that are no comments, as name, type and data; strings of TXT put together. */
  const recordsOf = (text: string) =>
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith(';'))
      .map((line) => {
        const [, name, type, rest = ''] = /^(\S+)\. IN (\S+) (.*)$/.exec(line) ?? [];
        const strings = [...rest.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, string = '']) => string);
        for (const string of strings) expect(string.length).toBeLessThanOrEqual(255);
        return { name, type, data: strings.length > 0 ? strings.join('') : rest };
      });

  it('prints a zone file without a server, twice the same, and the same as JSON', async () => {
    await using here = await site('[[listener]]\nrole = "transfer"\naddress = "0.0.0.0"\nport = 25\ntls = "offered"\n');
    const first = await here.run(['dns']);
    expect([first.code, first.stderr]).toEqual([0, '']);
    expect((await here.run(['dns', 'EXAMPLE.test'])).stdout).toBe(first.stdout);
    const all = JSON.parse((await here.run(['dns', '--json'])).stdout) as Publication; // what the verb prints
    expect(recordsOf(first.stdout)).toEqual(all.records.map(({ name, type, data }) => ({ name, type, data })));
    expect(all.records.filter(({ name }) => name.endsWith('._domainkey.example.test'))).toHaveLength(2);
  });

  it('refuses a domain that is not ours', async () => {
    await using here = await site();
    expect(await here.run(['dns', 'elsewhere.test'])).toMatchObject({ code: 2, stdout: '' });
  });

  it('makes no keys where nothing is signed', async () => {
    await using here = await site('[dkim]\nenabled = false\n');
    expect((await here.run(['dns'])).stdout).not.toContain('v=DKIM1');
    await expect(stat(join(here.folder, 'data'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

it('a text is cut into strings of 255 octets', () => {
  expect(quotedStrings('a'.repeat(255))).toBe(`"${'a'.repeat(255)}"`);
  expect(quotedStrings('a'.repeat(511))).toBe(`"${'a'.repeat(255)}" "${'a'.repeat(255)}" "a"`);
  expect(quotedStrings('say "x"\\')).toBe('"say \\"x\\"\\\\"');
});
