// The client of a session of IMAP or POP3: its connection from end to end, how long it is waited for, how much it may get
// wrong, and when it is sent away, which never cuts a command off. What it says and hears is the protocol's.

import type { Connection, ProtocolOptions, TlsMode } from './listener.ts';
import type { Log } from './log.ts';
import { Manners, type MannersLimits } from './manners.ts';
import { Patience, type PatienceLimits } from './patience.ts';
import { type InputLimits, type OctetReader, SocketInput } from './socket-input.ts';
import { SocketLayers } from './socket-layers.ts';
import { Disconnected, SocketWriter, type WriterLimits } from './socket-writer.ts';
import { Turn } from './turn.ts';
import { recognise, type Seen } from './wrong-door.ts';

interface ClientLimits extends InputLimits, WriterLimits, PatienceLimits, MannersLimits {
  /** Octets that one session reads or writes until others have their turn. */
  readonly turn: number;
  /** For the handshake after STARTTLS or STLS, ms. */
  readonly handshakeTime: number;
}

/** A protocol's name, and how it takes leave of a client. */
interface Leave<Farewell extends Error> {
  readonly protocol: 'imap' | 'pop3';
  /** Of one that was silent for too long. */
  readonly silent: (loggedIn: boolean) => Farewell;
  /** Of one that was not understood too often. */
  readonly misunderstood: () => Farewell;
  /** Of one that began in another protocol: with where it should have gone. */
  readonly wrongDoor: (seen: Seen) => Farewell;
}

/** The first octet of a TLS handshake (RFC 8446 §5.1). */
const TLS_HANDSHAKE = 0x16;

export class SessionClient<Farewell extends Error> {
  readonly turn: Turn;
  readonly writer: SocketWriter;
  readonly layers: SocketLayers;
  readonly #connection: Connection;
  readonly #log: Log;
  readonly #tls: TlsMode;
  readonly #leave: Leave<Farewell>;
  readonly #input: SocketInput;
  readonly #manners: Manners;
  readonly #patience: Patience;
  /** Its address, for the log; null: nobody has logged in. */
  #account: string | null = null;
  #farewell: Farewell | null = null;

  constructor(
    connection: Connection,
    reader: OctetReader,
    limits: ClientLimits,
    { clock, log, tls, keeper, floor }: ProtocolOptions,
    leave: Leave<Farewell>,
  ) {
    this.#connection = connection;
    this.#log = log;
    this.#tls = tls;
    this.#leave = leave;
    this.turn = new Turn(limits.turn);
    this.writer = new SocketWriter(connection.socket, clock, this.turn, limits);
    this.#input = new SocketInput(reader, limits);
    this.layers = new SocketLayers(connection, {
      input: this.#input,
      writer: this.writer,
      keeper,
      floor,
      handshakeTime: limits.handshakeTime,
      note: (text, fields) => this.note('info', text, fields),
    });
    this.#manners = new Manners(limits);
    this.#patience = new Patience(clock, limits, (loggedIn) => this.dismiss(leave.silent(loggedIn)));
  }

  /** Begins to read what it says. */
  attend(): void {
    const { socket } = this.#connection;
    // Who pipes commands into a connection ends it behind the last one, and waits for the answers.
    socket.allowHalfOpen = true;
    this.#input.attach(socket);
    this.note('debug', 'connected');
  }

  /** A password may cross this connection: it is encrypted, or need not be. */
  get mayLogIn(): boolean {
    return this.layers.tls !== null || this.#tls === 'none' || this.#tls === 'offered';
  }

  /** STARTTLS or STLS is to be had. */
  get mayStartTls(): boolean {
    return this.layers.tls === null && (this.#tls === 'offered' || this.#tls === 'required');
  }

  /** What ends the session as soon as no command runs; null: nothing does yet. */
  get farewell(): Farewell | null {
    return this.#farewell;
  }

  /** Ends the session as soon as it waits for the client. The first word counts. */
  dismiss(farewell: Farewell): void {
    this.#farewell ??= farewell;
    this.nudge();
  }

  /** Wakes the session if it waits. */
  nudge(): void {
    this.#input.nudge();
  }

  /** Sends what was written and waits for something to happen. @throws Disconnected, Farewell */
  async wait(): Promise<void> {
    this.writer.flush();
    if (this.#input.closed) throw new Disconnected('the client closed the connection');
    if (this.#farewell === null) {
      this.#patience.waiting(true);
      await this.#input.wait();
      this.#patience.waiting(false);
    }
    if (this.#farewell !== null) throw this.#farewell;
    // No line would come of it that could be refused.
    if (!this.#manners.spoken && this.#input.opening[0] === TLS_HANDSHAKE) this.#checkDoor();
  }

  /** It has said a command. */
  understood(): void {
    this.#manners.understood(this.#account !== null);
    this.#input.forgetOpening();
  }

  /** It has said something that is none. @throws Farewell where that was one too many, or another protocol */
  misunderstood(): void {
    if (!this.#manners.spoken) this.#checkDoor();
    if (this.#manners.misunderstood(this.#account !== null)) throw this.#leave.misunderstood();
  }

  /** @param address of the account, for the log */
  loggedIn(address: string, mechanism: string): void {
    this.#account = address;
    this.#patience.loggedIn();
    this.note('info', 'logged in', { mechanism });
  }

  /** It stays, and has to log in again. */
  loggedOut(): void {
    this.note('info', 'logged out, and stays');
    this.#account = null;
    this.#patience.loggedOut();
  }

  /** @param reason private @returns whether it was one too many */
  loginFailed(reason: string): boolean {
    this.note('warn', 'login failed', { reason });
    return this.#manners.loginFailed();
  }

  /** Hears no more, and lets go of the connection when the last of what was written is sent. @param done for the log */
  async end(done: object): Promise<void> {
    this.#patience.end();
    this.#input.ignore();
    await this.writer.end();
    const tls = this.layers.tls?.protocol ?? null;
    // Health checks and port scans come and go without a command.
    this.note(this.#manners.silent ? 'debug' : 'info', 'ended', { tls, ...done, written: this.writer.written });
  }

  /** Cuts the connection. */
  destroy(): void {
    this.#connection.socket.destroy();
  }

  note(level: 'debug' | 'info' | 'warn', text: string, fields: object = {}): void {
    const { id: session, remoteAddress, localPort } = this.#connection;
    const account = this.#account;
    const facts = { session, hop: 'MS→MUA', remoteAddress, localPort, account, ...fields };
    this.#log[level](facts, `${this.#leave.protocol}: ${text}`);
  }

  /** One that began with another protocol hears where it should have gone. @throws Farewell */
  #checkDoor(): void {
    const { protocol, wrongDoor } = this.#leave;
    const seen = recognise(this.#input.opening);
    if (seen === null || seen === protocol || seen === 'starttls') return;
    this.note('warn', `wrong door: ${seen} on a port of ${protocol.toUpperCase()}`, { seen });
    throw wrongDoor(seen);
  }
}
