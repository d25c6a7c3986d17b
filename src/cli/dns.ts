// The verb `dns`: the records to publish, from the configuration, the gates of the running server if there is one, the
// certificates and the DKIM keys, which it makes where a domain has none yet.

import type { Config } from '../config/config.ts';
import { normalizeDomain } from '../formats/address.ts';
import { certificatesOnFile } from '../platform/certificates.ts';
import { systemClock } from '../platform/clock.ts';
import { makeFolder } from '../store/folder.ts';
import { runningGates, runningKeyRecords } from './administration.ts';
import { type Context, configOf, EXIT, Failure, say, sayJson } from './context.ts';
import { type MailFacts, publication } from './dns-records.ts';
import { type KeyRecord, keyRecords } from './key-records.ts';
import { becomeOwner } from './owner.ts';
import { gatesOf } from './ports-table.ts';
import { zoneFile } from './zone-file.ts';

export async function dns(
  context: Context,
  domain: string | undefined,
  { json }: { readonly json?: boolean },
): Promise<number> {
  const config = await configOf(context);
  const wanted =
    domain === undefined ? config.domains : config.domains.filter((each) => each === normalizeDomain(domain));
  if (wanted.length === 0) {
    throw new Failure(`${domain} is none of our domains, which are ${config.domains.join(', ')}`, EXIT.usage);
  }
  // Before the keys, which may have to be made with fewer rights than this takes.
  const certificates = await certificatesOnFile(config.tls);
  const keys = new Map<string, readonly KeyRecord[]>();
  for (const each of config.dkim.enabled ? wanted : []) {
    keys.set(each, (await runningKeyRecords(config, each)) ?? (await ownKeyRecords(config, each)));
  }
  const facts: MailFacts = {
    config,
    gates: (await runningGates(config)) ?? gatesOf(config, null),
    certificates,
    keys,
    now: systemClock.now(),
  };
  const all = publication(facts, wanted);
  if (json === true) sayJson(context, all);
  else say(context, zoneFile(all));
  return EXIT.done;
}

/** No server runs: the first to need the keys, and so the folder that they are in, may be this verb. */
async function ownKeyRecords(config: Config, domain: string): Promise<readonly KeyRecord[]> {
  await becomeOwner(config.data);
  makeFolder(config.data);
  return await keyRecords(config, domain);
}
