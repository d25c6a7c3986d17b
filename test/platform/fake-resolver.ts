// A recursive resolver of the tests' own on loopback, UDP and TCP on one port: it answers as a script says, with octets
// that can be wrong in any way.

import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import dnsPacket, { type DecodedPacket, type OptRecord, type Packet, type ResourceRecord } from 'dns-packet';
import type { Resolver } from '../../src/platform/dns-exchange.ts';

/** Flags of RFC 1035 §4.1.1 and RFC 4035 §3.2.3. */
export const FLAG = { truncated: 1 << 9, authentic: 1 << 5 } as const;
/** RFC 1035 §4.1.1. */
export const RCODE = { formErr: 1, servFail: 2, nxDomain: 3, notImp: 4, refused: 5 } as const;

export interface Asked {
  readonly over: 'udp' | 'tcp';
  readonly name: string;
  readonly type: string;
  readonly packet: DecodedPacket;
}

/** Octets to send, one datagram each; none: silence. */
export type Script = (asked: Asked) => readonly Uint8Array[];

const PORT_TRIES = 20;

export class FakeResolver implements AsyncDisposable {
  readonly #udp: UdpSocket;
  readonly #tcp: Server;
  readonly #sockets = new Set<Socket>();
  readonly #heard = new Set<() => void>();
  /** Every question, as `udp MX example.test`. */
  readonly asked: string[] = [];
  script: Script;

  private constructor(udp: UdpSocket, tcp: Server, script: Script) {
    this.#udp = udp;
    this.#tcp = tcp;
    this.script = script;
    udp.on('message', (octets, from) => {
      for (const answer of this.#answers('udp', octets)) udp.send(answer, from.port, from.address);
    });
    tcp.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => socket.destroy()).on('close', () => this.#sockets.delete(socket));
      socket.on('data', (octets: Buffer) => {
        // A query of a test is one segment.
        for (const answer of this.#answers('tcp', octets.subarray(2))) socket.write(answer);
      });
    });
  }

  static async open(script: Script = () => []): Promise<FakeResolver> {
    for (let tries = 1; ; tries++) {
      const udp = createSocket('udp4');
      await once(udp.bind(0, '127.0.0.1'), 'listening');
      const tcp = createServer();
      try {
        await once(tcp.listen(udp.address().port, '127.0.0.1'), 'listening');
        return new FakeResolver(udp, tcp, script);
      } catch (error) {
        udp.close();
        if (tries === PORT_TRIES) throw error;
      }
    }
  }

  at(trusted = false): Resolver {
    return { address: '127.0.0.1', port: this.#udp.address().port, trusted };
  }

  /** Resolves when so many questions have come in all. */
  async heard(count: number): Promise<void> {
    while (this.asked.length < count) {
      await new Promise<void>((resolve) => {
        this.#heard.add(resolve);
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#udp.close();
    this.#tcp.close();
    await once(this.#tcp, 'close');
  }

  #answers(over: Asked['over'], octets: Buffer): readonly Uint8Array[] {
    const packet = dnsPacket.decode(octets);
    const { name = '', type = '' } = packet.questions[0] ?? {};
    this.asked.push(`${over} ${type} ${name}`);
    for (const wake of this.#heard) wake();
    this.#heard.clear();
    return this.script({ over, name, type, packet });
  }
}

export interface AnswerOptions {
  readonly answers?: readonly ResourceRecord[];
  readonly authorities?: readonly ResourceRecord[];
  /** FLAG and RCODE, added. */
  readonly flags?: number;
  readonly packet?: Partial<Packet>;
}

/** The octets of an answer that fits a question, but for what `packet` says. */
export function answer({ packet, over }: Asked, options: AnswerOptions = {}): Buffer {
  const octets = dnsPacket.encode({
    id: packet.id,
    type: 'response',
    flags: options.flags ?? 0,
    questions: packet.questions,
    answers: [...(options.answers ?? [])],
    authorities: [...(options.authorities ?? [])],
    ...options.packet,
  });
  if (over === 'udp') return octets;
  const length = Buffer.alloc(2);
  length.writeUInt16BE(octets.length);
  return Buffer.concat([length, octets]);
}

export const record = (name: string, type: string, data: unknown, ttl = 300): ResourceRecord => ({
  name,
  type,
  class: 'IN',
  ttl,
  data,
});

export const soa = (minimum: number, ttl = 300): ResourceRecord =>
  record(
    'test',
    'SOA',
    { mname: 'ns.test', rname: 'root.test', serial: 1, refresh: 1, retry: 1, expire: 1, minimum },
    ttl,
  );

export const hasEdns = ({ packet }: Asked): boolean =>
  packet.additionals.some((each): each is OptRecord => each.type === 'OPT');
