// Who looks at a host's certificate, by what was demanded of it: the authorities of this machine, the TLSA records of the
// host, or nobody.

import type { CertificateProblem, CertificateVerdict, Judge, Presented } from '../../smtp/client/certificate.ts';
import { isFor } from './certificate-name.ts';
import { judgeByDane } from './dane.ts';
import type { Demand } from './rung.ts';

/** @param now ms since the epoch, read when the certificate is there */
export function judgeOf({ authentication, testing, rung }: Demand, now: () => number): Judge | null {
  switch (authentication.by) {
    case 'nobody':
      return null;
    case 'dane':
      return ({ chain }) => judgeByDane(chain, authentication.records, authentication.names, now());
    case 'authorities':
      return (presented) => {
        const verdict = judgeByAuthorities(presented, authentication.name, rung === 'mta-sts' || testing);
        return testing && verdict.kind === 'refused' ? { ...verdict, kind: 'tolerated' } : verdict;
      };
  }
}

/** RFC 8461 §4.2, RFC 7817 §3: a chain that leads to an authority, and the name of the host in the certificate.
 * @param modern the name must be a subjectAltName (RFC 8461 §4.2): the common name of a certificate without any is none */
export function judgeByAuthorities({ chain, problem }: Presented, name: string, modern: boolean): CertificateVerdict {
  const [own] = chain;
  if (own === undefined) return no('certificate-not-trusted', 'the host shows no certificate');
  if (problem !== null) {
    const expired = problem === 'CERT_HAS_EXPIRED' || problem === 'CERT_NOT_YET_VALID';
    return expired
      ? no('certificate-expired', `the certificate of ${name} is not valid at this time`)
      : no(
          'certificate-not-trusted',
          `no authority that is trusted here vouches for the certificate of ${name} (${problem})`,
        );
  }
  return isFor(own, name, modern)
    ? { kind: 'authenticated', by: 'authorities' }
    : no('certificate-host-mismatch', `the certificate that the host shows is not for ${name}`);
}

function no(problem: CertificateProblem, text: string): CertificateVerdict {
  return { kind: 'refused', problem, text };
}
