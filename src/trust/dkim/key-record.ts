// The public key that a domain has published for a signature (RFC 6376 §3.6.1, RFC 8463 §4): from the text of its TXT
// record. Who asked the DNS is not seen here.

import { createPublicKey, type KeyObject } from 'node:crypto';
import { octetsOf, parseTagList, wordsOf } from './tag-list.ts';

export interface DkimPublicKey {
  readonly type: 'rsa' | 'ed25519';
  readonly key: KeyObject;
  /** The flag `s`: only this domain itself, none below it, may be the identity. */
  readonly strict: boolean;
  /** The flag `y`: its domain only tries DKIM out, and a signature of it counts as none. */
  readonly testing: boolean;
}

/** RFC 8301 §3.2: with less a signature counts for nothing. */
const LEAST_BITS = 1024;
/** Characters; RSA-4096 has 740. */
const MAX_RECORD = 4_096;
/** In front of the 32 octets of an Ed25519 key in a SubjectPublicKeyInfo (RFC 8410 §4). */
const ED25519 = Buffer.from('302a300506032b6570032100', 'hex');

/** @param service whose key it must be: `email`, or another one beside it
 * @returns null: revoked, for something else, or no key at all */
export function dkimPublicKey(record: string, service: readonly string[]): DkimPublicKey | null {
  const tags = record.length > MAX_RECORD ? null : parseTagList(record);
  if (tags === null || (tags.has('v') && !/^\s*v\s*=\s*DKIM1\s*(?:;|$)/.test(record))) return null;
  if (tags.has('h') && !wordsOf(tags.get('h') ?? '').includes('sha256')) return null;
  const services = wordsOf(tags.get('s') ?? '*');
  if (!services.some((one) => one === '*' || service.includes(one))) return null;
  const octets = octetsOf(tags.get('p') ?? '');
  const type = tags.get('k') ?? 'rsa';
  if (octets === null || (type !== 'rsa' && type !== 'ed25519')) return null;
  const key = keyOf(octets, type);
  const flags = wordsOf(tags.get('t') ?? '');
  return key === null ? null : { type, key, strict: flags.includes('s'), testing: flags.includes('y') };
}

function keyOf(octets: Buffer, type: DkimPublicKey['type']): KeyObject | null {
  try {
    if (type === 'ed25519') {
      if (octets.length !== 32) return null;
      return createPublicKey({ key: Buffer.concat([ED25519, octets]), format: 'der', type: 'spki' });
    }
    const key = rsaOf(octets);
    return (key.asymmetricKeyDetails?.modulusLength ?? 0) >= LEAST_BITS ? key : null;
  } catch {
    return null;
  }
}

/** As everybody writes it, or as RFC 6376 §3.6.1 has it: RSAPublicKey alone. */
function rsaOf(octets: Buffer): KeyObject {
  try {
    const key = createPublicKey({ key: octets, format: 'der', type: 'spki' });
    if (key.asymmetricKeyType === 'rsa') return key;
  } catch {
    // Perhaps the other form.
  }
  return createPublicKey({ key: octets, format: 'der', type: 'pkcs1' });
}
