// The part of the dns-packet library that the resolver uses; it brings no types of its own.

declare module 'dns-packet' {
  export interface Question {
    name: string;
    type: string;
    class?: string;
  }
  export interface ResourceRecord {
    name: string;
    type: string;
    class?: string;
    ttl?: number;
    /** By type: text for A, AAAA, CNAME; `{ preference, exchange }` for MX; buffers for TXT; `{ minimum }` for SOA;
     * `{ usage, selector, matchingType, certificate }` for TLSA. */
    data?: unknown;
  }
  export interface OptRecord {
    name: '.';
    type: 'OPT';
    udpPayloadSize: number;
    flags: number;
    options: never[];
    extendedRcode?: number;
    ednsVersion?: number;
  }
  export interface Packet {
    id: number;
    type: 'query' | 'response';
    flags: number;
    questions: Question[];
    answers: ResourceRecord[];
    authorities: ResourceRecord[];
    additionals: (ResourceRecord | OptRecord)[];
  }
  export interface DecodedPacket extends Packet {
    opcode: string;
    rcode: string;
    flag_ad: boolean;
  }
  export const RECURSION_DESIRED: number;
  export const AUTHENTIC_DATA: number;
  export const DNSSEC_OK: number;
  export function encode(packet: Partial<Packet>): Buffer;
  export function decode(octets: Uint8Array): DecodedPacket;
}
