// RFC 5321 §4.5.1: every domain that takes mail has a postmaster. Checked before a server starts.

import type { Directory } from './directory.ts';

/** Those of these domains whose postmaster leads to nobody. */
export async function domainsWithoutPostmaster(
  directory: Pick<Directory, 'resolve'>,
  domains: readonly string[],
): Promise<readonly string[]> {
  const found = await Promise.all(domains.map((domain) => directory.resolve({ localPart: 'postmaster', domain })));
  return domains.filter((_, index) => found[index]?.kind !== 'account');
}
