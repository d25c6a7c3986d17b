// What a server keeps of a password for SCRAM (RFC 5802 §3), in the form of RFC 5803 §2, and how a name is written in its
// messages. Pure: deriving one from a password is the directory's business, speaking it is sasl's.

export type ScramHash = 'sha1' | 'sha256';

/** With it a client's proof is checked and the server's made; the password does not follow from it. */
export interface ScramVerifier {
  readonly iterations: number;
  readonly salt: Buffer;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

const ITERATIONS_MAX = 1_000_000;
const HASH_OCTETS: Readonly<Record<ScramHash, number>> = { sha1: 20, sha256: 32 };

/** RFC 5803 §2, without the scheme's name: `iterations:salt$StoredKey:ServerKey`. */
export function formatVerifier({ iterations, salt, storedKey, serverKey }: ScramVerifier): string {
  const base64 = (octets: Buffer) => octets.toString('base64');
  return `${iterations}:${base64(salt)}$${base64(storedKey)}:${base64(serverKey)}`;
}

/** Undefined: it is none of that hash. */
export function parseVerifier(text: string, hash: ScramHash): ScramVerifier | undefined {
  const match = /^(\d{1,7}):([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+):([A-Za-z0-9+/=]+)$/.exec(text);
  const [, count = '', ...encoded] = match ?? [];
  const [salt, storedKey, serverKey] = encoded.map((part) => Buffer.from(part, 'base64'));
  const iterations = Number(count);
  if (salt === undefined || storedKey === undefined || serverKey === undefined) return undefined;
  if (iterations < 1 || iterations > ITERATIONS_MAX || salt.length === 0) return undefined;
  if (storedKey.length !== HASH_OCTETS[hash] || serverKey.length !== HASH_OCTETS[hash]) return undefined;
  return { iterations, salt, storedKey, serverKey };
}

/** saslname: RFC 5802 §5.1 has `,` written `=2C` and `=` written `=3D`. */
export function formatSaslname(name: string): string {
  return name.replaceAll('=', '=3D').replaceAll(',', '=2C');
}

/** Undefined: RFC 5802 §5.1 has a name with any other `=` refused. */
export function parseSaslname(text: string): string | undefined {
  if (/=(?!2C|3D)/.test(text) || text.includes(',')) return undefined;
  return text.replaceAll('=2C', ',').replaceAll('=3D', '=');
}
