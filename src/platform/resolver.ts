// A stub resolver (RFC 1034 §5.3.1) for the questions of mail: asks several recursive resolvers in turn, follows aliases,
// keeps answers for their TTL, and says whether DNSSEC vouches for them, which Node's own resolver does not tell.

import { randomInt } from 'node:crypto';
import { Resolver as SystemResolver } from 'node:dns';
import type { DecodedPacket, ResourceRecord } from 'dns-packet';
import { makeRoom } from './bounded-memory.ts';
import type { Clock } from './clock.ts';
import { type Dns, type DnsAnswer, DnsFailure } from './dns.ts';
import { ask, type Resolver } from './dns-exchange.ts';
import { addressText, domainText, isName, mxRecord, negativeTtl, text, tlsaRecord, ttlOf } from './dns-records.ts';

export interface DnsOptions {
  /** In the order in which they are asked; none: those of the system, which are never trusted. Where some are trusted,
   * the others are not asked: what a trusted one calls bogus must not be had from one that does not look. */
  readonly resolvers: readonly Resolver[];
  readonly clock: Clock;
  /** 16 random bits for each query. */
  readonly randomId?: () => number;
}

/** ms for an answer, in the first and the second round. */
const TIMEOUTS = [2_500, 5_000];
/** More resolvers than this are not asked. */
const MAX_RESOLVERS = 3;
/** Aliases in a row, within one answer or over several. */
const MAX_ALIASES = 8;
const MAX_CACHED = 10_000;
/** Questions under way; the next one fails, and its message waits for a later try. */
const MAX_PENDING = 1_000;
/** Seconds; RFC 8767 §4 suggests a cap of days, mail has no need of more than one. */
const MAX_TTL = 86_400;
/** RFC 2308 §5 suggests one to three hours. */
const MAX_NEGATIVE_TTL = 3_600;

interface Cached {
  readonly answer: DnsAnswer<unknown>;
  readonly at: number;
}

type Read<T> = (data: unknown) => T | null;

export function createDns({ resolvers, clock, randomId = () => randomInt(0x1_0000) }: DnsOptions): Dns {
  const cache = new Map<string, Cached>();
  const pending = new Map<string, Promise<DnsAnswer<unknown>>>();
  const trusted = resolvers.filter((resolver) => resolver.trusted);
  const chosen = trusted.length > 0 ? trusted : resolvers;

  async function lookup<T>(name: string, type: string, read: Read<T>): Promise<DnsAnswer<T>> {
    const owner = name.toLowerCase().replace(/\.$/, '');
    // What is no name of the DNS cannot exist in it.
    if (!isName(owner)) return { records: [], owner, exists: false, secure: false, ttl: MAX_NEGATIVE_TTL };
    const key = `${type} ${owner}`;
    // One key is read by one function, so what it holds has that function's type.
    const kept = fromCache(key) as DnsAnswer<T> | undefined;
    if (kept !== undefined) return kept;
    // As above.
    const running = pending.get(key) as Promise<DnsAnswer<T>> | undefined;
    if (running !== undefined) return await running;
    if (pending.size >= MAX_PENDING) throw new DnsFailure('too many questions to the DNS at once');
    const answering = resolve(owner, type, read);
    pending.set(key, answering);
    try {
      const answer = await answering;
      keep(key, answer);
      return answer;
    } catch (error) {
      throw error instanceof DnsFailure ? error : new DnsFailure(`cannot ask the DNS: ${error}`, { cause: error });
    } finally {
      pending.delete(key);
    }
  }

  /** RFC 1034 §5.3.3, step 4: an answer, an alias to follow, or that there is none. */
  async function resolve<T>(name: string, type: string, read: Read<T>): Promise<DnsAnswer<T>> {
    let owner = name;
    let secure = true;
    let ttl = MAX_TTL;
    let aliases = 0;
    for (;;) {
      const asked = owner;
      const { packet, trusted } = await question(owner, type);
      secure &&= trusted && packet.flag_ad;
      for (;;) {
        const found = recordsOf(packet, owner, type);
        if (found.length > 0) {
          const records = found.map((record) => read(record.data)).filter((record) => record !== null);
          return { records, owner, exists: true, secure, ttl: Math.min(ttl, ...found.map(ttlOf)) };
        }
        const alias = recordsOf(packet, owner, 'CNAME')[0];
        const target = alias === undefined ? null : domainText(alias.data);
        if (alias === undefined || target === null) break;
        aliases += 1;
        if (aliases > MAX_ALIASES) throw new DnsFailure(`${name} is an alias of an alias, too many times over`);
        ttl = Math.min(ttl, ttlOf(alias));
        owner = target;
      }
      const exists = packet.rcode !== 'NXDOMAIN';
      const denial = negativeTtl(packet);
      if (!exists || owner === asked || denial !== null) {
        return { records: [], owner, exists, secure, ttl: Math.min(ttl, denial ?? 60, MAX_NEGATIVE_TTL) };
      }
    }
  }

  /** The first usable answer of the resolvers, in two rounds. */
  async function question(name: string, type: string): Promise<{ packet: DecodedPacket; trusted: boolean }> {
    const servers = (chosen.length > 0 ? chosen : systemResolvers()).slice(0, MAX_RESOLVERS);
    let last = new DnsFailure('no resolver is configured, and the system names none');
    for (const timeoutMs of TIMEOUTS) {
      let answered = 0;
      for (const server of servers) {
        try {
          const packet = await patiently(server, name, type, timeoutMs);
          if (packet.rcode === 'NOERROR' || packet.rcode === 'NXDOMAIN') return { packet, trusted: server.trusted };
          answered += 1;
          last = new DnsFailure(`resolver ${server.address} answers ${packet.rcode} for ${type} of ${name}`);
        } catch (error) {
          if (!(error instanceof DnsFailure)) throw error;
          last = error;
        }
      }
      // They all have answered, if only that they cannot: asking again at once changes nothing.
      if (answered === servers.length) break;
    }
    throw last;
  }

  async function patiently(server: Resolver, name: string, type: string, timeoutMs: number): Promise<DecodedPacket> {
    const packet = await ask(server, { name, type, class: 'IN' }, { clock, randomId, timeoutMs, edns: true });
    if (packet.rcode !== 'FORMERR' && packet.rcode !== 'NOTIMP') return packet;
    return await ask(server, { name, type, class: 'IN' }, { clock, randomId, timeoutMs, edns: false });
  }

  function fromCache(key: string): DnsAnswer<unknown> | undefined {
    const kept = cache.get(key);
    if (kept === undefined) return undefined;
    const age = Math.floor((clock.now() - kept.at) / 1000);
    if (age >= 0 && age < kept.answer.ttl) return { ...kept.answer, ttl: kept.answer.ttl - age };
    cache.delete(key);
    return undefined;
  }

  function keep(key: string, answer: DnsAnswer<unknown>): void {
    if (answer.ttl === 0) return;
    makeRoom(cache, MAX_CACHED);
    cache.set(key, { answer, at: clock.now() });
  }

  return {
    mx: (domain) => lookup(domain, 'MX', mxRecord),
    ipv4: (name) => lookup(name, 'A', (data) => addressText(data, 4)),
    ipv6: (name) => lookup(name, 'AAAA', (data) => addressText(data, 6)),
    txt: (name) => lookup(name, 'TXT', text),
    tlsa: (name) => lookup(name, 'TLSA', tlsaRecord),
    cname: (name) => lookup(name, 'CNAME', domainText),
  };
}

function recordsOf(packet: DecodedPacket, owner: string, type: string): readonly ResourceRecord[] {
  return packet.answers.filter(
    (record) => record.type === type && record.class === 'IN' && domainText(record.name) === owner,
  );
}

/** Read anew for each question, since a machine may change its network. */
function systemResolvers(): readonly Resolver[] {
  return new SystemResolver().getServers().map((server) => {
    const bracketed = /^\[(.+)\](?::(\d+))?$/.exec(server) ?? /^([\d.]+):(\d+)$/.exec(server);
    return { address: bracketed?.[1] ?? server, port: Number(bracketed?.[2] ?? 53), trusted: false };
  });
}
