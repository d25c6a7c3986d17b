// One TCP connection that speaks lines: write octets, await the next reply, turn it into TLS. Every wait has an end. It
// knows how SMTP is framed, not what the commands mean.

import { createConnection, type Socket } from 'node:net';
import { type ConnectionOptions, type TLSSocket, connect as tlsConnect } from 'node:tls';
import type { Reply } from '../../formats/refusal.ts';
import type { Clock } from '../../platform/clock.ts';
import { plainAddress } from '../../platform/source.ts';
import { channelBinding, type TlsFacts, tlsFacts } from '../../platform/tls.ts';
import { type CertificateVerdict, type Presented, presentedBy } from './certificate.ts';
import { clip, clipped } from './outcome.ts';
import { ReplyReader, ReplySyntaxError } from './reply-reader.ts';
import { Transcript } from './transcript.ts';

/** Why a connection is of no more use. `handshake`: TLS did not come about, all else might still work in clear;
 * `unencrypted`: TLS is demanded, and the peer does not have it or does not begin it; `certificate`: TLS stands, but the
 * peer is not who it must be; `refused`: the peer said so, by `reply`; `login`: it does
 * not take us for who we say, and will not until somebody has put that right. */
export class ConnectionFailure extends Error {
  override readonly name = 'ConnectionFailure';
  readonly kind:
    | 'unreachable'
    | 'handshake'
    | 'unencrypted'
    | 'certificate'
    | 'timeout'
    | 'closed'
    | 'syntax'
    | 'refused'
    | 'login';
  /** The answer that ended it. */
  readonly reply: Reply | undefined;
  /** What was said of the certificate, if it was that. */
  readonly certificate: CertificateVerdict | undefined;
  /** What was said until then. */
  transcript: readonly string[] = [];
  /** Our own address on it; null: it did not come so far. */
  localAddress: string | null = null;
  constructor(kind: ConnectionFailure['kind'], message: string, reply?: Reply, certificate?: CertificateVerdict) {
    super(clip(message));
    this.kind = kind;
    this.reply = reply && clipped(reply);
    this.certificate = certificate;
  }
}

/** A connected socket and its replies. */
export class Channel {
  readonly #clock: Clock;
  readonly #reader = new ReplyReader();
  readonly transcript = new Transcript();
  /** Our own. */
  readonly localAddress: string | null;
  #socket: Socket | TLSSocket;
  #failure: ConnectionFailure | undefined;
  /** Who waits for a reply or for room to write: told when something changes. */
  #wake: (() => void) | undefined;
  #cancelDeadline: (() => void) | undefined;
  #deafen: () => void = () => {};

  constructor(socket: Socket | TLSSocket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
    this.localAddress = socket.localAddress === undefined ? null : plainAddress(socket.localAddress);
    this.#listen(socket);
  }

  /** What ended the connection, if something did. */
  get failure(): ConnectionFailure | undefined {
    return this.#failure;
  }

  /** True if the peer has said nothing that was not read. */
  get quiet(): boolean {
    return this.#reader.empty;
  }

  /** Ends the connection `ms` from now, whatever goes on by then; `null` lifts that. */
  deadline(ms: number | null): void {
    this.#cancelDeadline?.();
    this.#cancelDeadline =
      ms === null
        ? undefined
        : this.#clock.after(ms, () => this.#fail(new ConnectionFailure('timeout', 'the whole exchange took too long')));
  }

  /** Ends the connection when `signal` says so. Not by the socket's own option: that destroys the socket below TLS, and Node
   * 26 crashes where octets are on their way up. */
  endWith(signal: AbortSignal): void {
    const end = (): void => this.#fail(new ConnectionFailure('closed', 'the connection was given up'));
    signal.addEventListener('abort', end);
    this.#deafen = () => signal.removeEventListener('abort', end);
    if (signal.aborted) end();
  }

  /** The next reply. @param timeout ms @throws ConnectionFailure */
  async reply(timeout: number): Promise<Reply> {
    return this.#next() ?? this.#until(timeout, 'the peer did not answer in time', () => this.#next());
  }

  /** As `reply`, for a command that 421 may answer (RFC 5321 §3.8): it closes the channel. @throws ConnectionFailure */
  async answer(timeout: number): Promise<Reply> {
    const reply = await this.reply(timeout);
    if (reply.code !== 421) return reply;
    this.#fail(new ConnectionFailure('refused', `the peer is closing: 421 ${reply.text}`, reply));
    throw this.#failure;
  }

  /** A whole reply that has come unasked, such as 421 before a close. */
  early(): Reply | undefined {
    return this.#next();
  }

  #next(): Reply | undefined {
    const reply = this.#reader.next();
    if (reply !== undefined) this.transcript.heard(reply);
    return reply;
  }

  /** Hands octets to the socket; false asks to await `drained` first. */
  write(octets: Uint8Array | string): boolean {
    if (this.#failure !== undefined) return true;
    if (typeof octets === 'string') this.transcript.said(octets);
    return this.#socket.write(octets);
  }

  /** Holds writes back until `release`, so that they leave as one. */
  hold(): void {
    this.#socket.cork();
  }

  release(): void {
    this.#socket.uncork();
  }

  /** Resolves when the socket takes more, or when the peer has said something. @param timeout ms
   * @throws ConnectionFailure */
  async drained(timeout: number): Promise<void> {
    const ready = (): true | undefined => (this.#reader.ready || !this.#socket.writableNeedDrain ? true : undefined);
    await this.#until(timeout, 'the peer takes no more data', ready);
  }

  /**
   * Begins TLS on the connection (RFC 3207 §4).
   * @param timeout ms
   * @throws ConnectionFailure `handshake`, also where octets in clear came behind the go-ahead (response injection)
   */
  async upgrade(options: ConnectionOptions, timeout: number): Promise<void> {
    if (!this.#reader.empty) {
      const failure = new ConnectionFailure('handshake', 'cleartext was sent behind the go-ahead for TLS');
      this.#fail(failure);
      throw failure;
    }
    const plain = this.#socket;
    this.#unlisten();
    // The TLS socket reports what happens to the socket below it; an error there must still have a listener.
    plain.on('error', () => {});
    const secured = tlsConnect({ ...options, socket: plain });
    this.#socket = secured;
    await handshake(secured, this.#clock, timeout);
    this.#listen(secured);
  }

  /** Facts of the TLS layer; null in clear. */
  get tls(): TlsFacts | null {
    const socket = this.#socket;
    if (!('getCipher' in socket)) return null;
    return tlsFacts(socket);
  }

  /** What the peer has shown in the handshake; null in clear. */
  get presented(): Presented | null {
    const socket = this.#socket;
    return 'getPeerX509Certificate' in socket ? presentedBy(socket) : null;
  }

  /** tls-exporter of this connection (RFC 9266 §2); null: it has none. */
  get binding(): Buffer | null {
    const socket = this.#socket;
    return 'getCipher' in socket ? channelBinding(socket, 'tls-exporter') : null;
  }

  /** Drops the connection now. */
  destroy(): void {
    this.#fail(new ConnectionFailure('closed', 'the connection was given up'));
  }

  #unlisten: () => void = () => {};

  #listen(socket: Socket): void {
    const lost = (text: string): void => this.#fail(new ConnectionFailure('closed', text));
    const listeners = {
      data: (chunk: Buffer): void => {
        try {
          this.#reader.push(chunk);
        } catch (error) {
          if (!(error instanceof ReplySyntaxError)) throw error;
          this.#fail(new ConnectionFailure('syntax', error.message));
        }
        this.#wake?.();
      },
      drain: (): void => this.#wake?.(),
      error: (error: Error): void => lost(`connection lost: ${error.message}`),
      end: (): void => lost('the peer closed the connection'),
      close: (): void => lost('the connection was closed'),
    };
    for (const [event, listener] of Object.entries(listeners)) socket.on(event, listener);
    this.#unlisten = () => {
      for (const [event, listener] of Object.entries(listeners)) socket.off(event, listener);
    };
  }

  #fail(failure: ConnectionFailure): void {
    if (this.#failure !== undefined) return;
    this.#failure = failure;
    this.deadline(null);
    this.#deafen();
    this.#socket.destroy();
    this.#wake?.();
  }

  /** Waits until `poll` has something; a failure counts only once it has not, so that a last answer is not lost. */
  #until<T>(timeout: number, late: string, poll: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(timeout, () => this.#fail(new ConnectionFailure('timeout', late)));
      const check = (): void => {
        const found = poll();
        if (found !== undefined) resolve(found);
        else if (this.#failure !== undefined) reject(this.#failure);
        else return;
        cancel();
        this.#wake = undefined;
      };
      this.#wake = check;
      check();
    });
  }
}

/**
 * Connects, and with `tls` does the handshake at once (implicit TLS, RFC 8314 §3).
 * @param timeout ms for each of the two
 * @throws ConnectionFailure `unreachable` or `handshake`
 */
export async function openChannel(
  target: { readonly address: string; readonly port: number; readonly signal?: AbortSignal | undefined },
  tls: ConnectionOptions | null,
  clock: Clock,
  timeout: number,
): Promise<Channel> {
  const { address, port, signal } = target;
  let socket: Socket = createConnection({ host: address, port, noDelay: true });
  const end = (): void => void socket.destroy(new Error('it was given up'));
  if (signal?.aborted === true) end();
  signal?.addEventListener('abort', end);
  try {
    await settled(socket, 'connect', clock, timeout, (text) => new ConnectionFailure('unreachable', text));
    if (tls !== null) {
      socket.on('error', () => {});
      const secured = tlsConnect({ ...tls, socket });
      socket = secured;
      await handshake(secured, clock, timeout);
    }
  } finally {
    signal?.removeEventListener('abort', end);
  }
  const channel = new Channel(socket, clock);
  if (signal !== undefined) channel.endWith(signal);
  return channel;
}

function handshake(socket: TLSSocket, clock: Clock, timeout: number): Promise<void> {
  return settled(socket, 'secureConnect', clock, timeout, (text) => new ConnectionFailure('handshake', text));
}

/** Resolves at `event`, rejects at an error, a close or the time-out; then the socket is destroyed. */
function settled(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  clock: Clock,
  timeout: number,
  failure: (text: string) => ConnectionFailure,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = (error: ConnectionFailure | null): void => {
      cancel();
      socket.off(event, onEvent).off('error', onError).off('close', onClose);
      if (error === null) {
        resolve();
        return;
      }
      socket.on('error', () => {});
      socket.destroy();
      reject(error);
    };
    const onEvent = (): void => finish(null);
    const onError = (error: Error): void => finish(failure(error.message));
    const onClose = (): void => finish(failure('the peer closed the connection'));
    const cancel = clock.after(timeout, () => finish(failure('no answer in time')));
    socket.once(event, onEvent).once('error', onError).once('close', onClose);
  });
}
