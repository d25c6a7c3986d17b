// DKIM verified by another implementation, with the keys of a folder as its DNS; and by hand, with nothing but the rules
// of RFC 6376 and node:crypto.

import { dkimVerify } from 'mailauth/lib/dkim/verify.js';
import { dkimKeys, dkimRecord } from '../../src/trust/dkim/keys.ts';

export const SELECTORS = { rsaSelector: 'postern-rsa', ed25519Selector: 'postern-ed' };

export interface Verdict {
  readonly algorithm: string;
  readonly domain: string;
  readonly result: string;
}

/** The verdict on each signature, as mailauth sees it, the topmost first. */
export async function verify(message: Uint8Array, folder: string, domains: readonly string[]): Promise<Verdict[]> {
  const records = new Map<string, string>();
  for (const domain of domains) {
    for (const key of await dkimKeys(folder, domain, SELECTORS)) {
      records.set(`${key.selector}._domainkey.${domain}`, dkimRecord(key));
    }
  }
  const resolver = async (name: string, type: string): Promise<string[][]> => {
    const record = type === 'TXT' ? records.get(name) : undefined;
    if (record === undefined) throw Object.assign(new Error(`no ${type} of ${name}`), { code: 'ENOTFOUND' });
    return [record.match(/.{1,255}/g) ?? []];
  };
  const { results } = await dkimVerify(Buffer.from(message), { resolver });
  return results.map(({ algo, signingDomain, status }) => ({
    algorithm: algo ?? '',
    domain: signingDomain ?? '',
    result: status.result,
  }));
}

/** Both signatures of a domain, good. */
export const good = (domain: string): Verdict[] =>
  ['rsa-sha256', 'ed25519-sha256'].map((algorithm) => ({ algorithm, domain, result: 'pass' }));
