// The DNS as a table in memory: what a test has not written down does not exist.

import { type Dns, type DnsAnswer, DnsFailure, type MxRecord, type TlsaRecord } from '../src/platform/dns.ts';

/** The records of one name. A field that is absent is NODATA. */
export interface FakeName {
  readonly mx?: readonly MxRecord[];
  readonly ipv4?: readonly string[];
  readonly ipv6?: readonly string[];
  readonly txt?: readonly string[];
  readonly tlsa?: readonly TlsaRecord[];
  /** The name is an alias; it has no other records then. */
  readonly cname?: string;
  /** DNSSEC vouches for it. */
  readonly secure?: boolean;
  /** Every question is answered by SERVFAIL. */
  readonly broken?: boolean;
  /** Seconds. */
  readonly ttl?: number;
}

export class FakeDns implements Dns {
  readonly #names = new Map<string, FakeName>();
  /** Every question, as `mx example.test`, in order. */
  readonly asked: string[] = [];

  constructor(names: Readonly<Record<string, FakeName>> = {}) {
    for (const [name, records] of Object.entries(names)) this.set(name, records);
  }

  set(name: string, records: FakeName): void {
    this.#names.set(name.toLowerCase(), records);
  }

  remove(name: string): void {
    this.#names.delete(name.toLowerCase());
  }

  mx(domain: string): Promise<DnsAnswer<MxRecord>> {
    return this.#answer('mx', domain, (records) => records.mx);
  }

  ipv4(name: string): Promise<DnsAnswer<string>> {
    return this.#answer('ipv4', name, (records) => records.ipv4);
  }

  ipv6(name: string): Promise<DnsAnswer<string>> {
    return this.#answer('ipv6', name, (records) => records.ipv6);
  }

  txt(name: string): Promise<DnsAnswer<string>> {
    return this.#answer('txt', name, (records) => records.txt);
  }

  tlsa(name: string): Promise<DnsAnswer<TlsaRecord>> {
    return this.#answer('tlsa', name, (records) => records.tlsa);
  }

  async cname(name: string): Promise<DnsAnswer<string>> {
    this.asked.push(`cname ${name}`);
    const { cname, ...records } = this.#names.get(name.toLowerCase()) ?? {};
    if (records.broken) throw new DnsFailure(`SERVFAIL for ${name}`);
    return {
      records: cname === undefined ? [] : [cname],
      owner: name,
      exists: true,
      secure: records.secure ?? false,
      ttl: records.ttl ?? 300,
    };
  }

  async #answer<T>(
    type: string,
    name: string,
    of: (records: FakeName) => readonly T[] | undefined,
  ): Promise<DnsAnswer<T>> {
    this.asked.push(`${type} ${name}`);
    let owner = name.toLowerCase();
    let secure = true;
    for (;;) {
      const records = this.#names.get(owner);
      if (records?.broken) throw new DnsFailure(`SERVFAIL for ${owner}`);
      secure &&= records?.secure ?? false;
      if (records?.cname !== undefined) {
        owner = records.cname;
        continue;
      }
      return {
        records: (records && of(records)) ?? [],
        owner,
        exists: records !== undefined,
        secure,
        ttl: records?.ttl ?? 300,
      };
    }
  }
}
