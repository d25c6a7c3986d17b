// What a domain has to say of its mail in the DNS, made from what the server is: each record with its reason, and what is
// left out with what it waits for. Pure; the format of a zone file is zone-file.ts's.

import { createHash, type X509Certificate } from 'node:crypto';
import type { Config } from '../config/config.ts';
import { mailtoOf, tlsReportAddress } from '../mta/tls-report/address.ts';
import { isLoopback, isPrivate } from '../platform/source.ts';
import type { KeyRecord } from './key-records.ts';
import type { Gate } from './ports-table.ts';
import type { LeftOut, Publication, PublishedPolicy, ZoneRecord } from './publication.ts';
import { serviceRecords } from './service-records.ts';

/** What the records are made of. */
export interface MailFacts {
  readonly config: Config;
  readonly gates: readonly Gate[];
  /** Of the server; the first of each file. */
  readonly certificates: readonly X509Certificate[];
  /** TXT records of the keys of each domain, by selector. */
  readonly keys: ReadonlyMap<string, readonly KeyRecord[]>;
  /** ms since the epoch. */
  readonly now: number;
}

/** Seconds: RFC 8461 §3.2 wants weeks at least, of a policy that is in force. */
const POLICY_AGE = 604_800;

/** Everything for these domains, what concerns the host first. */
export function publication(facts: MailFacts, domains: readonly string[]): Publication {
  const parts = [hostPart(facts), ...domains.map((domain) => domainPart(facts, domain))];
  return {
    records: parts.flatMap(({ records }) => records),
    policies: parts.flatMap(({ policies }) => policies),
    leftOut: parts.flatMap(({ leftOut }) => leftOut),
  };
}

/** What a peer finds by the name of this host. */
function hostPart({ config, gates, certificates }: MailFacts): Publication {
  const { hostname: name, domains, tls } = config;
  const records: ZoneRecord[] = [];
  const leftOut: LeftOut[] = [];
  const addresses = new Set(gates.map(({ address }) => address).filter((address) => !isPrivate(address)));
  for (const data of addresses) {
    const type = data.includes(':') ? 'AAAA' : 'A';
    records.push({
      name,
      type,
      data,
      reason: 'where the gates are; the PTR of this address should lead back to the name',
    });
  }
  if (addresses.size === 0) {
    const reason = 'the public address of this machine, which it does not know; its PTR should lead back to the name';
    leftOut.push({ name, type: 'A/AAAA', reason });
  }
  if (!domains.includes(name)) {
    const reason = 'reports have no other sender than this name (RFC 7208 §2.4)';
    records.push({ name, type: 'TXT', data: 'v=spf1 a -all', reason });
  }
  const encrypted = transfer(gates).find((gate) => gate.tls !== 'none');
  if (encrypted === undefined || certificates.length === 0) {
    const reason =
      encrypted === undefined
        ? 'waits for a transfer gate with TLS that others can reach'
        : 'waits for the certificates, which the first start makes';
    leftOut.push({ name: `_25._tcp.${name}`, type: 'TLSA', reason });
    return { records, policies: [], leftOut };
  }
  const renewal =
    tls.certificates.length > 0
      ? 'renew with the same key, or publish the next one before it is used'
      : 'the local authority renews with the same key';
  for (const certificate of certificates) {
    const spki = certificate.publicKey.export({ type: 'spki', format: 'der' });
    records.push({
      name: `_25._tcp.${name}`,
      type: 'TLSA',
      data: `3 1 1 ${createHash('sha256').update(spki).digest('hex')}`,
      reason: `${keyName(certificate)} key; counts only in a zone that is signed by DNSSEC (RFC 7672 §2.2.1): ${renewal}`,
    });
  }
  return { records, policies: [], leftOut };
}

function domainPart(facts: MailFacts, name: string): Publication {
  const { config, gates } = facts;
  const records: ZoneRecord[] = [];
  const leftOut: LeftOut[] = [];
  const [open] = transfer(gates);
  if (open === undefined) {
    leftOut.push({ name, type: 'MX', reason: 'waits for a transfer gate that others can reach' });
  } else {
    const elsewhere = open.port === 25 ? '' : `; others come to port 25, which must lead to port ${open.port} here`;
    const reason = `mail for the domain comes to this server${elsewhere}`;
    records.push({ name, type: 'MX', data: `10 ${config.hostname}.`, reason });
  }
  records.push({ name, type: 'TXT', data: 'v=spf1 mx ~all', reason: senderReason(config) });
  const keys = facts.keys.get(name) ?? [];
  for (const { selector, record } of keys) {
    const reason = 'verifies what users send (RFC 6376 §3.6.1); the key behind it is in data/dkim';
    records.push({ name: `${selector}._domainkey.${name}`, type: 'TXT', data: record, reason });
  }
  if (keys.length === 0) {
    leftOut.push({ name: `*._domainkey.${name}`, type: 'TXT', reason: 'waits for dkim.enabled = true' });
  }
  records.push({
    name: `_dmarc.${name}`,
    type: 'TXT',
    data: `v=DMARC1; p=none; rua=mailto:postmaster@${name}`,
    reason:
      'asks for reports; where they show that all your mail passes, write p=quarantine, then p=reject (RFC 7489 §6.3)',
  });
  const policy = strictTransport(facts, name);
  if ('policy' in policy) records.push(policy.record);
  else leftOut.push(policy);
  records.push({
    name: `_smtp._tls.${name}`,
    type: 'TXT',
    data: `v=TLSRPTv1; rua=mailto:${mailtoOf(tlsReportAddress(config.tlsReports, name))}`,
    reason: 'asks for reports of mail that could not be encrypted on its way here (RFC 8460 §3): "postern tls-reports"',
  });
  const services = serviceRecords(config.hostname, name, gates);
  return {
    records: [...records, ...services.records],
    policies: 'policy' in policy ? [policy.policy] : [],
    leftOut: [...leftOut, ...services.leftOut],
  };
}

/** MTA-STS (RFC 8461): a promise that must hold, so it waits for a certificate that the world can check. */
function strictTransport(
  { config, gates, certificates, now }: MailFacts,
  domain: string,
): { readonly record: ZoneRecord; readonly policy: PublishedPolicy } | LeftOut {
  const name = `_mta-sts.${domain}`;
  const waits = (reason: string): LeftOut => ({ name, type: 'TXT', reason: `waits for ${reason} (RFC 8461 §4.1)` });
  if (!transfer(gates).some((gate) => gate.tls !== 'none')) return waits('a transfer gate with TLS that others reach');
  if (config.tls.certificates.length === 0 || certificates.some((each) => each.checkIssued(each))) {
    return waits('certificates that others trust: tls.certificate and tls.key');
  }
  if (certificates.some((each) => each.checkHost(config.hostname) === undefined)) {
    return waits(`certificates that name ${config.hostname}`);
  }
  if (certificates.some((each) => each.validToDate.getTime() < now)) return waits('certificates that have not expired');
  const lines = ['version: STSv1', 'mode: testing', `mx: ${config.hostname}`, `max_age: ${POLICY_AGE}`];
  const text = lines.map((line) => `${line}\r\n`).join('');
  // RFC 8461 §3.1: another policy has another id.
  const id = createHash('sha256').update(text).digest('hex').slice(0, 20);
  return {
    record: {
      name,
      type: 'TXT',
      data: `v=STSv1; id=${id}`,
      reason: `says that there is a policy; any web server shows it at mta-sts.${domain}, with a certificate of that name`,
    },
    policy: {
      url: `https://mta-sts.${domain}/.well-known/mta-sts.txt`,
      text,
      reason: 'where reports show no failures, write "mode: enforce", and another id into the record',
    },
  };
}

function senderReason({ relay, hostname }: Config): string {
  const smarthosts = relay.smarthosts.map(({ host }) => host);
  if (smarthosts.length === 0) {
    return `mail of the domain leaves from ${hostname}; what was forwarded by others has only its DKIM signature`;
  }
  return `mail of the domain leaves by ${smarthosts.join(', ')}: add in front of "~all" what its provider names (include:…)`;
}

/** The gates of port 25 that others can reach. */
function transfer(gates: readonly Gate[]): readonly Gate[] {
  return gates.filter((gate) => gate.role === 'transfer' && !isLoopback(gate.address));
}

function keyName({ publicKey }: X509Certificate): string {
  const { asymmetricKeyType: type = 'unknown', asymmetricKeyDetails: details } = publicKey;
  return type === 'ec' ? `the ${details?.namedCurve ?? 'EC'}` : `the ${type.toUpperCase()}`;
}
