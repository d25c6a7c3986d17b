// RFC 5321 §4.5.1: every domain that takes mail has a postmaster. Checked before a server starts, and before it
// takes other accounts.

import type { AccountRow } from '../store/rows.ts';
import { comparable } from './address-book.ts';
import type { Directory } from './directory.ts';
import type { SeedAccount } from './seed.ts';

/** Those of these domains whose postmaster leads to nobody. */
export async function domainsWithoutPostmaster(
  directory: Pick<Directory, 'resolve'>,
  domains: readonly string[],
): Promise<readonly string[]> {
  const found = await Promise.all(domains.map((domain) => directory.resolve({ localPart: 'postmaster', domain })));
  return domains.filter((_, index) => found[index]?.kind !== 'account');
}

/** Those of these domains whose postmaster would lead to nobody, were the seeded accounts these. @param rows of the store */
export function domainsLosingPostmaster(
  rows: readonly AccountRow[],
  accounts: readonly SeedAccount[],
  domains: readonly string[],
): readonly string[] {
  const seeded = new Set(accounts.map(({ address }) => comparable(address)));
  // What has left the file stands, with the addresses that no other account gets.
  const standing = rows.filter(({ address }) => !seeded.has(comparable(address)));
  const addresses = new Set(
    [...accounts, ...standing].flatMap(({ address, aliases }) => [address, ...aliases].map(comparable)),
  );
  return domains.filter((domain) => !addresses.has(comparable(`postmaster@${domain}`)));
}
