// The SubjectPublicKeyInfo of a certificate (RFC 5280 §4.1), octet by octet as it stands there: what selector 1 of a TLSA
// record is about (RFC 6698 §2.1.2). A key that was read and written again may have other octets.

import { element } from './der.ts';

/**
 * Certificate ::= SEQUENCE { tbsCertificate SEQUENCE { version [0] OPTIONAL, serialNumber, signature, issuer, validity,
 * subject, subjectPublicKeyInfo, … }, … }
 * @param certificate DER
 * @returns null for what is no certificate
 */
export function subjectPublicKeyInfo(certificate: Uint8Array): Uint8Array | null {
  const outer = element(certificate, 0);
  const inner = outer === null ? null : element(certificate, outer.content);
  if (outer?.tag !== SEQUENCE || inner?.tag !== SEQUENCE) return null;
  let at = inner.content;
  for (let field = 0; field < 7; field++) {
    const one = at < inner.end ? element(certificate, at) : null;
    if (one === null) return null;
    if (field === 0 && one.tag !== VERSION) field++;
    if (field === 6) return one.tag === SEQUENCE ? certificate.subarray(at, one.end) : null;
    at = one.end;
  }
  return null;
}

const SEQUENCE = 0x30;
const VERSION = 0xa0;
