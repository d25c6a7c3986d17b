// The seam to smtp-server 3.21.6: every private name of it that Postern uses stands in this file, with its reason, and
// test/smtp/listener/library.test.ts fails when one of them changes. What it gives: a socket wired to a stream with
// back-pressure, the STARTTLS upgrade that loses every octet said before it, and an orderly end. What it does not
// give: commands, replies, limits and content are ours, since the gaps there are many.

import { createRequire } from 'node:module';
import type { SecureContext, TLSSocket } from 'node:tls';
import type { Connection } from '../../platform/listener.ts';

// As CommonJS, since an import of the other edition imports node:http, for which Node loads all of fetch: a twentieth of
// the time to start, and 2 MiB.
const require = createRequire(import.meta.url);
const { SMTPServer }: typeof import('smtp-server') = require('smtp-server');
const { SMTPConnection }: typeof import('smtp-server/lib/smtp-connection.js') =
  require('smtp-server/lib/smtp-connection.js');
const { SMTPStream }: typeof import('smtp-server/lib/smtp-stream.js') = require('smtp-server/lib/smtp-stream.js');

const NOTHING = () => {};

/** What a session hears of its socket. */
export interface WireListener {
  /** Octets from the peer; none follow before `release` is called. */
  piece(octets: Buffer, release: () => void): void;
  /** The peer has ended its side: it sends nothing more, but may still read. */
  ended(): void;
  /** The socket is gone. Called once, and never followed by anything. */
  gone(error: Error | null): void;
}

/** The library's server object: it listens to nothing here, it holds the TLS contexts for STARTTLS. */
export class WireServer extends SMTPServer {
  /** @param context read at each handshake @param asksClients whether clients are asked for a certificate, which they
   * may not have */
  constructor(context: () => SecureContext, asksClients: boolean) {
    super({
      logger: false,
      secure: false,
      disableReverseLookup: true,
      hideSTARTTLS: true,
      requestCert: asksClients,
      rejectUnauthorized: false,
    });
    this.secureContext = new CurrentContext(context);
  }

  /** Private use: called by the constructor, where it would load the library's built-in test key. */
  override updateSecureContext(): void {}

  /** Private name: asked for a context when the client names a server. The one it has serves all names; given again, it
   * would leave only its last certificate in force (Node copies a single one), so half the clients would get RSA. */
  override _resolveSNI(_servername: string, answer: (error: null) => void): void {
    answer(null);
  }
}

/** Private use: STARTTLS reads `secureContext.get('*')` at each upgrade, so a reload of certificates is picked up. */
class CurrentContext extends Map<string, SecureContext> {
  readonly #context: () => SecureContext;
  constructor(context: () => SecureContext) {
    super();
    this.#context = context;
  }
  override get(): SecureContext {
    return this.#context();
  }
}

/** The stream between socket and session. The library's own splits lines at a bare LF too, runs an unfinished line at
 * the end, and hands content on by the byte (RFC 5321 §2.3.8, §4.5.2): ours hands pieces on as they come. */
class WireStream extends SMTPStream {
  readonly #listener: () => WireListener;
  constructor(listener: () => WireListener) {
    super();
    this.#listener = listener;
  }

  /** Private use: `isClosed` is set when the stream is retired by STARTTLS or the end: what it still holds is lost. */
  override _write(piece: Buffer, _encoding: BufferEncoding | 'buffer', next: () => void): void {
    if (this.isClosed) next();
    else this.#listener().piece(piece, next);
  }

  /** Private name: called when the peer ends its side, to run the last line without its end. */
  override _flushData(): void {
    this.#listener().ended();
  }
}

/** One connection: octets in by the listener, octets out by `write`. */
export class Wire extends SMTPConnection {
  readonly #listener: WireListener;
  #gone = false;
  #error: Error | null = null;
  #outgoing = '';
  /** Who else waits for the socket's end: platform/listener.ts counts connections by it. `upgrade` takes every listener
   * off the socket, so these are put back. */
  #foreign: (() => void)[] = [];

  constructor(server: WireServer, connection: Connection, listener: WireListener) {
    const { id, socket, remoteAddress, remotePort, localAddress, localPort } = connection;
    super(server, socket, { id, remoteAddress, remotePort, localAddress, localPort });
    this.#listener = listener;
    // A peer that ends its side after its last command still gets the replies.
    socket.allowHalfOpen = true;
  }

  /** Starts reading. Overridden: no wait of 100 ms, no reverse look-up, no greeting. Private name: `_setListeners`
   * binds the socket to the stream. */
  override init(): void {
    // An event emitter calls whatever it is given: the type of rawListeners is only less exact than that of `on`.
    this.#foreign = this._socket.rawListeners('close') as (() => void)[];
    this._setListeners(NOTHING);
    // Gone before it came here: its 'close' has been and will not be again.
    if (this._socket.destroyed) this._onClose();
  }

  /** Private name: makes the stream, also the new one after STARTTLS. Called by the constructor of the library, before
   * #listener is there, hence the function. */
  override _createParser(): WireStream {
    return new WireStream(() => this.#listener);
  }

  /** Private name: arms an idle timer that any octet resets. Sessions have deadlines of their own. */
  override _armTimeout(): void {}

  /** Private name: errors of the socket and of a handshake. The library would emit some and swallow others. */
  override _onError(error: Error): void {
    this.#error ??= error;
    this.destroy();
  }

  /** Private name: the socket has closed. */
  override _onClose(): void {
    super._onClose();
    if (this.#gone) return;
    this.#gone = true;
    this.#listener.gone(this.#error);
  }

  /** Sends ASCII text, together with all else that is said before the event loop turns. Private names: `_upgrading`,
   * during which nothing may be written, and `_socket`, which STARTTLS exchanges. */
  write(text: string): void {
    if (this.#outgoing === '') process.nextTick(() => this.flush());
    this.#outgoing += text;
  }

  /** Octets that are said but not yet with the socket. */
  get unsent(): number {
    return this.#outgoing.length;
  }

  flush(): void {
    const text = this.#outgoing;
    if (text === '') return;
    this.#outgoing = '';
    if (!this._upgrading && this._socket.writable) this._socket.write(text, 'latin1');
  }

  /** The peer does not read: write no more until `drained`. */
  get clogged(): boolean {
    return this._socket.writableNeedDrain;
  }

  drained(): Promise<void> {
    if (this._socket.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        this._socket.off('drain', done);
        this._socket.off('close', done);
        resolve();
      };
      this._socket.on('drain', done);
      this._socket.on('close', done);
    });
  }

  /**
   * Makes the connection a TLS one (RFC 3207 §4). Private name: `upgrade` retires the stream with all that it holds and
   * makes a new one; the piece that the listener holds is its own to release. A failed handshake ends in `gone`.
   * @param done called when TLS is up
   */
  startTls(done: (socket: TLSSocket) => void): void {
    this.flush();
    const raw = this._socket;
    // A peer that ends its side during the handshake is gone; the TLS socket takes this over from the raw one.
    raw.allowHalfOpen = false;
    this.upgrade(NOTHING, () => {
      this._socket.allowHalfOpen = true;
      // After the handshake `_socket` is the TLS socket.
      done(this._socket as TLSSocket);
    });
    for (const listener of this.#foreign) raw.on('close', listener);
  }

  /** Ends the connection in order: what was said is sent, the peer has a few seconds to end its side. */
  end(): void {
    this.flush();
    this.close();
  }

  destroy(): void {
    this._socket.destroy();
  }
}
