// Signs messages of our domains with both of their keys (RFC 6376, RFC 8463 §3): the body is hashed on this thread as it
// streams by, some 0.2 ms for 64 KB, and what costs a millisecond at once, RSA, runs in the pool of threads that Node
// has for cryptography. So no thread of our own is needed, and no body waits in memory.

import { createHash, sign as signWith } from 'node:crypto';
import { asBuffer, type HeaderField } from '../../formats/header.ts';
import type { Clock } from '../../platform/clock.ts';
import { type DkimKey, type DkimSelectors, dkimKeys } from './keys.ts';
import { RelaxedBody } from './relaxed-body.ts';
import { signatureField } from './signature-field.ts';
import { signedFields } from './signed-fields.ts';

export interface DkimSignerOptions extends DkimSelectors {
  /** Of the keys. */
  readonly folder: string;
  /** Those that may sign, in their normal form. */
  readonly domains: readonly string[];
  readonly clock: Clock;
}

/** A header as it will be sent. */
export interface FinishedHeader {
  readonly octets: Uint8Array;
  readonly fields: readonly HeaderField[];
}

/** One message that is being signed. */
export interface MessageSignature {
  /** Takes the next octets of the body, in order. */
  body(octets: Uint8Array): void;
  /** The DKIM-Signature fields, whole, to stand in front of the header. Once, when the body is over. @throws DkimKeyError */
  fields(domain: string, header: FinishedHeader): Promise<string>;
}

export interface DkimSigner {
  /** May this domain sign? */
  signsFor(domain: string): boolean;
  /** Who signs where none of the domains that a message names may. */
  readonly firstDomain: string;
  begin(): MessageSignature;
}

export function createDkimSigner(options: DkimSignerOptions): DkimSigner {
  const domains = new Set(options.domains);
  /** Read at first use; a domain whose keys could not be had is asked again. */
  const keyring = new Map<string, Promise<readonly DkimKey[]>>();
  const keysOf = (domain: string): Promise<readonly DkimKey[]> => {
    const known = keyring.get(domain);
    if (known !== undefined) return known;
    const keys = dkimKeys(options.folder, domain, options);
    keyring.set(domain, keys);
    keys.catch(() => keyring.delete(domain));
    return keys;
  };
  return {
    signsFor: (domain) => domains.has(domain),
    firstDomain: options.domains[0] ?? '',
    begin() {
      const body = new RelaxedBody();
      return {
        body: (octets) => body.update(octets),
        async fields(domain, header) {
          if (!domains.has(domain)) throw new Error(`${domain} is none of the domains that sign`);
          const facts = {
            domain,
            fields: signedFields(header.fields),
            bodyHash: body.digest(),
            now: options.clock.now(),
          };
          const text = asBuffer(header.octets).toString('latin1');
          const keys = await keysOf(domain);
          const signatures = await Promise.all(
            keys.map(({ algorithm, selector, key }) =>
              signatureField({ ...facts, algorithm, selector }, text, (octets) => signed({ algorithm, key }, octets)),
            ),
          );
          return signatures.join('');
        },
      };
    },
  };
}

function signed({ algorithm, key }: Pick<DkimKey, 'algorithm' | 'key'>, octets: Buffer): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, signature: Uint8Array): void => {
      if (error === null) resolve(signature);
      else reject(error);
    };
    if (algorithm === 'rsa-sha256') signWith('sha256', octets, key, done);
    // RFC 8463 §3: PureEdDSA over the SHA-256 of what is signed.
    else signWith(null, createHash('sha256').update(octets).digest(), key, done);
  });
}
