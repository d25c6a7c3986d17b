// One SMTP session: what is known of it, and what a command may do with it. The loop that reads commands is
// conversation.ts; what each command means stands in commands/.

import { TLSSocket } from 'node:tls';
import type { EnhancedStatus, Refusal, Reply } from '../../formats/refusal.ts';
import { type ClientCertificate, clientCertificate } from '../../platform/client-certificate.ts';
import type { Connection } from '../../platform/listener.ts';
import type { Hop, Log } from '../../platform/log.ts';
import { channelBinding, type TlsFacts, tlsFacts } from '../../platform/tls.ts';
import { recognise, type Seen } from '../../platform/wrong-door.ts';
import type { Surroundings } from '../../sasl/mechanism.ts';
import { nonce } from '../../sasl/nonce.ts';
import { bindable } from '../../sasl/surroundings.ts';
import type { Identity, SmtpSession, Transaction } from '../receiver.ts';
import type { Chunks } from './chunks.ts';
import { Input, type Line } from './input.ts';
import { Wire, type WireServer } from './library.ts';
import { LIMITS, TIMES } from './limits.ts';
import type { SmtpOptions } from './options.ts';
import { formatReply } from './reply.ts';
import { Tally } from './tally.ts';
import { Watchdog } from './watchdog.ts';
import { wrongDoor } from './wrong-door.ts';

/** The facts that a Receiver reads, kept up to date by the session that owns them. */
interface Facts extends SmtpSession {
  tls: TlsFacts | null;
  hello: { readonly verb: 'HELO' | 'EHLO'; readonly name: string } | null;
  identity: Identity | null;
}

/** A mail transaction under way (RFC 5321 §3.3). */
export interface Open {
  readonly transaction: Transaction;
  readonly smtputf8: boolean;
  /** BODY=BINARYMIME. */
  readonly binary: boolean;
  recipients: number;
  /** Since the first BDAT. */
  chunks: Chunks | null;
}

export class Session {
  readonly options: SmtpOptions;
  readonly facts: Facts;
  readonly log: Log;
  readonly hop: Hop;
  readonly input = new Input();
  readonly watchdog: Watchdog;
  readonly #wire: Wire;
  readonly #began: number;
  #secured: TLSSocket | null;
  #client: ClientCertificate | null;
  open: Open | null = null;
  readonly tally = new Tally();
  /** Why the session ends, for the log; null while it goes on. */
  ending: string | null = null;
  /** The server stops: no further transaction begins. */
  closing = false;
  /** Greeted with 554. */
  unwelcome = false;
  #waiting = false;
  #gone = false;
  readonly #closed = Promise.withResolvers<void>();
  #error: Error | null = null;
  #upgraded: ((facts: TlsFacts | null) => void) | null = null;
  #interrupt: ((by: 'octets' | 'gone') => void) | null = null;
  /** No line has been read yet. */
  #fresh = true;

  constructor(options: SmtpOptions, server: WireServer, connection: Connection) {
    const { id, remoteAddress, remotePort, localAddress, localPort, tls } = connection;
    this.options = options;
    this.log = options.log;
    this.hop = options.role === 'transfer' ? 'MTA→MTA' : 'MUA→MSA';
    this.facts = { id, remoteAddress, remotePort, localAddress, localPort, tls, hello: null, identity: null };
    this.#began = options.clock.now();
    this.#secured = connection.socket instanceof TLSSocket ? connection.socket : null;
    this.#client = this.#judged();
    this.watchdog = new Watchdog(options.clock, () => this.#expire());
    this.#wire = new Wire(server, connection, {
      piece: (octets, release) => {
        this.input.push(octets, release);
        this.#interrupt?.('octets');
      },
      ended: () => this.input.end(),
      gone: (error) => this.#lose(error),
    });
  }

  /** Starts to read the socket. */
  start(): void {
    this.#wire.init();
  }

  /** Where a login takes place. */
  get sasl(): Surroundings {
    const { receiver, channelBinding: binds } = this.options;
    const secured = this.#secured;
    const { tokens: desk = null, verifier = null, certified } = receiver.authentication ?? {};
    const addresses = this.#client?.kind === 'vouched' ? this.#client.addresses : null;
    return {
      bindings: binds && secured ? bindable((name) => channelBinding(secured, name)) : null,
      verifier: verifier && ((name, hash) => verifier(name, hash, this.facts)),
      // RFC 6750 §5.3: who hears a token has it, so it is not asked for in clear.
      tokens: secured && desk && { ...desk, check: (token, username) => desk.check(token, username, this.facts) },
      certificate: addresses && certified ? (username) => certified(addresses, username) : null,
      nonce,
    };
  }

  #judged(): ClientCertificate | null {
    const client = this.#secured && clientCertificate(this.#secured);
    if (client?.kind === 'flawed') {
      this.log.info(
        { session: this.facts.id, hop: this.hop, flaw: client.flaw },
        "the client's certificate does not count",
      );
    }
    return client;
  }

  /** Resolves once the socket is gone. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** What the socket ended with, if it was an error. */
  get error(): Error | null {
    return this.#error;
  }

  /** ms since the connection was made. */
  get age(): number {
    return this.options.clock.now() - this.#began;
  }

  /** Says a reply. It leaves with all others of this turn of the event loop (RFC 2920 §3.2). */
  say(reply: Reply): void {
    this.#wire.write(formatReply(reply));
    if (this.#wire.unsent > LIMITS.replyBatch) this.#wire.flush();
  }

  /** Waits until the peer has taken its replies, so that they do not pile up here. */
  async flowing(): Promise<void> {
    if (!this.#wire.clogged) return;
    this.watchdog.until(this.options.clock.now() + TIMES.drain);
    await this.#wire.drained();
    this.watchdog.clear();
  }

  /** The next line, or null where the conversation is over. A line that exceeds every bound ends it, too. */
  async line(): Promise<Line | null> {
    let line = this.#take();
    if (line !== null) return line;
    this.watchdog.until(Math.min(this.options.clock.now() + TIMES.command, this.#began + TIMES.session));
    this.#waiting = true;
    while (line === null && this.ending === null) {
      if (this.input.buffered > LIMITS.line) {
        this.finish('line too long', { code: 500, status: '5.5.2', text: 'Line too long' });
      } else if (await this.input.more()) {
        line = this.#take();
      } else {
        break;
      }
    }
    this.#waiting = false;
    this.watchdog.clear();
    return line;
  }

  #take(): Line | null {
    if (this.ending !== null) return null;
    if (this.#fresh && this.input.buffered > 0) {
      const seen = recognise(this.input.peek());
      if (seen === 'tls' || seen === 'http') {
        this.wrongDoor(seen);
        return null;
      }
    }
    const line = this.input.line();
    if (line === null) return null;
    this.#fresh = false;
    if (line.crlf) return line;
    // Stricter than most: RFC 5321 §2.3.8 lets nothing but CR LF end a line, and a client that ends one otherwise may
    // be smuggling. The only answer after which nobody can be out of step is the end. (521, which others say, is that of
    // a host that never takes mail: RFC 7504 §3.)
    this.finish('bare LF', {
      code: 500,
      status: '5.5.2',
      text: 'Lines end with CR LF (nc -C, openssl s_client -crlf)',
    });
    return null;
  }

  /** Ends the session of a client that speaks another protocol. */
  wrongDoor(seen: Seen): void {
    const { tls, submissionPorts } = this.options;
    const startTls = tls === 'offered' || tls === 'required';
    this.log.warn({ session: this.facts.id, hop: this.hop, port: this.facts.localPort, door: seen }, 'wrong door');
    const { status, text } = wrongDoor(seen, this.facts.localPort, startTls, submissionPorts);
    this.leave('wrong door', status, text);
  }

  /** Lets time pass. What was said so far leaves first.
   * @returns 'octets' at once if the client talks and `listening` is true, 'gone' if it went away, else 'time' */
  pause(ms: number, listening = false): Promise<'time' | 'octets' | 'gone'> {
    return new Promise((resolve) => {
      const settle = (why: 'time' | 'octets' | 'gone') => {
        cancel();
        this.#interrupt = null;
        resolve(why);
      };
      const cancel = this.options.clock.after(ms, () => settle('time'));
      this.#interrupt = (by) => {
        if (listening || by === 'gone') settle(by);
      };
      if (this.#gone) settle('gone');
      else if (listening && this.input.buffered > 0) settle('octets');
    });
  }

  /** Counts and logs what was refused; the private reason goes nowhere else. */
  refused(verb: string | null, refusal: Refusal): void {
    this.tally.refused();
    const { code, status } = refusal.reply;
    this.log.info({ session: this.facts.id, hop: this.hop, verb, code, status, reason: refusal.message }, 'refused');
  }

  /** Forgets the transaction under way, if there is one. Resolves when its Receiver has let go of it. */
  async abandon(): Promise<void> {
    const { open } = this;
    this.open = null;
    await open?.chunks?.giveUp();
    open?.transaction.abandon();
  }

  /** RFC 3207 §4: after the 220, with no transaction under way. Resolves with null where the handshake failed; the connection is then over. */
  async startTls(): Promise<TlsFacts | null> {
    // RFC 3207 §4.2: nothing that was learned in clear counts, not even who somebody claimed to be.
    this.facts.hello = null;
    this.facts.identity = null;
    if (this.#gone) return null;
    this.watchdog.until(this.options.clock.now() + TIMES.handshake);
    const facts = await new Promise<TlsFacts | null>((resolve) => {
      this.#upgraded = resolve;
      this.#wire.startTls((socket) => {
        this.#secured = socket;
        this.#client = this.#judged();
        resolve(tlsFacts(socket));
      });
      // What came in clear behind STARTTLS is not a command of the TLS session (RFC 3207 §4.2).
      this.input.discard();
    });
    this.#upgraded = null;
    this.watchdog.clear();
    this.facts.tls = facts;
    return facts;
  }

  /** Ends the session, after a last reply if there is one. No command is read any more. */
  finish(reason: string, reply?: Reply): void {
    if (this.ending !== null) return;
    this.ending = reason;
    if (reply !== undefined) this.say(reply);
    this.input.end();
  }

  /** Ends the session of the server's own accord (RFC 5321 §3.8), by a 421 that names the host (RFC 5321 §4.2.3). */
  leave(reason: string, status: EnhancedStatus, text: string): void {
    this.finish(reason, { code: 421, status, text: `${this.options.hostname} ${text}` });
  }

  /** The server stops: at once if nothing is under way, else after the transaction. */
  shutDown(): void {
    this.closing = true;
    if (this.#waiting && this.open === null) this.stop();
  }

  /** The server stops now: a client that is waited for is told (RFC 5321 §3.8). One that waits for us is left its reply:
   * after a 421 it would send again what may just have been stored. */
  stop(): void {
    if (this.input.awaited) this.leave('server stops', ...SHUTTING_DOWN);
  }

  /** Hangs up: what was said leaves, and the socket closes. */
  hangUp(): void {
    this.watchdog.stop();
    this.input.end();
    this.input.discard();
    if (!this.#gone) this.#wire.end();
  }

  /** Cuts the connection. */
  cut(reason: string): void {
    this.ending ??= reason;
    this.#wire.destroy();
  }

  #expire(): void {
    if (this.input.awaited) {
      this.leave('time-out', '4.4.2', 'Time-out, closing');
    } else {
      this.cut('time-out');
    }
  }

  #lose(error: Error | null): void {
    this.#gone = true;
    this.#error = error;
    this.ending ??= error === null ? 'connection closed' : 'connection lost';
    this.input.end();
    this.#upgraded?.(null);
    this.#interrupt?.('gone');
    this.#closed.resolve();
  }
}

export const SHUTTING_DOWN = ['4.3.2', 'Service shutting down, try again later'] as const;
