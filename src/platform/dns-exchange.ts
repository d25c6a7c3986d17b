// One question to one resolver, and its answer: UDP with EDNS0 (RFC 6891), TCP when the answer was cut (RFC 7766 §5). Id
// and port are random, and an answer counts only if it answers this question (RFC 5452 §9.1). Knows no cache, no retry.

import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import dnsPacket, { type DecodedPacket, type Question } from 'dns-packet';
import type { Clock } from './clock.ts';
import { DnsFailure } from './dns.ts';

export interface Resolver {
  readonly address: string;
  readonly port: number;
  /** It validates DNSSEC and the way to it is safe: its AD bit is believed. */
  readonly trusted: boolean;
}

export interface Exchange {
  readonly clock: Clock;
  /** 16 random bits. */
  readonly randomId: () => number;
  readonly timeoutMs: number;
  /** Off for a resolver that does not understand it (FORMERR, RFC 6891 §7). */
  readonly edns: boolean;
}

/** What passes every path unfragmented (RFC 9715 §3.2). */
const UDP_PAYLOAD = 1232;
/** RFC 1035 §4.2.2: two octets of length. */
const TCP_MAX = 65_535 + 2;

/** Asks by UDP, then by TCP if told to. @throws DnsFailure on time-out or no way to the resolver */
export async function ask(resolver: Resolver, question: Question, exchange: Exchange): Promise<DecodedPacket> {
  const { query, accept } = prepare(question, exchange);
  const answer = await overUdp(resolver, query, (octets) => (isCut(query, octets) ? 'cut' : accept(octets)), exchange);
  return answer === 'cut' ? await overTcp(resolver, query, accept, exchange) : answer;
}

/** Is this the answer to the query, with TC set? Told by the header alone (RFC 2181 §9): some resolvers cut wherever the
 * datagram is full, and what is left cannot be decoded. */
function isCut(query: Buffer, octets: Uint8Array): boolean {
  const [id1, id2, flags = 0] = octets;
  return octets.length >= 12 && id1 === query[0] && id2 === query[1] && (flags & 0x80) !== 0 && (flags & 0x02) !== 0;
}

/** The query's octets, and the test of what comes back. */
function prepare(question: Question, { randomId, edns }: Exchange) {
  const id = randomId();
  const query = dnsPacket.encode({
    id,
    type: 'query',
    // AD in a query asks for AD in the answer (RFC 6840 §5.7).
    flags: dnsPacket.RECURSION_DESIRED | dnsPacket.AUTHENTIC_DATA,
    questions: [question],
    additionals: edns
      ? [{ name: '.', type: 'OPT', udpPayloadSize: UDP_PAYLOAD, flags: dnsPacket.DNSSEC_OK, options: [] }]
      : [],
  });
  const accept = (octets: Uint8Array): DecodedPacket | null => {
    let packet: DecodedPacket;
    try {
      packet = dnsPacket.decode(octets);
    } catch {
      return null;
    }
    const asked = packet.questions[0];
    const fits =
      packet.id === id &&
      packet.type === 'response' &&
      packet.opcode === 'QUERY' &&
      packet.questions.length === 1 &&
      asked?.type === question.type &&
      asked.name.toLowerCase() === question.name;
    // A resolver that cannot read the query may leave the question out of its FORMERR.
    const refused = packet.id === id && packet.type === 'response' && packet.rcode === 'FORMERR';
    return fits || refused ? packet : null;
  };
  return { query, accept };
}

type Accept<T> = (octets: Uint8Array) => T | null;

function overUdp<T>(resolver: Resolver, query: Buffer, accept: Accept<T>, exchange: Exchange): Promise<T> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIPv6(resolver.address) ? 'udp6' : 'udp4');
    const finish = (done: () => void) => {
      cancel();
      socket.close();
      done();
    };
    const fail = (why: string) => finish(() => reject(failure(resolver, why)));
    const cancel = exchange.clock.after(exchange.timeoutMs, () => fail('no answer in time'));
    let ended = false;
    const once = (action: () => void) => {
      if (ended) return;
      ended = true;
      action();
    };
    const failed = (error: NodeJS.ErrnoException) => once(() => fail(error.code ?? error.message));
    socket.on('error', failed);
    socket.on('message', (octets) => {
      // Anything else on this port is a forgery or a late answer; the right one may still come.
      const packet = accept(octets);
      if (packet !== null) once(() => finish(() => resolve(packet)));
    });
    // Connected, so that the kernel drops what other addresses send and reports a closed port at once.
    // Where there is no way to it, the callback gets the error and no event does.
    socket.connect(resolver.port, resolver.address, (error?: NodeJS.ErrnoException) => {
      if (error) failed(error);
      else if (!ended) socket.send(query);
    });
  });
}

function overTcp<T>(resolver: Resolver, query: Buffer, accept: Accept<T>, exchange: Exchange): Promise<T> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: resolver.address, port: resolver.port });
    let received = Buffer.alloc(0);
    const finish = (done: () => void) => {
      cancel();
      socket.destroy();
      done();
    };
    const fail = (why: string) => finish(() => reject(failure(resolver, why)));
    const cancel = exchange.clock.after(exchange.timeoutMs, () => fail('no answer over TCP in time'));
    socket.on('error', (error: NodeJS.ErrnoException) => fail(`TCP: ${error.code ?? error.message}`));
    socket.on('close', () => fail('TCP connection closed without an answer'));
    socket.on('connect', () => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(query.length);
      socket.write(Buffer.concat([length, query]));
    });
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      const complete = received.length >= 2 && received.length >= 2 + received.readUInt16BE(0);
      if (!complete && received.length <= TCP_MAX) return;
      const packet = accept(received.subarray(2, 2 + received.readUInt16BE(0)));
      if (packet === null) fail('an answer over TCP that does not fit the question');
      else finish(() => resolve(packet));
    });
  });
}

function failure(resolver: Resolver, why: string): DnsFailure {
  return new DnsFailure(`resolver ${resolver.address} port ${resolver.port}: ${why}`);
}
