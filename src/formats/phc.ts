// The PHC string of argon2id (`$argon2id$v=19$m=…,t=…,p=…$salt$hash`): its grammar and its limits. RFC 9106 §3.1 names
// the parameters. Hashes made elsewhere are read too, as long as they cannot be used to starve this machine.

/** The parts of an argon2id PHC string. `memory` in KiB. */
export interface Argon2idHash {
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

const MEMORY_MAX = 256 * 1024;
const PASSES_MAX = 32;
const PARALLELISM_MAX = 16;
/** RFC 9106 §3.1: a salt has at least 8 octets, a tag at least 4; anything under 16 is no password hash. */
const SALT_MIN = 8;
const HASH_MIN = 16;
const OCTETS_MAX = 128;

const PATTERN =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]{8,180}={0,2})\$([A-Za-z0-9+/]{8,180}={0,2})$/;

/** The parts of a PHC string, or undefined if it is none of argon2id version 19 or asks for too much. */
export function parsePhc(text: string): Argon2idHash | undefined {
  const match = PATTERN.exec(text);
  if (match === null) return undefined;
  const [, memory = '', passes = '', parallelism = '', salt = '', hash = ''] = match;
  const parts: Argon2idHash = {
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    salt: Buffer.from(salt, 'base64'),
    hash: Buffer.from(hash, 'base64'),
  };
  return withinLimits(parts) ? parts : undefined;
}

/** The PHC string of a hash; base64 without padding, as the format demands. */
export function formatPhc(parts: Argon2idHash): string {
  const { memory, passes, parallelism, salt, hash } = parts;
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${unpadded(salt)}$${unpadded(hash)}`;
}

function withinLimits({ memory, passes, parallelism, salt, hash }: Argon2idHash): boolean {
  if (parallelism < 1 || parallelism > PARALLELISM_MAX) return false;
  // RFC 9106 §3.1: at least 8 KiB a lane.
  if (memory < 8 * parallelism || memory > MEMORY_MAX) return false;
  if (passes < 1 || passes > PASSES_MAX) return false;
  return salt.length >= SALT_MIN && salt.length <= OCTETS_MAX && hash.length >= HASH_MIN && hash.length <= OCTETS_MAX;
}

function unpadded(octets: Buffer): string {
  return octets.toString('base64').replace(/=+$/, '');
}
