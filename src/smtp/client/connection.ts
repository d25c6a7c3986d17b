// An SMTP client connection (RFC 5321 §3.1, §4.1.1.1): greeting, EHLO or HELO, STARTTLS, AUTH; then one transaction after
// another. It does what its options say about TLS and never decides to go without: that is the relay's business.

import { isIP } from 'node:net';
import type { ConnectionOptions, SecureContext } from 'node:tls';
import type { Envelope, Recipient } from '../../formats/envelope.ts';
import type { Reply } from '../../formats/refusal.ts';
import type { Clock } from '../../platform/clock.ts';
import { isLoopback } from '../../platform/source.ts';
import type { TlsFacts } from '../../platform/tls.ts';
import { authenticate, type Credentials } from './authentication.ts';
import type { CertificateVerdict, Judge } from './certificate.ts';
import { type Channel, ConnectionFailure, openChannel } from './channel.ts';
import { rcptPath } from './command-lines.ts';
import type { Content } from './content.ts';
import { type Extensions, NO_EXTENSIONS, parseExtensions } from './extensions.ts';
import { deferred, type Outcome } from './outcome.ts';
import { isMasked, type Quirk, withoutParameters, withoutQuirks } from './quirks.ts';
import { TIME_LIMITS } from './time-limits.ts';
import { type TransactionResult, transact } from './transaction.ts';

/** How TLS comes about. `offered`: STARTTLS where the server has it, and in clear where it has not or refuses;
 * `required`: no further without STARTTLS; `implicit`: from the first octet; `none`: never. */
export type ClientTls = 'offered' | 'required' | 'implicit' | 'none';

export interface ConnectionTarget {
  /** IP address. */
  readonly address: string;
  readonly port: number;
  /** Name of the host: for SNI. */
  readonly name: string;
  readonly tls: ClientTls;
  /** Asked about the certificate before anything is said over TLS; null: any will do. */
  readonly judge: Judge | null;
  readonly credentials: Credentials | null;
  /** What is known of the host; what is seen of it is added. */
  readonly quirks?: Set<Quirk>;
}

export interface ConnectionContext {
  /** Our name in EHLO. */
  readonly hostname: string;
  readonly clock: Clock;
  /** TLS versions, ciphers and trusted authorities. */
  readonly secureContext: SecureContext;
  /** Ends the connection, also one that is being opened. */
  readonly signal?: AbortSignal;
}

/** An open connection that is ready for a transaction. */
export class SmtpConnection {
  readonly target: ConnectionTarget;
  readonly tls: TlsFacts | null;
  /** null: the certificate was not looked at, or there is none. */
  readonly certificate: CertificateVerdict | null;
  readonly #channel: Channel;
  readonly #offered: Extensions;
  readonly #quirks: Set<Quirk>;
  readonly #clock: Clock;
  /** It was not asked for its extensions, so what it lacks may be there. */
  readonly #unasked: boolean;
  #busy = false;
  /** Parameters were refused, which may have been meant for one address: the next transaction does without, and it alone. */
  #plain: 'next' | 'now' | null = null;
  /** It has taken a recipient with parameters. */
  #knowsParameters = false;

  constructor(
    target: ConnectionTarget,
    channel: Channel,
    offered: Extensions,
    certificate: CertificateVerdict | null,
    quirks: Set<Quirk>,
    clock: Clock,
  ) {
    this.target = target;
    this.tls = channel.tls;
    this.certificate = certificate;
    this.#channel = channel;
    this.#offered = offered;
    this.#quirks = quirks;
    this.#clock = clock;
    this.#unasked = offered === UNASKED;
  }

  /** What the server can do, as far as that is known. */
  get extensions(): Extensions {
    const offered = withoutQuirks(this.#offered, this.#quirks);
    return this.#plain === 'now' ? withoutParameters(offered) : offered;
  }

  /** Our own address on it; null: not known. */
  get localAddress(): string | null {
    return this.#channel.localAddress;
  }

  /** True until the connection has ended. */
  get alive(): boolean {
    return this.#channel.failure === undefined;
  }

  /** True while another transaction can be tried: connected, and nothing unasked was said. */
  get usable(): boolean {
    return this.#channel.failure === undefined && !this.#busy && this.#channel.quiet;
  }

  /**
   * One transaction; see TransactionResult.
   * @throws only what reading the content throws; the connection is of no more use then
   */
  async send(envelope: Envelope, content: Content): Promise<TransactionResult['outcomes']> {
    this.#busy = true;
    this.#channel.transcript.begin();
    try {
      const result = await this.#transact(envelope, content);
      if (result.again !== true || !this.alive) return result.outcomes;
      return (await this.#transact(envelope, content)).outcomes;
    } finally {
      this.#busy = false;
    }
  }

  async #transact(envelope: Envelope, content: Content): Promise<TransactionResult> {
    this.#plain = this.#plain === 'next' ? 'now' : null;
    const result = await transact(this.#channel, this.extensions, envelope, content, this.#clock.now());
    this.#learn(result);
    // At once: a server that stops would wait for a transaction that is open, however idle.
    if (result.open) await this.#reset();
    if (!this.#unasked || !result.outcomes.some(isOurs)) return result;
    // The next connection asks.
    return { ...result, outcomes: result.outcomes.map((one) => (isOurs(one) ? later(one) : one)) };
  }

  #learn({ quirk, outcomes, knows }: TransactionResult): void {
    if (knows === true) this.#knowsParameters = true;
    const taken = outcomes.some((outcome) => outcome?.kind === 'delivered');
    // It was the parameters, and not one address or its own.
    if (this.#plain === 'now' && taken && !this.#knowsParameters) this.#quirks.add('PARAMETERS');
    if (quirk === 'PARAMETERS') this.#plain = 'next';
    else if (quirk !== undefined) this.#quirks.add(quirk);
  }

  /** What was said from the greeting on, of transactions the last one, as it concerned this recipient. */
  transcript(recipient: Recipient): readonly string[] {
    return this.#channel.transcript.lines(rcptPath(recipient));
  }

  /** Says QUIT, waits a little for the answer, and closes. Never throws. */
  quit(): Promise<void> {
    return leave(this.#channel);
  }

  /** Closes at once; a transaction under way ends as deferred. */
  destroy(): void {
    this.#channel.destroy();
  }

  /** RFC 5321 §4.1.1.5. A failure leaves a connection that is not usable. */
  async #reset(): Promise<void> {
    this.#channel.write('RSET\r\n');
    const reply = await this.#channel.answer(TIME_LIMITS.reset).catch(() => undefined);
    if (reply === undefined) this.#channel.destroy();
    else if (reply.code >= 300) await this.quit();
  }
}

/** RFC 5321 §4.1.1.10: nobody closes who has not said QUIT. Never throws. */
async function leave(channel: Channel): Promise<void> {
  channel.write('QUIT\r\n');
  await channel.reply(TIME_LIMITS.quit).catch(() => undefined);
  channel.destroy();
}

/**
 * Connects and brings the session to where MAIL can be said.
 * @throws ConnectionFailure
 */
export async function openConnection(target: ConnectionTarget, context: ConnectionContext): Promise<SmtpConnection> {
  const { clock, hostname } = context;
  const options = tlsOptions(target, context);
  const implicit = target.tls === 'implicit';
  const channel = await openChannel(
    { address: target.address, port: target.port, signal: context.signal },
    implicit ? options : null,
    clock,
    TIME_LIMITS.connect,
  );
  try {
    channel.deadline(TIME_LIMITS.session);
    let certificate = implicit ? judged(channel, target) : null;
    const greeting = await channel.reply(TIME_LIMITS.greeting);
    expect(greeting, 'greeting');
    const quirks = target.quirks ?? new Set<Quirk>();
    if (isMasked(greeting.text)) for (const quirk of MASKED) quirks.add(quirk);
    let extensions = await firstHello(channel, target, hostname, quirks);
    if (target.tls === 'offered' || target.tls === 'required') {
      if (await secured(channel, extensions, target.tls, options)) {
        certificate = judged(channel, target);
        extensions = await helloAgain(channel, hostname);
      }
    }
    if (target.credentials !== null) {
      // A password is not said where anybody can read it; on this machine nobody is in between.
      if (channel.tls === null && !isLoopback(target.address)) {
        throw new ConnectionFailure('refused', 'a password is configured, but the connection is not encrypted');
      }
      await authenticate(channel, extensions.auth, target.credentials);
      extensions = { ...extensions, loggedIn: true };
    }
    // RFC 8689 §2: nobody can promise it in clear.
    if (channel.tls === null && extensions.requireTls) extensions = { ...extensions, requireTls: false };
    channel.deadline(null);
    return new SmtpConnection(target, channel, extensions, certificate, quirks, clock);
  } catch (error) {
    if (error instanceof ConnectionFailure) {
      error.transcript = channel.transcript.lines(null);
      error.localAddress = channel.localAddress;
    }
    // Also RFC 3207 §4.1, RFC 8689 §4.2.1. Nobody waits for that.
    if (error instanceof ConnectionFailure && SPEAKING.has(error.kind)) void leave(channel);
    else channel.destroy();
    throw error;
  }
}

/** Failures that leave a peer who can be spoken to. */
const SPEAKING: ReadonlySet<ConnectionFailure['kind']> = new Set(['refused', 'unencrypted', 'certificate', 'login']);

/** Of a server that was said HELO although it may know EHLO: none that is known. */
const UNASKED: Extensions = { ...NO_EXTENSIONS };

/** The server did not refuse the message: it was not said to it. */
function isOurs(outcome: Outcome | null): outcome is Outcome {
  return outcome?.kind === 'failed' && outcome.reply === undefined;
}

function later({ status, text }: Outcome): Outcome {
  return deferred(`4.${status.slice(2)}` as Outcome['status'], text); // of its class only the digit is another
}

/** What a firewall that masks greetings is not trusted with. */
const MASKED: readonly Quirk[] = ['PIPELINING', 'CHUNKING'];

/** Is the server to hear HELO on the next connection? Not where what an extension gives is needed. */
export function hearsHelo({ tls, credentials, quirks }: ConnectionTarget): boolean {
  return (tls === 'offered' || tls === 'none') && credentials === null && quirks?.has('HELO') === true;
}

/** The first EHLO. A server that hangs up on it twice in a row hears HELO the next time, and EHLO again behind that. (Not the
 * first time: it may only have been restarted, and with HELO goes STARTTLS.) */
async function firstHello(
  channel: Channel,
  target: ConnectionTarget,
  hostname: string,
  quirks: Set<Quirk>,
): Promise<Extensions> {
  if (hearsHelo(target)) {
    quirks.delete('HELO');
    await helo(channel, hostname);
    return UNASKED;
  }
  try {
    const extensions = await hello(channel, hostname);
    quirks.delete('EHLO');
    return extensions;
  } catch (error) {
    if (error instanceof ConnectionFailure && error.kind === 'closed') quirks.add(quirks.has('EHLO') ? 'HELO' : 'EHLO');
    throw error;
  }
}

/** EHLO, and HELO where that is refused for good (RFC 5321 §3.2). */
async function hello(channel: Channel, hostname: string): Promise<Extensions> {
  channel.write(`EHLO ${hostname}\r\n`);
  const reply = await channel.answer(TIME_LIMITS.hello);
  if (reply.code < 300) return parseExtensions(reply);
  if (reply.code < 500) expect(reply, 'EHLO');
  return helo(channel, hostname);
}

async function helo(channel: Channel, hostname: string): Promise<Extensions> {
  channel.write(`HELO ${hostname}\r\n`);
  expect(await channel.answer(TIME_LIMITS.hello), 'HELO');
  return NO_EXTENSIONS;
}

/** STARTTLS (RFC 3207 §4); false: in clear, since the server has none and need not. */
async function secured(
  channel: Channel,
  extensions: Extensions,
  mode: 'offered' | 'required',
  options: ConnectionOptions,
): Promise<boolean> {
  if (!extensions.starttls) {
    if (mode === 'offered') return false;
    throw new ConnectionFailure('unencrypted', 'the server does not offer STARTTLS');
  }
  return await orHandshake(async () => {
    channel.write('STARTTLS\r\n');
    const reply = await channel.answer(TIME_LIMITS.hello);
    if (reply.code === 220) {
      await channel.upgrade(options, TIME_LIMITS.handshake);
      return true;
    }
    if (mode === 'offered') return false;
    throw new ConnectionFailure('unencrypted', `the server answers ${reply.code} ${reply.text} to STARTTLS`, reply);
  });
}

/** RFC 3207 §4.2: what was said in clear counts no more. */
function helloAgain(channel: Channel, hostname: string): Promise<Extensions> {
  return orHandshake(() => hello(channel, hostname));
}

/** Whatever breaks here might not have broken in clear. */
async function orHandshake<T>(step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (!(error instanceof ConnectionFailure)) throw error;
    if (error.kind === 'refused' || error.kind === 'unencrypted') throw error;
    throw new ConnectionFailure('handshake', error.message);
  }
}

/** Asks about the certificate. @throws ConnectionFailure `certificate` */
function judged(channel: Channel, { judge }: ConnectionTarget): CertificateVerdict | null {
  const { presented } = channel;
  if (judge === null || presented === null) return null;
  const verdict = judge(presented);
  if (verdict.kind === 'refused') throw new ConnectionFailure('certificate', verdict.text, undefined, verdict);
  return verdict;
}

/** @throws ConnectionFailure `refused` for anything but 2yz */
function expect(reply: Reply, command: string): void {
  if (reply.code >= 200 && reply.code < 300) return;
  throw new ConnectionFailure('refused', `${command}: ${reply.code} ${reply.text}`, reply);
}

function tlsOptions(target: ConnectionTarget, context: ConnectionContext): ConnectionOptions {
  const options: ConnectionOptions = {
    secureContext: context.secureContext,
    // The judge decides, of names too.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
  };
  // SNI carries names only (RFC 6066 §3).
  if (isIP(target.name) === 0) options.servername = target.name;
  return options;
}
