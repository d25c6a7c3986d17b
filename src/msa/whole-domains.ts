// Domains whole, as the net knows them (RFC 6409 §4.2): what only means something in a user's own network is refused where
// they can still put it right, in the envelope and in the header.

import type { Directory } from '../directory/directory.ts';
import { type Address, formatAddress } from '../formats/address.ts';
import { type HeaderField, headerAddresses } from '../formats/header.ts';
import { Refusal } from '../formats/refusal.ts';

export interface KnownDomains {
  readonly directory: Pick<Directory, 'isLocalDomain'>;
  /** Those that the operator has given a way of their own (`relay.route`), lower case. */
  readonly routed: ReadonlySet<string>;
}

/** Fields of addresses (RFC 5322 §3.6). */
const FIELDS: ReadonlySet<string> = new Set([
  ...['from', 'sender', 'reply-to', 'to', 'cc', 'bcc'],
  ...['resent-from', 'resent-sender', 'resent-reply-to', 'resent-to', 'resent-cc', 'resent-bcc'],
]);

/** The refusal of a recipient whose domain is not whole; null: it is. */
export function shortDomain(known: KnownDomains, address: Address): Refusal | null {
  if (isWhole(known, address.domain)) return null;
  return refusal(address, `recipient ${formatAddress(address)}`);
}

/** @throws Refusal for an address of the header whose domain is not whole. What is no address at all is let pass: it leads
 * nobody astray. */
export function refuseShortDomains(known: KnownDomains, header: readonly HeaderField[]): void {
  for (const field of header) {
    if (!FIELDS.has(field.name.toLowerCase())) continue;
    for (const { address } of headerAddresses(field.value)) {
      if (address !== null && !isWhole(known, address.domain)) throw refusal(address, `${field.name} of the header`);
    }
  }
}

/** A top-level domain alone takes no mail that anybody knows of. */
function isWhole({ directory, routed }: KnownDomains, domain: string): boolean {
  return domain.includes('.') || domain.startsWith('[') || directory.isLocalDomain(domain) || routed.has(domain);
}

function refusal({ domain }: Address, where: string): Refusal {
  const text = `The domain ${domain} is not whole: write all of its name`;
  return new Refusal(554, '5.1.2', text, `${text} (${where})`);
}
