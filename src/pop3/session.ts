// One POP3 connection: read a command, run it, write what it returned (RFC 1939 §3). Commands run one after another, however
// many are pipelined (RFC 2449 §6.6). The three kinds of errors end here: refusals become -ERR, our own mistakes
// -ERR [SYS/TEMP], and a client that is gone ends the session, with nothing deleted.

import type { Account } from '../directory/directory.ts';
import type { Connection } from '../platform/listener.ts';
import { Manners } from '../platform/manners.ts';
import { Patience } from '../platform/patience.ts';
import { SocketInput } from '../platform/socket-input.ts';
import { SocketLayers } from '../platform/socket-layers.ts';
import { Disconnected, SocketWriter } from '../platform/socket-writer.ts';
import { Turn } from '../platform/turn.ts';
import { recognise } from '../platform/wrong-door.ts';
import type { Surroundings } from '../sasl/mechanism.ts';
import { offeredMechanisms } from '../sasl/mechanisms.ts';
import { surroundingsAt } from '../sasl/surroundings.ts';
import type { AccountId } from '../store/rows.ts';
import { StoreError } from '../store/store.ts';
import type { Standing } from './capabilities.ts';
import { Farewell, type Session, type State } from './commands/command.ts';
import { parseCommand } from './commands/table.ts';
import { LIMIT } from './limits.ts';
import { LineReader } from './line-reader.ts';
import { Maildrop } from './maildrop.ts';
import { MultiLine } from './multi-line.ts';
import type { Pop3Options } from './options.ts';
import { type Content, misspoken, ok, Pop3Refusal, type Reply, refusal, replyLine } from './reply.ts';
import { refusalOf } from './store-refusal.ts';
import { wrongDoor } from './wrong-door.ts';

const SECOND = 1_000;
/** What closing a maildrop may fail with: what was left to do is gone, or only marks messages as read. */
const LOST: ReadonlySet<StoreError['kind']> = new Set(['closed', 'missing', 'full']);

export class Pop3Session implements Session {
  readonly id: string;
  readonly remoteAddress: string;
  readonly passed = { messages: 0, octets: 0, deleted: 0 };
  user: string | null = null;
  utf8 = false;
  readonly #options: Pop3Options;
  readonly #connection: Connection;
  readonly #reader = new LineReader();
  readonly #input = new SocketInput(this.#reader, LIMIT);
  readonly #turn = new Turn(LIMIT.turn);
  readonly #writer: SocketWriter;
  readonly #patience: Patience;
  readonly #layers: SocketLayers;
  #account: Account | null = null;
  #maildrop: Maildrop | null = null;
  /** Frees the maildrop for others. */
  #unlock: () => void = () => undefined;
  #then: 'stls' | 'quit' | null = null;
  readonly #manners = new Manners(LIMIT);
  /** The session is to end as soon as no command runs. */
  #farewell: Farewell | null = null;

  constructor(connection: Connection, options: Pop3Options) {
    this.id = connection.id;
    this.remoteAddress = connection.remoteAddress;
    this.#connection = connection;
    this.#options = options;
    this.#writer = new SocketWriter(connection.socket, options.clock, this.#turn, LIMIT);
    const { keeper, floor } = options;
    this.#layers = new SocketLayers(connection, {
      input: this.#input,
      writer: this.#writer,
      keeper,
      floor,
      handshakeTime: LIMIT.handshakeTime,
      note: (text, fields) => this.#note('info', text, fields),
    });
    // RFC 1939 §3: closed without a word, which a client would take for the answer to its next command.
    this.#patience = new Patience(options.clock, LIMIT, (loggedIn) =>
      this.dismiss(Farewell.silent(loggedIn ? 'nothing was said for too long' : 'nobody logged in in time')),
    );
  }

  get hostname() {
    return this.#options.hostname;
  }
  get store() {
    return this.#options.store;
  }
  get directory() {
    return this.#options.directory;
  }
  get log() {
    return this.#options.log;
  }

  get state(): State {
    return this.#account ? 'transaction' : 'authorization';
  }

  get standing(): Standing {
    const { tls, locks, expire } = this.#options;
    const clear = this.#layers.tls === null;
    return {
      authenticated: this.#account !== null,
      mayLogIn: !clear || tls === 'none' || tls === 'offered',
      mayStartTls: clear && (tls === 'offered' || tls === 'required'),
      mechanisms: offeredMechanisms(this.sasl),
      loginDelay: Math.ceil(locks.delay / SECOND),
      expire,
    };
  }

  get sasl(): Surroundings {
    const { channelBinding } = this.#options;
    const { remoteAddress } = this;
    return surroundingsAt(this.directory, { ...this.#layers.known, channelBinding, remoteAddress });
  }

  get maildrop(): Maildrop {
    if (!this.#maildrop) throw new Error('no maildrop is open');
    return this.#maildrop;
  }

  /** Converses until the connection is over. Never rejects. */
  async run(): Promise<void> {
    // Who pipes commands into a connection ends it behind the last one, and waits for the answers.
    this.#connection.socket.allowHalfOpen = true;
    this.#input.attach(this.#connection.socket);
    this.#note('debug', 'connected');
    try {
      if (this.#farewell === null) this.#writer.line(replyLine(ok(`${this.hostname} speaks POP3`)));
      await this.#converse();
    } catch (error) {
      this.#sayFarewell(error);
    } finally {
      this.#patience.end();
      await this.leave();
      this.#input.ignore();
      await this.#writer.end();
      const tls = this.#layers.tls?.protocol ?? null;
      // Health checks and port scans come and go without a command.
      const level = this.#manners.silent ? 'debug' : 'info';
      this.#note(level, 'ended', { tls, ...this.passed, written: this.#writer.written });
    }
  }

  /** Ends the session as soon as it waits for its client. */
  dismiss(farewell: Farewell): void {
    this.#farewell ??= farewell;
    this.#input.nudge();
  }

  /** Ends the session at once. */
  destroy(): void {
    this.#connection.socket.destroy();
  }

  async logIn(account: Account, mechanism: string): Promise<Reply> {
    const { locks, store, clock } = this.#options;
    const id = account.id as AccountId; // the directory's accounts are the store's
    const unlock = locks.enter(id);
    // RFC 2449 §8.1: the password was right, so this is no failed login.
    if (unlock === 'in use') throw refusal('Another POP3 session has the maildrop', 'IN-USE');
    if (unlock === 'too soon') throw refusal('The last login was too short a time ago', 'LOGIN-DELAY');
    try {
      this.#maildrop = await Maildrop.open(id, {
        store,
        clock,
        over: (why) =>
          this.dismiss(
            why === 'gone'
              ? Farewell.told('The maildrop is gone', 'SYS/PERM')
              : Farewell.told('Messages that were expunged elsewhere cannot be kept any longer'),
          ),
      });
    } catch (error) {
      unlock();
      throw error;
    }
    this.#unlock = unlock;
    this.#account = account;
    this.#patience.loggedIn();
    locks.loggedIn(id);
    this.#note('info', 'logged in', { mechanism });
    const { messages, octets } = this.#maildrop.standing;
    return ok(`${messages} messages (${octets} octets)`);
  }

  loginFailed(reason: string): void {
    this.#note('warn', 'login failed', { reason });
    if (this.#manners.loginFailed()) this.#farewell ??= Farewell.silent('too many failed logins');
  }

  async leave(): Promise<void> {
    const maildrop = this.#maildrop;
    this.#maildrop = null;
    try {
      await maildrop?.close();
    } catch (error) {
      if (!(error instanceof StoreError && LOST.has(error.kind))) {
        this.log.error({ session: this.id, err: error }, 'pop3: a maildrop could not be closed');
      }
    }
    this.#unlock();
  }

  async ask(challenge: string): Promise<Buffer> {
    this.#writer.line(`+ ${challenge}`);
    for (;;) {
      const step = this.#reader.next();
      switch (step.kind) {
        case 'line':
          return step.octets;
        case 'more':
          await this.#wait();
          break;
        case 'too long':
          throw misspoken('The response is too long');
        case 'lost':
          throw Farewell.told('Too much was sent that is no command', null);
      }
    }
  }

  afterwards(what: 'stls' | 'quit'): void {
    this.#then = what;
  }

  async #converse(): Promise<void> {
    while (this.#then !== 'quit') {
      if (this.#farewell !== null) throw this.#farewell;
      const step = this.#reader.next();
      switch (step.kind) {
        case 'more':
          await this.#wait();
          break;
        case 'line':
          await this.#execute(step.octets);
          break;
        case 'too long':
          await this.#answer(misspoken('The line is too long'));
          break;
        case 'lost':
          throw Farewell.told('Too much was sent that is no command', null);
      }
    }
  }

  async #execute(line: Buffer): Promise<void> {
    let reply: Reply;
    try {
      const run = parseCommand(line, this);
      this.#manners.understood(this.#account !== null);
      this.#input.forgetOpening();
      reply = await run(this);
    } catch (error) {
      await this.#answer(this.#refusal(error));
      return;
    }
    this.#writer.line(replyLine(reply));
    if (reply.content) await this.#send(reply.content);
    await this.#writer.ready();
    if (this.#then === 'stls') await this.#startTls();
  }

  async #answer(refused: Pop3Refusal): Promise<void> {
    if (refused.misspoken) this.#countBad();
    this.#writer.line(replyLine(refused.reply));
    await this.#writer.ready();
  }

  /** The lines of a multi-line response. One that has begun can only be finished or broken off: an error inside it would be
   * its content. @throws Disconnected */
  async #send(content: Content): Promise<void> {
    const lines = new MultiLine();
    try {
      for await (const piece of content) {
        this.#writer.octets(lines.push(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece));
        await this.#writer.ready();
      }
    } catch (error) {
      if (error instanceof Disconnected) throw error;
      throw new Disconnected('a response could not be finished', { cause: error });
    }
    this.#writer.text(lines.finish());
  }

  #countBad(): void {
    if (!this.#manners.spoken) this.#checkDoor();
    if (this.#manners.misunderstood(this.#account !== null))
      throw Farewell.told('Too many commands that could not be understood', null);
  }

  /** A client that began with another protocol hears where it should have gone. */
  #checkDoor(): void {
    const seen = recognise(this.#input.opening);
    if (seen === null || seen === 'pop3' || seen === 'starttls') return;
    const { localPort } = this.#connection;
    this.#note('warn', `wrong door: ${seen} on a POP3 port`, { seen });
    throw Farewell.told(wrongDoor(seen, localPort, this.standing.mayStartTls, this.#options.ports), null);
  }

  /** What the client reads of an error. @throws what is no answer but an end */
  #refusal(error: unknown): Pop3Refusal {
    if (error instanceof Farewell || error instanceof Disconnected) throw error;
    if (error instanceof Pop3Refusal) return error;
    if (error instanceof StoreError && error.kind !== 'failed') return refusalOf(error);
    this.log.error({ session: this.id, err: error }, 'pop3: a command failed by an error of ours');
    return refusal('Something went wrong here', 'SYS/TEMP');
  }

  #sayFarewell(error: unknown): void {
    if (error instanceof Farewell) {
      this.#note('info', error.message);
      if (error.line !== null) this.#writer.line(error.line);
    } else if (error instanceof Disconnected) {
      if (error.cause) this.log.error({ session: this.id, err: error.cause }, `pop3: ${error.message}`);
    } else {
      this.log.error({ session: this.id, err: error }, 'pop3: session ended by an error of ours');
      this.#writer.line(replyLine(refusal('Something went wrong here', 'SYS/TEMP').reply));
    }
  }

  /** Sends what was written and waits for something to happen. @throws Disconnected, Farewell */
  async #wait(): Promise<void> {
    this.#writer.flush();
    if (this.#input.closed) throw new Disconnected('the client closed the connection');
    if (this.#farewell === null) {
      this.#patience.waiting(true);
      await this.#input.wait();
      this.#patience.waiting(false);
    }
    if (this.#farewell !== null) throw this.#farewell;
    if (!this.#manners.spoken && this.#input.opening[0] === 0x16) this.#checkDoor();
  }

  /** RFC 2595 §4: what was pipelined behind STLS is discarded, and what was said before is forgotten. */
  async #startTls(): Promise<void> {
    this.#then = null;
    this.utf8 = false;
    await this.#layers.startTls();
  }

  #note(level: 'debug' | 'info' | 'warn', text: string, fields: object = {}): void {
    const { remoteAddress, localPort } = this.#connection;
    const account = this.#account?.address ?? null;
    this.log[level]({ session: this.id, hop: 'MS→MUA', remoteAddress, localPort, account, ...fields }, `pop3: ${text}`);
  }
}
