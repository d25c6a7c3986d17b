// Which domains answer for a message: those whose signature fits (RFC 6376 §6.1, RFC 8463). For a message that is in memory,
// with the algorithms that RFC 8301 leaves; a signature of half a body (l=) counts for nothing.

import { createHash, verify } from 'node:crypto';
import { normalizeDomain } from '../../formats/address.ts';
import { asBuffer, type HeaderField, parseHeaderText } from '../../formats/header.ts';
import { type Dns, DnsFailure } from '../../platform/dns.ts';
import { type DkimPublicKey, dkimPublicKey } from './key-record.ts';
import { RelaxedBody } from './relaxed-body.ts';
import { relaxedField } from './signed-fields.ts';
import { octetsOf, parseTagList, wordsOf } from './tag-list.ts';

export interface VerifierOptions {
  readonly dns: Pick<Dns, 'txt'>;
  /** ms since the epoch. */
  readonly now: number;
  /** Service types (RFC 6376 §3.6.1) of which a key must be one; all may be for `*`. */
  readonly services: readonly string[];
}

/** `testing`: domains whose signature fits, but whose key is for trying out (RFC 6376 §3.6.1): they answer for nothing, and
 * are there to be told of. `unknown`: none fits, but some could not be looked at, since the DNS does not answer now. */
export type Answerable =
  | { readonly kind: 'known'; readonly domains: readonly string[]; readonly testing: readonly string[] }
  | { readonly kind: 'unknown'; readonly text: string };

/** Signatures of one message that are looked at; fields that one of them covers; key records of one name. */
const LIMITS = { signatures: 8, fields: 1_000, records: 3 } as const;

/** A signature as far as it can be judged by itself. */
interface Signature {
  readonly field: HeaderField;
  readonly type: DkimPublicKey['type'];
  readonly domain: string;
  readonly selector: string;
  /** The domain of i=, which is `domain` or below it. */
  readonly identity: string;
  readonly relaxed: { readonly header: boolean; readonly body: boolean };
  readonly names: readonly string[];
  readonly bodyHash: Buffer;
  readonly signature: Buffer;
}

export async function answerableDomains(message: Uint8Array, options: VerifierOptions): Promise<Answerable> {
  const text = asBuffer(message).toString('latin1');
  const { fields, end } = parseHeaderText(text);
  const hashes = bodyHashes(message.subarray(end));
  const domains = new Set<string>();
  const testing = new Set<string>();
  let unanswered: string | null = null;
  const signatures = fields.filter((field) => field.is('dkim-signature')).slice(0, LIMITS.signatures);
  for (const field of signatures) {
    const signature = signatureOf(field, text, options.now);
    if (signature === null || domains.has(signature.domain)) continue;
    if (!hashes(signature.relaxed.body).equals(signature.bodyHash)) continue;
    try {
      const keys = await keysOf(signature, options);
      const octets = signedOctets(signature, fields, text);
      const fitting = keys.filter((key) => fits(key, signature, octets));
      if (fitting.some((key) => !key.testing)) domains.add(signature.domain);
      else if (fitting.length > 0) testing.add(signature.domain);
    } catch (error) {
      if (!(error instanceof DnsFailure)) throw error;
      unanswered = error.message;
    }
  }
  if (domains.size === 0 && unanswered !== null) return { kind: 'unknown', text: unanswered };
  return { kind: 'known', domains: [...domains], testing: [...testing].filter((domain) => !domains.has(domain)) };
}

/** Each made when it is first asked for. */
function bodyHashes(body: Uint8Array): (relaxed: boolean) => Buffer {
  const made = new Map<boolean, Buffer>();
  return (relaxed) => {
    const known = made.get(relaxed);
    if (known !== undefined) return known;
    const hash = relaxed ? relaxedHash(body) : simpleHash(body);
    made.set(relaxed, hash);
    return hash;
  };
}

function relaxedHash(body: Uint8Array): Buffer {
  const relaxed = new RelaxedBody();
  relaxed.update(body);
  return relaxed.digest();
}

/** RFC 6376 §3.4.3: empty lines at the end go, and one line end is there. */
function simpleHash(body: Uint8Array): Buffer {
  let end = body.length;
  while (end >= 2 && body[end - 1] === 10 && body[end - 2] === 13) end -= 2;
  return createHash('sha256').update(body.subarray(0, end)).update('\r\n').digest();
}

/** RFC 6376 §3.5, §6.1.1. Null: it cannot count, whatever the key. */
function signatureOf(field: HeaderField, text: string, now: number): Signature | null {
  const raw = text.slice(field.offset, field.offset + field.length);
  const tags = parseTagList(raw.slice(raw.indexOf(':') + 1));
  if (tags === null || tags.get('v') !== '1' || tags.has('l')) return null;
  const algorithm = tags.get('a');
  const type = algorithm === 'rsa-sha256' ? 'rsa' : algorithm === 'ed25519-sha256' ? 'ed25519' : undefined;
  const domain = normalizeDomain(tags.get('d') ?? '');
  const selector = normalizeDomain(tags.get('s') ?? '');
  const names = wordsOf(tags.get('h') ?? '');
  const bodyHash = octetsOf(tags.get('bh') ?? '');
  const signature = octetsOf(tags.get('b') ?? '');
  if (type === undefined || !domain.includes('.') || selector === '') return null;
  if (bodyHash === null || signature === null) return null;
  // hdr-name is ftext (RFC 5322 §3.6.8).
  if (!names.every((name) => /^[!-9;-~]+$/.test(name))) return null;
  if (!names.includes('from') || names.length > LIMITS.fields) return null;
  const [header = 'simple', body = 'simple', ...more] = (tags.get('c') ?? 'simple/simple').split('/');
  if (more.length > 0 || ![header, body].every((one) => one === 'simple' || one === 'relaxed')) return null;
  if (!wordsOf(tags.get('q') ?? 'dns/txt').includes('dns/txt')) return null;
  if (!isInTime(tags.get('t'), tags.get('x'), now)) return null;
  const [, within] = /@([^@]*)$/.exec(tags.get('i') ?? `@${domain}`) ?? [];
  const identity = normalizeDomain(within ?? '');
  if (identity !== domain && !identity.endsWith(`.${domain}`)) return null;
  const relaxed = { header: header === 'relaxed', body: body === 'relaxed' };
  return { field, type, domain, selector, identity, relaxed, names, bodyHash, signature };
}

/** Seconds since the epoch: when it was made, and when it ends, which is later. */
function isInTime(from: string | undefined, until: string | undefined, now: number): boolean {
  if (![from, until].every((time) => time === undefined || /^\d{1,12}$/.test(time))) return false;
  if (until === undefined) return true;
  return Number(until) > Number(from ?? -1) && Number(until) * 1000 > now;
}

async function keysOf({ selector, domain }: Signature, options: VerifierOptions): Promise<readonly DkimPublicKey[]> {
  const { records } = await options.dns.txt(`${selector}._domainkey.${domain}`);
  return records.slice(0, LIMITS.records).flatMap((record) => dkimPublicKey(record, options.services) ?? []);
}

/** RFC 6376 §3.7, §5.4.2: the fields by name from the last one up, then the signature itself without its `b=`. */
function signedOctets({ field, names, relaxed }: Signature, fields: readonly HeaderField[], text: string): Buffer {
  const left = new Map<string, HeaderField[]>();
  for (const each of fields) {
    if (each === field) continue;
    const name = each.name.toLowerCase();
    const same = left.get(name);
    if (same === undefined) left.set(name, [each]);
    else same.push(each);
  }
  const rawOf = ({ offset, length }: HeaderField) => text.slice(offset, offset + length);
  const covered = names.flatMap((name) => {
    const one = left.get(name)?.pop();
    if (one === undefined) return [];
    return [relaxed.header ? `${relaxedField(rawOf(one))}\r\n` : ended(rawOf(one))];
  });
  const raw = rawOf(field);
  const colon = raw.indexOf(':') + 1;
  const unsigned = raw.slice(0, colon) + raw.slice(colon).replace(/((?:^|;)[ \t\r\n]*b[ \t\r\n]*=)[^;]*/, '$1');
  const last = relaxed.header ? relaxedField(unsigned) : unsigned.replace(/\r\n$/, '');
  return Buffer.from(covered.join('') + last, 'latin1');
}

/** The last field of a message that is all header may have no line end. */
function ended(field: string): string {
  return field.endsWith('\r\n') ? field : `${field}\r\n`;
}

function fits({ type, key, strict }: DkimPublicKey, signature: Signature, octets: Buffer): boolean {
  if (type !== signature.type || (strict && signature.identity !== signature.domain)) return false;
  if (type === 'rsa') return verify('sha256', octets, key, signature.signature);
  // RFC 8463 §3: PureEdDSA over the SHA-256 of what is signed.
  return verify(null, createHash('sha256').update(octets).digest(), key, signature.signature);
}
