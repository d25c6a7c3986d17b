// Passwords: how one is kept (argon2id of RFC 9106, SCRAM verifiers of RFC 5802 §3 and RFC 5803) and how one is checked.
// All derivations run on libuv's threads, never on the main one. Who may try how often is authentication.ts's business.

import { argon2, createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { type Argon2idHash, formatPhc, parsePhc } from '../formats/phc.ts';
import { saslprep } from '../formats/saslprep.ts';
import { formatVerifier, parseVerifier, type ScramHash, type ScramVerifier } from '../formats/scram.ts';
import type { PasswordRecord } from '../store/rows.ts';

const argon2Async = promisify(argon2);
const pbkdf2Async = promisify(pbkdf2);

/**
 * RFC 9106 §4 leaves the choice to the machine. Less memory and more passes cost an attacker as much as 19 MiB and two; of
 * a server they ask less, since the allocator keeps for each thread of the pool what one derivation took.
 */
const COST = { memory: 7 * 1024, passes: 5, parallelism: 1 } as const;
const SALT_OCTETS = 16;
const TAG_OCTETS = 32;
/** RFC 5802 §5.1 asks for at least 4096; a verifier must outlive faster machines. */
const SCRAM_ITERATIONS = 10_000;
/** Octets of UTF-8. A longer one is refused, since hashing costs by the octet. */
const PASSWORD_OCTETS_MAX = 1024;

/** A hash that no password has, of the usual cost: what an unknown user is checked against. */
export const UNMATCHABLE: PasswordRecord = {
  argon2id: formatPhc({ ...COST, salt: Buffer.alloc(SALT_OCTETS), hash: Buffer.alloc(TAG_OCTETS) }),
  scramSha1: null,
  scramSha256: null,
};

/** Is this a text that can be a password at all? Empty ones, NUL and broken UTF-16 are refused, never cut; so is one of
 * which preparation leaves nothing (RFC 4616 §2). */
export function isUsablePassword(password: string): boolean {
  return (
    saslprep(password) !== '' &&
    !password.includes('\0') &&
    password.isWellFormed() &&
    Buffer.byteLength(password) <= PASSWORD_OCTETS_MAX
  );
}

/** Every form of a new password. About 30 ms of another thread. @throws RangeError if it is not usable. */
export async function makePassword(password: string): Promise<PasswordRecord> {
  if (!isUsablePassword(password)) throw new RangeError('a password is 1 to 1024 octets of UTF-8 without NUL');
  const prepared = saslprep(password);
  const [argon2id, scramSha1, scramSha256] = await Promise.all([
    makeArgon2id(prepared),
    makeScram(prepared, 'sha1'),
    makeScram(prepared, 'sha256'),
  ]);
  return { argon2id, scramSha1, scramSha256 };
}

/** A password that is known only by its PHC string. SCRAM cannot serve such an account. @throws RangeError */
export function passwordFromHash(phc: string): PasswordRecord {
  if (parsePhc(phc) === undefined) throw new RangeError('not a PHC string of argon2id version 19 within limits');
  return { argon2id: phc, scramSha1: null, scramSha256: null };
}

/** Does the password fit? Takes one argon2id of the record's own cost (two for a text that preparation changes and
 * that did not fit, since a hash from elsewhere was made without). Never throws for a bad record: it fits nothing. */
export async function verifyPassword(record: PasswordRecord, password: string): Promise<boolean> {
  const kept = parsePhc(record.argon2id);
  if (kept === undefined || !isUsablePassword(password)) return false;
  const prepared = saslprep(password);
  if (await fits(kept, prepared)) return true;
  return prepared !== password && (await fits(kept, password));
}

/**
 * Was this record made of this password? Asks the SCRAM-SHA-256 verifier (about 1 ms) and not argon2id (20 ms), so it
 * is for configuration that is read at each start; false where the record has no such verifier.
 */
export async function isMadeOf(record: PasswordRecord, password: string): Promise<boolean> {
  const verifier = keptVerifier(record, 'sha256');
  if (verifier === undefined || !isUsablePassword(password)) return false;
  const keys = await scramKeys(saslprep(password), 'sha256', verifier.salt, verifier.iterations);
  return equal(keys.storedKey, verifier.storedKey);
}

/** What is kept of a password for SCRAM; undefined where only another hash is. */
export function keptVerifier(record: PasswordRecord, hash: ScramHash): ScramVerifier | undefined {
  return parseVerifier((hash === 'sha1' ? record.scramSha1 : record.scramSha256) ?? '', hash);
}

/**
 * A verifier that no password has, for a name that has none: the same salt each time, as a real one would have, so that
 * it tells nothing (RFC 5802 §9).
 * @param secret what nobody outside knows, and stays
 */
export function madeUpVerifier(name: string, hash: ScramHash, secret: Buffer): ScramVerifier {
  const salt = createHmac('sha256', secret).update(`${hash}\0${name}`).digest().subarray(0, SALT_OCTETS);
  const octets = hash === 'sha1' ? 20 : 32;
  return { iterations: SCRAM_ITERATIONS, salt, storedKey: randomBytes(octets), serverKey: randomBytes(octets) };
}

async function makeArgon2id(password: string): Promise<string> {
  const salt = randomBytes(SALT_OCTETS);
  const hash = await derive({ ...COST, salt, hash: Buffer.alloc(TAG_OCTETS) }, password);
  return formatPhc({ ...COST, salt, hash });
}

async function fits(kept: Argon2idHash, password: string): Promise<boolean> {
  return equal(await derive(kept, password), kept.hash);
}

function derive({ memory, passes, parallelism, salt, hash }: Argon2idHash, password: string): Promise<Buffer> {
  const message = Buffer.from(password);
  return argon2Async('argon2id', { message, nonce: salt, memory, passes, parallelism, tagLength: hash.length });
}

async function makeScram(password: string, hash: ScramHash): Promise<string> {
  const salt = randomBytes(SALT_OCTETS);
  const keys = await scramKeys(password, hash, salt, SCRAM_ITERATIONS);
  return formatVerifier({ iterations: SCRAM_ITERATIONS, salt, ...keys });
}

/** RFC 5802 §3: SaltedPassword is PBKDF2; StoredKey = H(HMAC(it, "Client Key")); ServerKey = HMAC(it, "Server Key"). */
async function scramKeys(password: string, hash: ScramHash, salt: Buffer, iterations: number) {
  const salted = await pbkdf2Async(password, salt, iterations, hash === 'sha1' ? 20 : 32, hash);
  const clientKey = createHmac(hash, salted).update('Client Key').digest();
  return {
    storedKey: createHash(hash).update(clientKey).digest(),
    serverKey: createHmac(hash, salted).update('Server Key').digest(),
  };
}

function equal(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
