// SCRAM-SHA-1, SCRAM-SHA-256 and their -PLUS forms as a server (RFC 5802 §5, RFC 7677): the password never crosses the wire,
// the server proves that it keeps the verifier, and with -PLUS both prove that nobody sits between them (RFC 5929,
// RFC 9266). A wrong proof ends in a claim of its own, so that the directory can count it.

import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { decodeBase64 } from '../formats/base64.ts';
import { hasProhibited, saslprep } from '../formats/saslprep.ts';
import { parseSaslname, type ScramHash } from '../formats/scram.ts';
import {
  CHANNEL_BINDINGS,
  decodeText,
  type Exchange,
  type KeptVerifier,
  type Mechanism,
  refused,
  type Step,
  type Surroundings,
} from './mechanism.ts';

const NAMES: Readonly<Record<ScramHash, string>> = { sha1: 'SCRAM-SHA-1', sha256: 'SCRAM-SHA-256' };

/** Octets of a client's message. */
const MESSAGE_MAX = 4096;

const NOTHING = Buffer.alloc(0);

export function scram(hash: ScramHash, { binds }: { readonly binds: boolean }): Mechanism {
  const name = `${NAMES[hash]}${binds ? '-PLUS' : ''}`;
  return {
    name,
    offered: ({ verifier, bindings }) => verifier !== null && (bindings !== null || !binds),
    start: (surroundings) => exchange(name, hash, binds, surroundings),
  };
}

/** What the client said first. */
interface ClientFirst {
  /** The octets that `c=` has to repeat: gs2-header and the channel binding. */
  readonly bound: Buffer;
  readonly username: string;
  readonly nonce: string;
  readonly bare: string;
}

function exchange(mechanism: string, hash: ScramHash, binds: boolean, surroundings: Surroundings): Exchange {
  let opening: ClientFirst | null = null;
  let serverFirst = '';
  let nonce = '';
  let verifier: KeptVerifier | null = null;
  let account: number | null = null;

  /** server-first-message = [reserved-mext ","] nonce "," salt "," iteration-count ["," extensions] */
  async function first(message: string): Promise<Step> {
    const read = readClientFirst(message, binds, surroundings);
    if (typeof read === 'string') return refused(`${mechanism}: ${read}`);
    opening = read;
    verifier = (await surroundings.verifier?.(read.username, hash)) ?? null;
    if (verifier === null) return refused(`${mechanism}: not to be had`);
    nonce = `${read.nonce}${surroundings.nonce()}`;
    serverFirst = `r=${nonce},s=${verifier.salt.toString('base64')},i=${verifier.iterations}`;
    return { kind: 'challenge', challenge: Buffer.from(serverFirst) };
  }

  /** client-final-message = channel-binding "," nonce ["," extensions] "," proof;
   * server-final-message = verifier ["," extensions] */
  async function final(message: string, said: ClientFirst, kept: KeptVerifier): Promise<Step> {
    const { storedKey, serverKey } = kept;
    const match = /^(c=([^,]+),r=([^,]+)(?:,(?!m=)[A-Za-z]=[^,]+)*),p=([^,]+)$/.exec(message);
    const [, withoutProof = '', binding = '', repeated = '', proof = ''] = match ?? [];
    if (match === null) return refused(`${mechanism}: no client-final-message`);
    if (repeated !== nonce) return refused(`${mechanism}: another nonce`);
    // RFC 5802 §6: another header was tampered with, another binding is that of another connection.
    if (!equal(decodeBase64(binding) ?? NOTHING, said.bound)) return refused(`${mechanism}: another channel binding`);
    const authMessage = `${said.bare},${serverFirst},${withoutProof}`;
    const signature = hmac(hash, storedKey, authMessage);
    const shown = decodeBase64(proof) ?? NOTHING;
    const clientKey = shown.map((octet, at) => octet ^ (signature[at] ?? 0));
    if (shown.length !== signature.length || !equal(createHash(hash).update(clientKey).digest(), storedKey)) {
      return { kind: 'claim', claim: { kind: 'unproven', mechanism, username: said.username } };
    }
    // First: whoever hears our proof knows that the password was right, however many they were told to wait with.
    account = await kept.confirm();
    const server = hmac(hash, serverKey, authMessage).toString('base64');
    return { kind: 'challenge', challenge: Buffer.from(`v=${server}`) };
  }

  return {
    step(response) {
      // RFC 5802 §5: the client speaks first; where it did not, it is asked to by an empty challenge.
      if (response === null) return { kind: 'challenge', challenge: Buffer.alloc(0) };
      // What follows the server's proof is empty: RFC 4422 §5 has it acknowledged so where a protocol cannot carry it
      // with its success.
      if (account !== null) {
        if (response.length > 0) return refused(`${mechanism}: more than was asked for`);
        return { kind: 'claim', claim: { kind: 'account', mechanism, account } };
      }
      const message = response.length <= MESSAGE_MAX ? decodeText(response) : undefined;
      if (message === undefined) return refused(`${mechanism}: no text`);
      return opening === null || verifier === null ? first(message) : final(message, opening, verifier);
    },
  };
}

/**
 * client-first-message = gs2-header client-first-message-bare
 * gs2-header = gs2-cbind-flag "," [authzid] ","; gs2-cbind-flag = ("p=" cb-name) / "n" / "y"
 * client-first-message-bare = [reserved-mext ","] username "," nonce ["," extensions]
 * Returns why it is refused where it is; an `m=` always is, wherever it stands (RFC 5802 §5.1).
 */
function readClientFirst(message: string, binds: boolean, { bindings }: Surroundings): ClientFirst | string {
  const match =
    /^((n|y|p=([A-Za-z0-9.-]{1,64})),(?:a=([^,]+))?,)(n=([^,]+),r=([!-+\--~]{1,512})(?:,(?!m=)[A-Za-z]=[^,]+)*)$/u.exec(
      message,
    );
  if (match === null) return 'no client-first-message';
  const [, header = '', flag = '', bindingName, acting, bare = '', name = '', nonce = ''] = match;
  const username = parseSaslname(name);
  // RFC 5802 §5.1: what SASLprep refuses, or makes nothing of, is nobody's name.
  const prepared = saslprep(username ?? '');
  if (username === undefined || prepared === '' || hasProhibited(prepared)) return 'no name';
  // Nobody acts for another here, so an authorization identity may only repeat the name.
  if (acting !== undefined && acting !== name) return 'acting for another';
  if (binds !== (bindingName !== undefined)) return 'channel binding in one of mechanism and message only';
  // RFC 5802 §6: a client that could bind, and was told that we cannot, was told so by somebody else; unless it was us.
  if (flag === 'y' && bindings !== null) return 'the offer of channel binding was lost on the way';
  const binding = bindingName === undefined ? Buffer.alloc(0) : bindingNamed(bindingName, bindings);
  if (binding === null) return 'no such channel binding';
  return { bound: Buffer.concat([Buffer.from(header), binding]), username, nonce, bare };
}

function bindingNamed(wanted: string, bindings: Surroundings['bindings']): Buffer | null {
  const name = CHANNEL_BINDINGS.find((each) => each === wanted);
  return name === undefined ? null : (bindings?.(name) ?? null);
}

function hmac(hash: ScramHash, key: Buffer, text: string): Buffer {
  return createHmac(hash, key).update(text).digest();
}

function equal(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
