// What an authority may vouch for (RFC 5280 §4.2.1.9, §4.2.1.10): how many authorities below it, and which names. OpenSSL
// looks at that where it checks a chain; where a TLSA record names the authority, the chain is ours to check.

import type { X509Certificate } from 'node:crypto';
import { type Element, element, elements } from './der.ts';

/** OIDs, as DER has their content. */
const BASIC_CONSTRAINTS = '551d13';
const NAME_CONSTRAINTS = '551d1e';
/** What else may be critical and binds nobody here, or is looked at elsewhere: keyUsage, subjectAltName, policies and what
 * constrains them, extKeyUsage. */
const UNDERSTOOD = new Set(['551d0f', '551d11', '551d20', '551d21', '551d24', '551d25', '551d36']);

/**
 * May each certificate of a path vouch for the ones in front of it, and for this name of the first?
 * @param path the server's own first, the trust anchor last
 */
export function isWithinConstraints(path: readonly X509Certificate[], name: string): boolean {
  const wanted = name.toLowerCase();
  return path.every(({ raw }, at) => extensionsOf(raw)?.every((one) => holds(one, raw, at, wanted)) ?? false);
}

interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Element;
}

function holds({ oid, critical, value }: Extension, octets: Uint8Array, at: number, name: string): boolean {
  switch (oid) {
    case BASIC_CONSTRAINTS: {
      const most = pathLength(octets, value);
      return at === 0 || (most !== null && at - 1 <= most);
    }
    case NAME_CONSTRAINTS:
      return at === 0 || isAllowed(octets, value, name);
    default:
      // RFC 5280 §4.2: what must be understood and is not.
      return !critical || UNDERSTOOD.has(oid);
  }
}

/** TBSCertificate ::= SEQUENCE { …, subjectPublicKeyInfo, …, extensions [3] EXPLICIT Extensions OPTIONAL }; null: it is none. */
function extensionsOf(octets: Uint8Array): readonly Extension[] | null {
  const outer = element(octets, 0);
  const inner = outer === null ? null : element(octets, outer.content);
  const explicit = inner === null ? null : elements(octets, inner)?.find(({ tag }) => tag === 0xa3);
  if (explicit === null) return null;
  if (explicit === undefined) return [];
  const list = element(octets, explicit.content);
  const all = list === null ? null : elements(octets, list);
  if (all === null) return null;
  const found: Extension[] = [];
  for (const one of all) {
    // Extension ::= SEQUENCE { extnID OBJECT IDENTIFIER, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }
    const parts = elements(octets, one);
    const [oid, value] = [parts?.[0], parts?.at(-1)];
    if (parts === null || oid === undefined || value?.tag !== 0x04) return null;
    found.push({ oid: hexOf(octets, oid), critical: parts.length === 3, value });
  }
  return found;
}

/** BasicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER OPTIONAL }; null: it makes no sense. */
function pathLength(octets: Uint8Array, value: Element): number | null {
  const constraints = element(octets, value.content);
  const parts = constraints === null ? null : elements(octets, constraints);
  if (parts === null) return null;
  const most = parts.find(({ tag }) => tag === 0x02);
  if (most === undefined) return Number.POSITIVE_INFINITY;
  const number = Number.parseInt(hexOf(octets, most), 16);
  return Number.isNaN(number) ? null : number;
}

/** NameConstraints ::= SEQUENCE { permittedSubtrees [0] OPTIONAL, excludedSubtrees [1] OPTIONAL } of GeneralSubtree, of which
 * the first part is a name; a dNSName is [2]. Of the server's names the one that is wanted counts, and it is of this kind. */
function isAllowed(octets: Uint8Array, value: Element, name: string): boolean {
  const constraints = element(octets, value.content);
  const parts = constraints === null ? null : elements(octets, constraints);
  if (parts === null) return false;
  for (const part of parts) {
    const subtrees = elements(octets, part);
    if (subtrees === null) return false;
    const bases = subtrees.map(({ content }) => element(octets, content)).filter((base) => base?.tag === 0x82);
    const fits = bases.some((base) => base !== null && isBelow(name, textOf(octets, base)));
    if (part.tag === 0xa0 && bases.length > 0 && !fits) return false;
    if (part.tag === 0xa1 && fits) return false;
  }
  return true;
}

/** RFC 5280 §4.2.1.10: a name is satisfied by itself, and by what has labels in front of it; empty: by every name. */
function isBelow(name: string, base: string): boolean {
  const above = base.replace(/^\./, '');
  return above === '' || name === above || name.endsWith(`.${above}`);
}

function hexOf(octets: Uint8Array, { content, end }: Element): string {
  return Buffer.from(octets.subarray(content, end)).toString('hex');
}

function textOf(octets: Uint8Array, { content, end }: Element): string {
  return Buffer.from(octets.subarray(content, end)).toString('latin1').toLowerCase();
}
