// What is published in the DNS and beside it, as values: records, policies, and what has to wait.

/** A resource record of class IN. Names are whole, without the dot at the end. */
export interface ZoneRecord {
  readonly name: string;
  readonly type: 'A' | 'AAAA' | 'MX' | 'SRV' | 'TLSA' | 'TXT';
  /** As in a zone file; of a TXT record the text, in one piece. */
  readonly data: string;
  readonly reason: string;
}

export interface LeftOut {
  readonly name: string;
  readonly type: ZoneRecord['type'] | 'A/AAAA';
  readonly reason: string;
}

/** A file that a web server has to show beside the records (RFC 8461 §3.2). */
export interface PublishedPolicy {
  readonly url: string;
  readonly text: string;
  readonly reason: string;
}

export interface Publication {
  readonly records: readonly ZoneRecord[];
  readonly policies: readonly PublishedPolicy[];
  readonly leftOut: readonly LeftOut[];
}
