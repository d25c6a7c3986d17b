// What lies between a session and its socket: TLS by STARTTLS or STLS (RFC 3501 §6.2.1, RFC 2595 §4) and compression
// (RFC 4978). Each is put on once, between two commands; what the client sent ahead in the old form is thrown away.

import { TLSSocket } from 'node:tls';
import { type ClientCertificate, clientCertificate } from './client-certificate.ts';
import { Deflated } from './deflated.ts';
import type { Connection } from './listener.ts';
import type { SocketInput } from './socket-input.ts';
import { Disconnected, type SocketWriter } from './socket-writer.ts';
import {
  type ChannelBinding,
  channelBinding,
  type TlsFacts,
  TlsFailure,
  type TlsFloor,
  type TlsKeeper,
  tlsFacts,
  upgrade,
} from './tls.ts';

interface Ends {
  readonly input: SocketInput;
  readonly writer: SocketWriter;
  readonly keeper: TlsKeeper;
  readonly floor: TlsFloor;
  /** For the TLS handshake, and for the end of compression, ms. */
  readonly handshakeTime: number;
  readonly note: (text: string, fields: object) => void;
}

interface Known {
  /** What can be bound to (RFC 5056); null: there is no TLS. */
  readonly bindings: ((name: ChannelBinding) => Buffer | null) | null;
  /** Mail addresses in the client's certificate; null: it has shown none for which an authority vouches. */
  readonly certificate: readonly string[] | null;
}

export class SocketLayers {
  readonly #connection: Connection;
  readonly #ends: Ends;
  #secured: TLSSocket | null;
  #client: ClientCertificate | null;
  #compressed: Deflated | null = null;
  /** null: in clear. */
  tls: TlsFacts | null;

  constructor(connection: Connection, ends: Ends) {
    this.#connection = connection;
    this.#ends = ends;
    this.tls = connection.tls;
    this.#secured = connection.socket instanceof TLSSocket ? connection.socket : null;
    this.#client = this.#judged();
  }

  get compressed(): boolean {
    return this.#compressed !== null;
  }

  /** What TLS knows of the connection, for who logs in over it. */
  get known(): Known {
    const secured = this.#secured;
    return {
      bindings: secured && ((name) => channelBinding(secured, name)),
      certificate: this.#client?.kind === 'vouched' ? this.#client.addresses : null,
    };
  }

  #judged(): ClientCertificate | null {
    const client = this.#secured && clientCertificate(this.#secured);
    if (client?.kind === 'flawed') this.#ends.note("the client's certificate does not count", { flaw: client.flaw });
    return client;
  }

  /** Between two commands. @throws Disconnected */
  async change(to: 'starttls' | 'deflate' | 'inflate'): Promise<void> {
    if (to === 'starttls') await this.startTls();
    else if (to === 'deflate') this.#deflate();
    else await this.#inflate();
  }

  /** @throws Disconnected where nothing comes of the handshake */
  async startTls(): Promise<void> {
    const { input, writer, keeper, floor, handshakeTime, note } = this.#ends;
    writer.flush();
    if (!input.detach()) throw new Disconnected('the connection is closed');
    const { socket } = this.#connection;
    try {
      const secured = await upgrade(socket, keeper, floor, handshakeTime);
      secured.allowHalfOpen = socket.allowHalfOpen;
      // Errors of the layer below end in 'close', which is enough.
      secured.on('error', () => undefined);
      this.tls = tlsFacts(secured);
      this.#secured = secured;
      this.#client = this.#judged();
      writer.exchange(secured);
      input.attach(secured);
    } catch (error) {
      if (!(error instanceof TlsFailure)) throw error;
      note(error.message, { tls: error.code });
      throw new Disconnected(error.message);
    }
  }

  /** From here on both sides deflate. @throws Disconnected */
  #deflate(): void {
    const { input, writer, note } = this.#ends;
    writer.flush();
    const socket = input.detach();
    if (!socket) throw new Disconnected('the connection is closed');
    const deflated = new Deflated(socket);
    // Whatever it is, it ends in 'close', which is enough.
    deflated.on('error', (error) => note('the compressed connection broke', { err: error }));
    this.#compressed = deflated;
    writer.exchange(deflated);
    input.attach(deflated);
  }

  /** From here on both sides speak plainly again. @throws Disconnected */
  async #inflate(): Promise<void> {
    const { input, writer, handshakeTime } = this.#ends;
    writer.flush();
    const deflated = this.#compressed;
    if (!deflated || input.detach() === null) throw new Disconnected('the connection is closed');
    // A peer that does not take the last of it is not waited for.
    const late = setTimeout(() => this.#connection.socket.destroy(), handshakeTime);
    const socket = await deflated.release();
    clearTimeout(late);
    this.#compressed = null;
    writer.exchange(socket);
    input.attach(socket);
  }
}
