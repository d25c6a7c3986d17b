// The certificates in force: a local authority that clients can trust for this server and for nothing else, renewed when
// that is due; the operator's own, with errors that say what to do; a reload that never leaves a port without one.

import { recordingLog } from '../recording-log.ts';
import 'reflect-metadata';
import { createPrivateKey, createPublicKey, generateKeyPairSync, webcrypto, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import * as x509 from '@peculiar/x509';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { CertificateError, createTlsKeeper, type KeeperOptions } from '../../src/platform/certificates.ts';
import { type Identity, makeContext, type TlsKeeper, upgrade } from '../../src/platform/tls.ts';
import { FakeClock } from '../fake-clock.ts';
import { makeTestIdentity } from '../smtp/test-identity.ts';

const DAY = 86_400_000;
const HOST = 'mail.example.test';
const FILES = ['ca.key', 'ca.pem', 'server-p256.key', 'server-p256.pem', 'server-rsa.key', 'server-rsa.pem'];

let folder = '';
let log: Record<string, unknown>[] = [];
const text = () => JSON.stringify(log);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-certificates-'));
  log = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function keep(options: Partial<KeeperOptions> = {}): Promise<TlsKeeper> {
  return createTlsKeeper({
    folder: join(folder, 'certs'),
    certificates: [],
    keys: [],
    hostname: HOST,
    log: recordingLog(log, 'trace'),
    ...options,
  });
}

const at = (name: string) => join(folder, 'certs', name);
const readLocal = async () =>
  Object.fromEntries(await Promise.all(FILES.map(async (name) => [name, await readFile(at(name), 'utf8')] as const)));

/** Connects to what a keeper serves. Resolves with the leaf that the client saw. @throws what the client's check says */
async function visit(keeper: Pick<TlsKeeper, 'context'>, options: ConnectionOptions): Promise<X509Certificate> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    // `context` is all that an upgrade uses.
    upgrade(socket, keeper as TlsKeeper, 'strict', 5_000).then(
      (secured) => secured.on('error', () => undefined).end('hello'),
      () => undefined,
    );
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const client = connectTls({ host: '127.0.0.1', port, ...options });
  try {
    await once(client, 'secureConnect');
    return new X509Certificate(client.getPeerX509Certificate()?.raw ?? '');
  } finally {
    client.destroy();
    server.close();
  }
}

it('are made at the first start, kept at the second, and keys are for their owner alone', async () => {
  await keep();
  expect((await readdir(join(folder, 'certs'))).sort()).toEqual(FILES);
  for (const name of FILES) {
    expect((await stat(at(name))).mode & 0o777, name).toBe(name.endsWith('.key') ? 0o600 : 0o644);
  }
  const first = await readLocal();
  await keep();
  expect(await readLocal()).toEqual(first);
  for (const name of FILES.filter((each) => each.endsWith('.key'))) {
    expect(text()).not.toContain(first[name]?.split('\n')[1]);
  }
});

it('are P-256 and RSA-2048, and good for every name by which this machine is reached', async () => {
  const keeper = await keep();
  const ca = await readFile(at('ca.pem'), 'utf8');
  const kinds: ConnectionOptions[] = [{}, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' }];
  for (const [index, kind] of kinds.entries()) {
    for (const servername of [HOST, 'localhost']) {
      const leaf = await visit(keeper, { ca, servername, ...kind });
      expect(leaf.publicKey.asymmetricKeyType).toBe(index === 0 ? 'ec' : 'rsa');
      const { namedCurve, modulusLength } = leaf.publicKey.asymmetricKeyDetails ?? {};
      expect(namedCurve ?? modulusLength).toBe(index === 0 ? 'prime256v1' : 2048);
      expect(leaf.checkIP('127.0.0.1') ?? leaf.checkIP('::1')).toBeDefined();
      // Apple's limit for private authorities.
      expect(leaf.validToDate.getTime() - leaf.validFromDate.getTime()).toBeLessThanOrEqual(825 * DAY);
    }
    // Without a name, by the address.
    await visit(keeper, { ca, ...kind });
  }
  await expect(visit(keeper, { ca, servername: 'mail.other.test' })).rejects.toMatchObject({
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  });
  // Who has not been told trusts nothing.
  await expect(visit(keeper, { servername: HOST })).rejects.toThrow();
});

/** A certificate of the local authority for another name, as somebody would make it who has got hold of its key. */
async function forge(name: string): Promise<Identity> {
  const issuer = new x509.X509Certificate(await readFile(at('ca.pem'), 'utf8'));
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const key = createPrivateKey(await readFile(at('ca.key'), 'utf8')).export({ format: 'der', type: 'pkcs8' });
  const certificate = await x509.X509CertificateGenerator.create({
    subject: 'CN=forged',
    issuer: issuer.subjectName,
    notBefore: new Date(Date.now() - DAY),
    notAfter: new Date(Date.now() + DAY),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: await webcrypto.subtle.importKey('pkcs8', key, algorithm, false, ['sign']),
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: name }])],
  });
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return { certificate: certificate.toString('pem'), key: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY') };
}

it('come from an authority that may speak for this server and for .test only', async () => {
  await keep({ hostname: 'mail.example.org' });
  const ca = await readFile(at('ca.pem'), 'utf8');
  expect(new X509Certificate(ca).ca).toBe(true);
  const outcome = async (name: string) => {
    const identity = await forge(name);
    const keeper = { context: () => makeContext([identity], 'strict') };
    return await visit(keeper, { ca, servername: name }).then(
      () => 'trusted',
      () => 'refused',
    );
  };
  expect(await outcome('mail.example.org')).toBe('trusted');
  expect(await outcome('anything.test')).toBe('trusted');
  expect(await outcome('bank.example.com')).toBe('refused');
  expect(await outcome('www.example.org')).toBe('refused');
});

it('are made anew, with their authority, when the hostname changes', async () => {
  await keep();
  const before = await readLocal();
  const keeper = await keep({ hostname: 'mx.example.org' });
  const after = await readLocal();
  for (const name of FILES) expect(after[name], name).not.toBe(before[name]);
  await visit(keeper, { ca: after['ca.pem'], servername: 'mx.example.org' });
});

it('are of one authority where servers start for the first time at once', async () => {
  const keepers = await Promise.all([keep(), keep(), keep()]);
  const ca = await readFile(at('ca.pem'), 'utf8');
  for (const keeper of keepers) await visit(keeper, { ca, servername: HOST });
  // Whatever became of the files, the next start makes none of another authority.
  const key = await readFile(at('ca.key'), 'utf8');
  await keep();
  expect(await readFile(at('ca.key'), 'utf8')).toBe(key);
});

it('are renewed by the same authority before they end, and with it when that ends', async () => {
  await keep();
  const before = await readLocal();
  const near = new FakeClock(Date.now() + 700 * DAY);
  await keep({ clock: near });
  expect(await readLocal()).toEqual(before);
  near.advance(100 * DAY);
  await keep({ clock: near });
  const renewed = await readLocal();
  expect(renewed['ca.pem']).toBe(before['ca.pem']);
  expect(renewed['server-p256.pem']).not.toBe(before['server-p256.pem']);
  expect(renewed['server-rsa.pem']).not.toBe(before['server-rsa.pem']);
  // For the same keys: what is published of them (RFC 6698 §2.1.2, selector 1) goes on to be true.
  expect(renewed['server-p256.key']).toBe(before['server-p256.key']);
  expect(renewed['server-rsa.key']).toBe(before['server-rsa.key']);
  // An authority that would end before what it issues issues nothing more.
  await keep({ clock: new FakeClock(Date.now() + 3_000 * DAY) });
  expect((await readLocal())['ca.pem']).not.toBe(before['ca.pem']);
});

it.each(['server-rsa.pem', 'server-rsa.key', 'server-p256.pem', 'server-p256.key'])(
  'are issued again by the same authority where %s is broken or missing',
  async (name) => {
    await keep();
    const before = await readLocal();
    for (const harm of [() => writeFile(at(name), 'nonsense'), () => rm(at(name)), () => writeFile(at(name), '')]) {
      await harm();
      const keeper = await keep();
      const after = await readLocal();
      expect(after['ca.pem']).toBe(before['ca.pem']);
      await visit(keeper, { ca: after['ca.pem'], servername: HOST });
    }
  },
);

it('are issued again, by the same authority, where the clock was ahead, and kept where it is behind', async () => {
  const clock = new FakeClock(Date.now());
  await keep({ clock });
  const first = await readLocal();
  clock.advance(900 * DAY);
  await keep({ clock });
  const ahead = await readLocal();
  expect(ahead['server-p256.pem']).not.toBe(first['server-p256.pem']);
  const keeper = await keep();
  const now = await readLocal();
  expect(now['ca.pem']).toBe(first['ca.pem']);
  await visit(keeper, { ca: now['ca.pem'], servername: HOST });
  await keep({ clock: new FakeClock(0) });
  expect(await readLocal()).toEqual(now);
});

it("need the authority's key only when there is something to issue", async () => {
  await keep();
  const before = await readLocal();
  await rm(at('ca.key'));
  await keep();
  expect(await readFile(at('ca.pem'), 'utf8')).toBe(before['ca.pem']);
  await rm(at('server-rsa.pem'));
  await keep();
  expect(await readFile(at('ca.pem'), 'utf8')).not.toBe(before['ca.pem']);
});

it('cannot be made where nothing can be written: the folder is named', async () => {
  await writeFile(join(folder, 'file'), '');
  const inside = join(folder, 'file', 'certs');
  await expect(keep({ folder: inside })).rejects.toThrow(CertificateError);
  await expect(keep({ folder: inside })).rejects.toThrow(inside);
});

const own = (name: string) => join(folder, name);

async function writeOwn(identity: Identity, name = 'own'): Promise<Pick<KeeperOptions, 'certificates' | 'keys'>> {
  await writeFile(own(`${name}.pem`), identity.certificate);
  await writeFile(own(`${name}.key`), identity.key);
  return { certificates: [own(`${name}.pem`)], keys: [own(`${name}.key`)] };
}

it("the operator's own are served as they are, and nothing is made", async () => {
  const identity = await makeTestIdentity(HOST);
  const keeper = await keep(await writeOwn(identity));
  const leaf = await visit(keeper, { ca: identity.certificate, servername: HOST });
  expect(leaf.fingerprint256).toBe(new X509Certificate(identity.certificate).fingerprint256);
  expect(await readdir(folder)).not.toContain('certs');
  expect(log.filter(({ hostname }) => hostname !== undefined)).toEqual([]);
});

it('a certificate of theirs that clients will refuse is warned of', async () => {
  const warnings = () => log.filter(({ level }) => level === 40);
  const options = await writeOwn(await makeTestIdentity('other.example.test'));
  const [file] = options.certificates;
  // Good for an hour, and for another name.
  await keep(options);
  expect(warnings()).toMatchObject([{ file }, { file, hostname: HOST }]);
  log = [];
  await keep({ ...options, hostname: 'other.example.test', clock: new FakeClock(Date.now() + DAY) });
  expect(warnings()).toMatchObject([{ file }]);
});

const { privateKey: weakKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });

async function weak(): Promise<Identity> {
  const key = weakKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  const der = weakKey.export({ format: 'der', type: 'pkcs8' });
  const privateKey = await webcrypto.subtle.importKey('pkcs8', der, algorithm, true, ['sign']);
  const spki = createPublicKey(weakKey).export({ format: 'der', type: 'spki' });
  const publicKey = await webcrypto.subtle.importKey('spki', spki, algorithm, true, ['verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${HOST}`,
    notBefore: new Date(Date.now() - DAY),
    notAfter: new Date(Date.now() + 30 * DAY),
    keys: { privateKey, publicKey },
    signingAlgorithm: algorithm,
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: HOST }])],
  });
  return { certificate: certificate.toString('pem'), key };
}

it.each<readonly [string, (options: Pick<KeeperOptions, 'certificates' | 'keys'>) => Promise<unknown>, string]>([
  ['a certificate that is missing', () => rm(own('own.pem')), 'own.pem'],
  ['a key that is missing', () => rm(own('own.key')), 'own.key'],
  [
    'a folder',
    async () => {
      await rm(own('own.pem'));
      await mkdir(own('own.pem'));
    },
    'own.pem',
  ],
  ['no PEM', () => writeFile(own('own.pem'), Buffer.from([0x30, 0x82, 1, 2])), 'own.pem'],
  ['an empty file', () => writeFile(own('own.pem'), ''), 'own.pem'],
  ['no key', () => writeFile(own('own.key'), 'key'), 'own.key'],
  [
    'the key in place of the certificate',
    async () => writeFile(own('own.pem'), await readFile(own('own.key'))),
    'own.pem',
  ],
  ['the key of another', async () => writeFile(own('own.key'), (await makeTestIdentity(HOST)).key), 'own.key'],
  [
    'a key with a passphrase',
    () => {
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const locked = privateKey.export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'x' });
      return writeFile(own('own.key'), locked);
    },
    'own.key',
  ],
  ['more than a certificate', () => writeFile(own('own.pem'), 'x'.repeat(1_100_000)), 'own.pem'],
  ['a key that is too weak', async () => writeOwn(await weak()), 'own.pem'],
])('%s is named', async (_, harm, name) => {
  const options = await writeOwn(await makeTestIdentity(HOST));
  await harm(options);
  const error = await keep(options).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(CertificateError);
  expect((error as CertificateError).message).toContain(own(name));
});

it.each([
  ['that is not there', () => Promise.resolve()],
  ['that holds none', (file: string) => writeFile(file, 'hello')],
])('a file of authorities %s is named, with the line that names it', async (_, write) => {
  const file = join(folder, 'users.pem');
  await write(file);
  const error = await keep({ clients: [{ files: [file], place: 'config/postern.toml:12' }] }).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(CertificateError);
  expect((error as CertificateError).message).toContain(file);
  expect((error as CertificateError).message).toMatch(/^config\/postern\.toml:12: /);
});

it('a device that never ends is not read to its end', async () => {
  const { keys } = await writeOwn(await makeTestIdentity(HOST));
  await expect(keep({ certificates: ['/dev/zero'], keys })).rejects.toThrow('/dev/zero');
});

it('certificates and keys go by pairs', async () => {
  const { certificates } = await writeOwn(await makeTestIdentity(HOST));
  await expect(keep({ certificates, keys: [] })).rejects.toThrow(CertificateError);
});

it('a reload serves the next connection what the files hold now, or what it had', async () => {
  const [one, two] = [await makeTestIdentity(HOST), await makeTestIdentity(HOST)];
  const served = async () => (await visit(keeper, { rejectUnauthorized: false })).fingerprint256;
  const printOf = ({ certificate }: Identity) => new X509Certificate(certificate).fingerprint256;
  const keeper = await keep(await writeOwn(one));
  expect(await served()).toBe(printOf(one));
  await writeOwn(two);
  expect(await served()).toBe(printOf(one));
  await keeper.reload();
  expect(await served()).toBe(printOf(two));
  await writeFile(own('own.key'), one.key);
  await expect(keeper.reload()).rejects.toThrow(CertificateError);
  expect(await served()).toBe(printOf(two));
});
