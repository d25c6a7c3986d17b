// The TXT records of a domain's DKIM keys, which are made where it has none yet.

import type { Config } from '../config/config.ts';
import { dkimFolder, dkimKeys, dkimRecord } from '../trust/dkim/keys.ts';

export interface KeyRecord {
  readonly selector: string;
  /** In one piece. */
  readonly record: string;
}

/** None for a domain that is not ours, or where nothing is signed. @throws DkimKeyError */
export async function keyRecords(
  { data, domains, dkim }: Pick<Config, 'data' | 'domains' | 'dkim'>,
  domain: string,
): Promise<readonly KeyRecord[]> {
  if (!dkim.enabled || !domains.includes(domain)) return [];
  const keys = await dkimKeys(dkimFolder(data), domain, dkim);
  return keys.map((key) => ({ selector: key.selector, record: dkimRecord(key) }));
}
