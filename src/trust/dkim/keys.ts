// The keys that our domains sign with: a folder for each domain, a file for each selector, for this user alone. Made at
// first use, by whoever comes first: the server, or a verb that prints the records. Keys are never logged.

import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createFile } from '../../platform/atomic-file.ts';
import { readBounded } from '../../platform/bounded-file.ts';
import { makeFolders } from '../../platform/folder.ts';

/** A key that cannot be read or made; `message` names the file and what to do. */
export class DkimKeyError extends Error {
  override readonly name = 'DkimKeyError';
}

export interface DkimSelectors {
  readonly rsaSelector: string;
  readonly ed25519Selector: string;
}

/** One key of a domain. */
export interface DkimKey {
  readonly algorithm: 'rsa-sha256' | 'ed25519-sha256';
  readonly selector: string;
  readonly key: KeyObject;
}

/** Octets: a PEM file of RSA-4096 has 3,300. */
const MAX_FILE = 64 * 1024;
/** RFC 8301 §3.2: signers use at least 2,048 bits; more does not fit one UDP answer and gains nothing. */
const RSA_BITS = 2048;

const ALGORITHMS = { rsa: 'rsa-sha256', ed25519: 'ed25519-sha256' } as const;
type KeyType = keyof typeof ALGORITHMS;

const generate = promisify(generateKeyPair);

/** Where the keys are. */
export function dkimFolder(data: string): string {
  return join(data, 'dkim');
}

/**
 * The keys of a domain, made where they are missing: RSA first, which every verifier knows.
 * @param domain in its normal form (formats/address.ts), which has nothing of a path
 * @throws DkimKeyError
 */
export async function dkimKeys(folder: string, domain: string, selectors: DkimSelectors): Promise<readonly DkimKey[]> {
  const keys = [
    keyOf(folder, domain, selectors.rsaSelector, 'rsa'),
    keyOf(folder, domain, selectors.ed25519Selector, 'ed25519'),
  ];
  // Who is told that one failed may rely on it that the other is not being made any more.
  await Promise.allSettled(keys);
  return await Promise.all(keys);
}

/** The TXT record of a key (RFC 6376 §3.6.1, RFC 8463 §4). */
export function dkimRecord({ algorithm, key }: DkimKey): string {
  const publicKey = createPublicKey(key);
  if (algorithm === 'rsa-sha256') {
    return `v=DKIM1; k=rsa; p=${publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}`;
  }
  // RFC 8463 §4: the 32 octets themselves, which a SubjectPublicKeyInfo has at its end (RFC 8410 §4).
  return `v=DKIM1; k=ed25519; p=${publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64')}`;
}

async function keyOf(folder: string, domain: string, selector: string, type: KeyType): Promise<DkimKey> {
  const file = join(folder, domain, `${selector}.pem`);
  const text = (await read(file)) ?? (await make(folder, file, type));
  let key: KeyObject;
  try {
    key = createPrivateKey(text);
  } catch (cause) {
    throw new DkimKeyError(
      `${file} is no private key without a passphrase in PEM form: put the key back, or remove the file to get a new ` +
        'one, and publish what "postern dns" prints',
      { cause },
    );
  }
  const bits = key.asymmetricKeyDetails?.modulusLength ?? RSA_BITS;
  if (key.asymmetricKeyType !== type || bits < RSA_BITS) {
    const wanted = type === 'rsa' ? `an RSA key of at least ${RSA_BITS} bits (RFC 8301 §3.2)` : 'an Ed25519 key';
    throw new DkimKeyError(`${file} must hold ${wanted}: put one there, or remove the file to get a new one`);
  }
  return { algorithm: ALGORITHMS[type], selector, key };
}

async function read(file: string): Promise<string | null> {
  try {
    return (await readBounded(file, MAX_FILE)).toString();
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return null;
    throw new DkimKeyError(`${file} cannot be read (${codeOf(cause)}): make it readable for this user`, { cause });
  }
}

/** Makes a key; where another process was quicker, the key is that one's. */
async function make(folder: string, file: string, type: KeyType): Promise<string> {
  const { privateKey } =
    type === 'rsa' ? await generate('rsa', { modulusLength: RSA_BITS }) : await generate('ed25519');
  try {
    for (const path of [folder, join(file, '..')]) {
      makeFolders(path, 0o700);
      await chmod(path, 0o700);
    }
    await createFile(file, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 0o600);
  } catch (cause) {
    if (codeOf(cause) !== 'EEXIST') {
      throw new DkimKeyError(`${file} cannot be made (${codeOf(cause)}): make its folder writable for this user`, {
        cause,
      });
    }
  }
  // What is there now is what will be there.
  const text = await read(file);
  if (text === null) throw new DkimKeyError(`${file} was removed while it was made`);
  return text;
}

function codeOf(error: unknown): string {
  // What the file system throws has a code; anything else has none.
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
