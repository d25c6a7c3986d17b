// SCRAM-SHA-256 and -PLUS as a client (RFC 5802 §5, RFC 7677): the password is never said, the server proves that it knows
// it too, and with -PLUS both prove that nobody sits between them (RFC 9266).

import { createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { saslprep } from '../../formats/saslprep.ts';
import { formatSaslname } from '../../formats/scram.ts';
import {
  type ClientExchange,
  type ClientMechanism,
  ExchangeFailure,
  type Login,
  type Surroundings,
} from './mechanism.ts';

const derive = promisify(pbkdf2);

/** RFC 7677 §4 asks for 4096 at least: fewer would make it cheap to guess the password from what was said. More than the
 * most is work that a hostile server would give us. */
const ITERATIONS = { least: 4096, most: 1_000_000 } as const;
/** Octets of SHA-256. */
const HASH = 32;
const MAX_SALT = 1024;

export const scramSha256: ClientMechanism = {
  name: 'SCRAM-SHA-256',
  secret: 'password',
  binds: false,
  start(login, surroundings) {
    // RFC 5802 §6: `y` tells a server that does bind that somebody has taken the offer out of what it said.
    const unsaid = surroundings.binding !== null && !surroundings.bindingOffered;
    return exchange(login, surroundings, unsaid ? 'y' : 'n', null);
  },
};

export const scramSha256Plus: ClientMechanism = {
  name: 'SCRAM-SHA-256-PLUS',
  secret: 'password',
  binds: true,
  start: (login, surroundings) => exchange(login, surroundings, 'p=tls-exporter', surroundings.binding),
};

/** gs2-header = gs2-cbind-flag "," [ authzid ] "," ; client-first-message-bare = username "," nonce */
function exchange(
  { user, secret }: Login,
  { nonce }: Surroundings,
  flag: string,
  binding: Buffer | null,
): ClientExchange {
  const header = `${flag},,`;
  const bare = `n=${formatSaslname(saslprep(user))},r=${nonce}`;
  let serverSignature: Buffer | null = null;
  let proven = false;

  async function final(challenge: string): Promise<Buffer> {
    const { whole, salt, iterations } = readServerFirst(challenge, nonce);
    const cbind = Buffer.concat([Buffer.from(header), binding ?? Buffer.alloc(0)]);
    const withoutProof = `c=${cbind.toString('base64')},r=${whole}`;
    const salted = await derive(saslprep(secret.text), salt, iterations, HASH, 'sha256');
    const clientKey = hmac(salted, 'Client Key');
    const storedKey = createHash('sha256').update(clientKey).digest();
    const authMessage = `${bare},${challenge},${withoutProof}`;
    const signature = hmac(storedKey, authMessage);
    const proof = Buffer.from(clientKey.map((octet, at) => octet ^ (signature[at] ?? 0)));
    serverSignature = hmac(hmac(salted, 'Server Key'), authMessage);
    return Buffer.from(`${withoutProof},p=${proof.toString('base64')}`);
  }

  /** server-final-message = ( server-error / verifier ) [ "," extensions ] */
  function verify(challenge: string, expected: Buffer): Buffer {
    const said = Buffer.from(/^v=([A-Za-z0-9+/]{1,128}={0,2})(?:,|$)/.exec(challenge)?.[1] ?? '', 'base64');
    if (proven || said.length !== expected.length || !timingSafeEqual(said, expected)) {
      throw new ExchangeFailure('the server does not prove that it knows the password');
    }
    proven = true;
    return Buffer.alloc(0);
  }

  return {
    initial: Buffer.from(header + bare),
    respond(challenge) {
      const text = challenge.toString('utf8');
      return serverSignature === null ? final(text) : verify(text, serverSignature);
    },
    get complete() {
      return proven;
    },
  };
}

/** server-first-message = [ reserved-mext "," ] nonce "," salt "," iteration-count [ "," extensions ] */
function readServerFirst(text: string, nonce: string): { whole: string; salt: Buffer; iterations: number } {
  const match = /^r=([!-+\--~]{1,1024}),s=([A-Za-z0-9+/]+={0,2}),i=([1-9]\d{0,8})(?:,|$)/.exec(text);
  const [, whole = '', salted = '', count = ''] = match ?? [];
  // RFC 5802 §5.1: what the server adds makes the exchange its own, too.
  if (!whole.startsWith(nonce) || whole.length === nonce.length) {
    throw new ExchangeFailure('what the server answers is not what SCRAM allows');
  }
  const salt = Buffer.from(salted, 'base64');
  const iterations = Number(count);
  if (salt.length > MAX_SALT || iterations < ITERATIONS.least || iterations > ITERATIONS.most) {
    throw new ExchangeFailure(`the server asks for ${iterations} iterations and ${salt.length} octets of salt`);
  }
  return { whole, salt, iterations };
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
