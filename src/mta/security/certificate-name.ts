// Is a certificate for a host (RFC 6125 §6)? As MTA-STS has it, for mail hosts and for hosts of policies, and as DANE has it.

import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';

/** A wildcard stands for the whole first label (RFC 8461 §3.3, §4.1, RFC 7672 §3.2.3).
 * @param modern the name must be a subjectAltName (RFC 8461 §4.2): the common name of a certificate without any is none */
export function isFor(certificate: X509Certificate, name: string, modern: boolean): boolean {
  if (isIP(name) !== 0) return certificate.checkIP(name) !== undefined;
  const subject = modern ? 'never' : 'default';
  return certificate.checkHost(name, { partialWildcards: false, subject }) !== undefined;
}
