// The certificates in force: the operator's own files, or those of the local authority, made at the first start and
// renewed when they end or the hostname changes; and the authorities that vouch for clients. Errors name the file and say
// what to do. Keys are never logged.

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import type { SecureContext } from 'node:tls';
import { createFile, replaceFile } from './atomic-file.ts';
import { readAuthorities } from './authorities.ts';
import { readBounded } from './bounded-file.ts';
import { type Clock, systemClock } from './clock.ts';
import { makeFolders } from './folder.ts';
import type { Log } from './log.ts';
import { type Identity, makeContext, type TlsFloor, type TlsKeeper } from './tls.ts';

/** A certificate or key that cannot be used; `message` names the file and what to do. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError';
}

export interface KeeperOptions {
  /** Where the local authority lives. */
  readonly folder: string;
  /** The operator's own, pairwise with `keys`; none: the local authority. */
  readonly certificates: readonly string[];
  readonly keys: readonly string[];
  /** Authorities that vouch for clients, of each listener that asks for their certificates. */
  readonly clients?: readonly ClientAuthorities[];
  readonly hostname: string;
  readonly log: Log;
  readonly clock?: Clock;
  /** Nothing is written before this resolves, and nothing at all if it rejects. Absent: at once. */
  readonly alone?: Promise<unknown>;
}

export interface ClientAuthorities {
  readonly files: readonly string[];
  /** Where they are named, for people: `config/postern.toml:12`. */
  readonly place: string | null;
}

export interface CertificateKeeper extends TlsKeeper {
  /** The same certificates, for a listener that asks clients for theirs. @param files of one of `clients` */
  asking(files: readonly string[]): TlsKeeper;
}

const DAY = 86_400_000;
/** A local certificate is renewed by the start, or the reload, that finds less than this left of it; there is one a day
 * (certificate-watch.ts). */
const RENEW_BEFORE = 30 * DAY;
/** The operator is warned of a certificate of theirs that has less than this left. */
const WARN_BEFORE = 14 * DAY;
/** RFC 7468 files of any sane chain are far smaller. */
const MAX_FILE = 1024 * 1024;

const AUTHORITY = ['ca.pem', 'ca.key'] as const;
const P256 = ['server-p256.pem', 'server-p256.key'] as const;
const RSA = ['server-rsa.pem', 'server-rsa.key'] as const;

/** Loads or makes the certificates. @throws CertificateError */
export async function createTlsKeeper(options: KeeperOptions): Promise<CertificateKeeper> {
  let contexts = await load(options);
  const reload = async () => {
    contexts = await load(options);
    options.log.info('certificates read again');
  };
  const keeperOf = (key: string, asksClients: boolean): TlsKeeper => ({
    asksClients,
    context(floor) {
      const context = contexts.get(key)?.[floor];
      if (context === undefined) throw new Error('nobody has asked for such contexts');
      return context;
    },
    reload,
  });
  return { ...keeperOf(NOBODY, false), asking: (files) => keeperOf(keyOf(files), true) };
}

type Contexts = Readonly<Record<TlsFloor, SecureContext>>;

/** Key of the contexts in which clients are asked for nothing. */
const NOBODY = '';

function keyOf(files: readonly string[]): string {
  return files.join('\0');
}

/** The server's own certificates as the files hold them now: what the next start or reload puts in force. None where the
 * local authority has issued none yet. @throws CertificateError */
export async function certificatesOnFile({
  folder,
  certificates,
}: Pick<KeeperOptions, 'folder' | 'certificates'>): Promise<readonly X509Certificate[]> {
  const local = [P256, RSA].map(([name]) => join(folder, name));
  const files = certificates.length > 0 ? certificates : local;
  const found: X509Certificate[] = [];
  for (const file of files) {
    const text = certificates.length > 0 ? await read(file) : await readIfThere(file);
    if (text === null) continue;
    try {
      found.push(new X509Certificate(text));
    } catch (cause) {
      throw new CertificateError(`${file} is no certificate in PEM form`, { cause });
    }
  }
  return found;
}

/** The contexts by whose clients they are for. */
async function load(options: KeeperOptions): Promise<ReadonlyMap<string, Contexts>> {
  const identities = options.certificates.length > 0 ? await readOwn(options) : await readOrMakeLocal(options);
  const authorities: [string, readonly string[] | null][] = [[NOBODY, null]];
  for (const { files, place } of options.clients ?? [])
    authorities.push([keyOf(files), await readClients(files, place)]);
  try {
    return new Map(
      authorities.map(([key, texts]) => [
        key,
        { lenient: makeContext(identities, 'lenient', texts), strict: makeContext(identities, 'strict', texts) },
      ]),
    );
  } catch (cause) {
    // Such as an RSA key of 1024 bits, which TLS 1.2 on the strict floor does not sign with.
    const files = options.certificates.join(' and ') || options.folder;
    const { message } = cause as Error; // OpenSSL's
    throw new CertificateError(`OpenSSL cannot use the certificate or key of ${files} (${message})`, { cause });
  }
}

async function readClients(files: readonly string[], place: ClientAuthorities['place']): Promise<readonly string[]> {
  try {
    return await readAuthorities(files, 'client_ca');
  } catch (cause) {
    const { message } = cause as Error; // as readAuthorities throws it
    throw new CertificateError(
      `${place === null ? '' : `${place}: `}${message}: write the path of a PEM file with the authority that signs the certificates of your users`,
      { cause },
    );
  }
}

async function readOwn({ certificates, keys, hostname, log, clock = systemClock }: KeeperOptions): Promise<Identity[]> {
  if (certificates.length !== keys.length) {
    throw new CertificateError(
      `${certificates.length} certificate file(s) but ${keys.length} key file(s): give one key for each, in the same order`,
    );
  }
  const identities: Identity[] = [];
  for (const [index, file] of certificates.entries()) {
    const keyFile = keys[index] ?? '';
    const identity = { certificate: await read(file), key: await read(keyFile) };
    const certificate = check(identity, file, keyFile);
    const left = certificate.validToDate.getTime() - clock.now();
    if (left < 0) log.warn({ file }, 'this certificate has expired: clients will refuse it');
    else if (left < WARN_BEFORE) log.warn({ file, until: certificate.validTo }, 'this certificate expires soon');
    if (certificate.checkHost(hostname) === undefined) {
      log.warn({ file, hostname }, 'this certificate does not name the hostname: clients will refuse it');
    }
    identities.push(identity);
  }
  return identities;
}

/** The leaf, if certificate and key can be read and belong together. */
function check({ certificate, key }: Identity, file: string, keyFile: string): X509Certificate {
  let leaf: X509Certificate;
  try {
    leaf = new X509Certificate(certificate);
  } catch (cause) {
    const hint = certificate.includes('PRIVATE KEY') ? ' (it holds a key: are the two settings swapped?)' : '';
    throw new CertificateError(`${file} is no certificate in PEM form${hint}`, { cause });
  }
  let belongs: boolean;
  try {
    belongs = leaf.checkPrivateKey(createPrivateKey(key));
  } catch (cause) {
    const locked = /ENCRYPTED/.test(key);
    const hint = locked ? ' without a passphrase: "openssl pkey -in OLD -out NEW" takes it off' : ' in PEM form';
    throw new CertificateError(`${keyFile} is no private key${hint}`, { cause });
  }
  if (!belongs) {
    throw new CertificateError(
      `the key in ${keyFile} does not belong to the first certificate in ${file}: ` +
        "name the key that it was issued for, and put the server's own certificate before the chain",
    );
  }
  return leaf;
}

async function readOrMakeLocal(options: KeeperOptions): Promise<Identity[]> {
  const { folder, hostname, log, clock = systemClock, alone } = options;
  const [authority, p256, rsa] = await Promise.all([
    readPair(folder, AUTHORITY),
    readPair(folder, P256),
    readPair(folder, RSA),
  ]);
  const now = clock.now();
  if (authority && p256 && rsa && [p256, rsa].every((server) => isGood(server, authority, hostname, now))) {
    return [p256, rsa];
  }
  const { issue } = await import('./certificate-authority.ts');
  let issued = await issue(hostname, now, authority, { p256, rsa });
  await alone;
  try {
    // Open to others, who may want the authority's certificate; the keys are closed one by one.
    if (makeFolders(folder, 0o777)) await chmod(folder, 0o755);
    // Servers that start for the first time at once, with a folder in common, are of one authority: that of the first key.
    const first = authority === null ? await firstKey(join(folder, AUTHORITY[1]), issued.authority.key) : null;
    if (first !== null) issued = await issue(hostname, now, null, { p256, rsa }, first);
    await writePair(folder, AUTHORITY, issued.authority);
    await writePair(folder, P256, issued.p256);
    await writePair(folder, RSA, issued.rsa);
  } catch (cause) {
    throw new CertificateError(
      `the folder for certificates, ${folder}, cannot be written to (${codeOf(cause)}): ` +
        'make it writable for this user, or set tls.folder to another one',
      { cause },
    );
  }
  const renewed = authority?.certificate === issued.authority.certificate;
  log.info(
    { authority: join(folder, AUTHORITY[0]), hostname },
    renewed ? 'the local authority issued new certificates' : 'a local authority was made; clients can trust its file',
  );
  return [issued.p256, issued.rsa];
}

/** The key that somebody else has put there meanwhile; null: ours is there now. @throws NodeJS.ErrnoException */
async function firstKey(file: string, ours: string): Promise<string | null> {
  try {
    await createFile(file, ours, 0o600);
    return null;
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    return (await readBounded(file, MAX_FILE)).toString();
  }
}

/** Is this local certificate still what would be issued now? */
function isGood(server: Identity, authority: Identity, hostname: string, now: number): boolean {
  try {
    const leaf = new X509Certificate(server.certificate);
    const issuer = new X509Certificate(authority.certificate);
    // It was issued while the clock was ahead. If not even the authority is of the past, the clock is behind: nothing that
    // clients trust is to be thrown away for that.
    const isEarly = leaf.validFromDate.getTime() > now && issuer.validFromDate.getTime() <= now;
    return (
      !isEarly &&
      leaf.validToDate.getTime() - now > RENEW_BEFORE &&
      issuer.validToDate.getTime() - now > RENEW_BEFORE &&
      leaf.checkHost(hostname, { subject: 'never' }) !== undefined &&
      leaf.checkPrivateKey(createPrivateKey(server.key)) &&
      leaf.verify(issuer.publicKey)
    );
  } catch {
    return false;
  }
}

/** Null where the certificate is missing. A missing key is an empty one: that of the authority may be kept elsewhere as
 * long as it has nothing to issue. */
async function readPair(folder: string, [certificate, key]: readonly [string, string]): Promise<Identity | null> {
  const [first, second] = [await readIfThere(join(folder, certificate)), await readIfThere(join(folder, key))];
  return first === null ? null : { certificate: first, key: second ?? '' };
}

async function readIfThere(file: string): Promise<string | null> {
  try {
    return (await readBounded(file, MAX_FILE)).toString();
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return null;
    throw new CertificateError(
      `${file} cannot be read (${codeOf(cause)}): make it readable for this user, or set tls.folder to another one`,
      { cause },
    );
  }
}

/** The key goes first: a crash in between leaves a pair that does not match, which the next start replaces. */
async function writePair(folder: string, [certificate, key]: readonly [string, string], pair: Identity): Promise<void> {
  await replaceFile(join(folder, key), pair.key, 0o600);
  await replaceFile(join(folder, certificate), pair.certificate, 0o644);
}

async function read(file: string): Promise<string> {
  try {
    return (await readBounded(file, MAX_FILE)).toString();
  } catch (cause) {
    if (codeOf(cause) === 'EFBIG') throw new CertificateError(`${file} is too large for a certificate or a key`);
    const why = codeOf(cause) === 'ENOENT' ? 'does not exist' : `cannot be read (${codeOf(cause)})`;
    throw new CertificateError(`${file} ${why}: set tls.certificate and tls.key to files that this user may read`, {
      cause,
    });
  }
}

function codeOf(error: unknown): string {
  // What the file system throws has a code; anything else has none.
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
