// The address at which others report to us: the one that "postern dns" publishes, and that port 25 takes reports at.

import type { TlsReportsConfig } from '../../config/config.ts';
import { type Address, formatAddress } from '../../formats/address.ts';

/** Where reports for one of our domains go. */
export function tlsReportAddress({ address }: Pick<TlsReportsConfig, 'address'>, domain: string): Address {
  return { localPart: address.localPart, domain: address.domain ?? domain };
}

/** Is it such an address? Case does not matter, as it does not for our mailboxes. */
export function isTlsReportAddress(
  { address }: Pick<TlsReportsConfig, 'address'>,
  domains: readonly string[],
  given: Address,
): boolean {
  const domain = given.domain.toLowerCase();
  const ours = address.domain === null ? domains.includes(domain) : domain === address.domain;
  return ours && given.localPart.toLowerCase() === address.localPart.toLowerCase();
}

/** As a mailto URI has it in the record (RFC 6068 §2, RFC 8460 §3): what means something there, percent-encoded. */
export function mailtoOf(address: Address): string {
  return formatAddress(address).replace(/[^\w@.+~-]/g, (character) =>
    encodeURIComponent(character).replace(/[!'()*]/g, escaped),
  );
}

function escaped(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
