// The issuer's public keys (JWKS, RFC 7517 §5): fetched when they are first needed, kept for a while, and fetched again
// for a key that is not among them, but not for everybody who makes one up.

import type { CompactJWSHeaderParameters, CryptoKey, FlattenedJWSInput, JWTVerifyGetKey } from 'jose';
import type { Clock } from '../../platform/clock.ts';
import { WebFailure, webJson } from '../../platform/web-json.ts';
import { AuthenticationFailure } from '../directory.ts';
import type { IssuerOptions } from './issuer.ts';

/** ms for which keys are taken for current, and for which they are still good where no others can be had. */
const CURRENT = 10 * 60_000;
const GOOD = 60 * 60_000;
/** ms from one fetch to the next, and where nothing came of the last one. */
const COOLDOWN = 30_000;
const RETRY = 5_000;
/** Octets of the document, and its keys. */
const DOCUMENT_MAX = 256 * 1024;
const KEYS_MAX = 100;

export interface KeySetOptions extends IssuerOptions {
  readonly url: string;
}

interface Kept {
  readonly find: JWTVerifyGetKey;
  readonly at: number;
}

export class KeySet {
  readonly #options: KeySetOptions;
  readonly #clock: Clock;
  #kept: Kept | null = null;
  #fetching: Promise<void> | null = null;
  #asked = Number.NEGATIVE_INFINITY;
  /** Why the last fetch came to nothing; empty: it did not. */
  #failure = '';

  constructor(options: KeySetOptions) {
    this.#options = options;
    this.#clock = options.clock;
  }

  /**
   * The key that a token names.
   * @throws AuthenticationFailure `busy` where there are no keys; errors of the library for a token without a key here
   */
  async keyFor(header: CompactJWSHeaderParameters, jws: FlattenedJWSInput): Promise<CryptoKey | Uint8Array> {
    const { errors } = await import('jose');
    const find = async () => {
      const { find } = await this.#current();
      try {
        return (await find(header, jws)) as CryptoKey; // what a set of public keys gives
      } catch (error) {
        // WebCrypto's word on a key that is none, or is for something else: the issuer is wrong, and not we.
        throw error instanceof DOMException ? new errors.JWKInvalid(error.message) : error;
      }
    };
    try {
      return await find();
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
    }
    // A new key of the issuer's, or nonsense.
    await this.#refresh();
    return await find();
  }

  async #current(): Promise<Kept> {
    if (this.#kept === null || this.#clock.now() - this.#kept.at >= CURRENT) await this.#refresh();
    if (this.#kept === null || this.#clock.now() - this.#kept.at >= GOOD) {
      throw new AuthenticationFailure('busy', `the keys of the tokens' issuer cannot be had: ${this.#failure}`);
    }
    return this.#kept;
  }

  /** Fetches the keys, if that was not done just now; all who need them wait for one answer. */
  async #refresh(): Promise<void> {
    if (this.#fetching === null) {
      if (this.#clock.now() - this.#asked < (this.#failure === '' ? COOLDOWN : RETRY)) return;
      this.#asked = this.#clock.now();
      this.#fetching = this.#fetch().finally(() => {
        this.#fetching = null;
      });
    }
    await this.#fetching;
  }

  async #fetch(): Promise<void> {
    const { url, clock, secureContext } = this.#options;
    const { createLocalJWKSet, errors } = await import('jose');
    try {
      const document = await webJson({ url, method: 'GET', secureContext: secureContext(), clock, max: DOCUMENT_MAX });
      const { keys } = document as { keys?: unknown }; // a record; the library looks at the rest
      if (!Array.isArray(keys) || keys.length > KEYS_MAX) throw new WebFailure(`it lists no keys, or over ${KEYS_MAX}`);
      this.#kept = { find: createLocalJWKSet({ keys: keys.filter((key) => !isShort(key)) }), at: clock.now() };
      this.#failure = '';
    } catch (error) {
      if (!(error instanceof WebFailure || error instanceof errors.JOSEError)) throw error;
      this.#failure = error.message;
    }
  }
}

/** RFC 7518 §3.3: a key of RSA has 2048 bits or more. The library would fail at a shorter one, also where others are good. */
function isShort(key: { readonly kty?: unknown; readonly n?: unknown } | null): boolean {
  if (key?.kty !== 'RSA') return false;
  const modulus = typeof key.n === 'string' ? Buffer.from(key.n, 'base64url').toString('hex') : '';
  return BigInt(`0x0${modulus}`) >> 2047n === 0n;
}
