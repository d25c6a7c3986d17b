// What was counted of one domain on one day, as the policies of a report (RFC 8460 §4.2, §4.4).

import { isIP } from 'node:net';
import type { TlsReportFailure, TlsReportPolicy } from '../../formats/tls-report/report.ts';
import { isPrivate } from '../../platform/source.ts';
import type { TlsResultRow } from '../../store/rows.ts';
import { declaredPatterns } from '../security/mta-sts-policy.ts';

/** Our own addresses as the public net sees them. */
export interface OwnAddresses {
  readonly ipv4: string | null;
  readonly ipv6: string | null;
}

export function tlsReportPolicies(rows: readonly TlsResultRow[], own: OwnAddresses): readonly TlsReportPolicy[] {
  const groups = new Map<string, TlsResultRow[]>();
  for (const row of rows) {
    const key = JSON.stringify([row.policy, row.policyDomain, row.policyText]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return [...groups.values()].flatMap((group) => policyOf(withoutEchoes(group), own) ?? []);
}

/** A policy that could not be had counts by itself only where no session went without it: the report is of sessions. */
function withoutEchoes(rows: readonly TlsResultRow[]): readonly TlsResultRow[] {
  const felt = new Set(rows.filter(({ host }) => host !== '').map(({ failure }) => failure));
  return rows.filter(({ host, failure }) => host !== '' || !felt.has(failure));
}

function policyOf(rows: readonly TlsResultRow[], own: OwnAddresses): TlsReportPolicy | null {
  const [first] = rows;
  if (first === undefined) return null;
  const { policy, policyDomain, policyText } = first;
  const failed = rows.filter(({ failure }) => failure !== null);
  const sessionsOf = (some: readonly TlsResultRow[]) => some.reduce((sum, { sessions }) => sum + sessions, 0);
  return {
    type: policy,
    text: policyText,
    domain: policyDomain,
    mxHosts: policy === 'sts' ? declaredPatterns(policyText) : [],
    successes: sessionsOf(rows) - sessionsOf(failed),
    failures: sessionsOf(failed),
    details: failed.map((row) => failureOf(row, own)),
  };
}

function failureOf(
  { failure, sessions, host, address, sender, reason }: TlsResultRow,
  own: OwnAddresses,
): TlsReportFailure {
  const sendingIp = sender === null ? null : publicAddress(sender, own);
  return {
    type: failure ?? '',
    sessions,
    ...(sendingIp === null ? {} : { sendingIp }),
    ...(host === '' ? {} : { host }),
    ...(address === '' ? {} : { receivingIp: address }),
    ...(reason === null ? {} : { reason }),
  };
}

/** Behind NAT the other end has seen another address than we have; it is where our name leads. What is private is
 * nobody's business (RFC 8460 §8). */
function publicAddress(sender: string, { ipv4, ipv6 }: OwnAddresses): string | null {
  if (!isPrivate(sender)) return sender;
  return isIP(sender) === 6 ? ipv6 : ipv4;
}
