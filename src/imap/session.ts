// One IMAP connection: read a command, parse it, run it, write what it returned (RFC 3501 §3, §5.5). Commands run one
// after another, so that no two can be ambiguous. The three kinds of errors end here: refusals become NO or BAD, our own
// mistakes NO [SERVERBUG], and a client that is gone ends the session.

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
import { mailboxFor } from './access.ts';
import { Announcements } from './announcements.ts';
import { capabilityData, type Standing } from './capabilities.ts';
import { type Afterwards, Farewell, type IncomingMessage, type Session, type State } from './commands/command.ts';
import { type Parsed, parseCommand } from './commands/table.ts';
import { type Completion, completionLine } from './completion.ts';
import { nothingEnabled } from './enabled.ts';
import { CommandReader, type Step } from './grammar/command-reader.ts';
import type { LiteralHead, Scanner } from './grammar/scanner.ts';
import { MessageLiteral } from './incoming-message.ts';
import { LIMIT } from './limits.ts';
import type { ImapOptions } from './options.ts';
import { type Common, SelectedMailbox } from './selected-mailbox.ts';
import { refusalFor } from './store-refusal.ts';
import { wrongDoor } from './wrong-door.ts';

export class ImapSession implements Session {
  readonly id: string;
  readonly remoteAddress: string;
  readonly writer: SocketWriter;
  readonly turn = new Turn(LIMIT.turn);
  readonly enabled = nothingEnabled();
  readonly announcements = new Announcements(this, () => this.#input.nudge());
  readonly retrieved = { messages: 0, octets: 0 };
  readonly #options: ImapOptions;
  readonly #common: Common;
  readonly #connection: Connection;
  readonly #reader = new CommandReader({ line: LIMIT.lineBeforeLogin, literal: LIMIT.literalBeforeLogin });
  readonly #input = new SocketInput(this.#reader, LIMIT);
  readonly #layers: SocketLayers;
  #account: Account | null = null;
  /** Hears no more of what becomes of the account. */
  #unfollow: () => void = () => undefined;
  #selected: SelectedMailbox | null = null;
  #message: MessageLiteral | null = null;
  /** Of the command under way; null: it could not be read. */
  #tag: string | null = null;
  #then: Afterwards | null = null;
  readonly #manners = new Manners(LIMIT);
  readonly #patience: Patience;
  /** Why the session is to end as soon as no command runs; public. */
  #farewell: string | null = null;

  constructor(connection: Connection, options: ImapOptions, common: Common) {
    this.id = connection.id;
    this.remoteAddress = connection.remoteAddress;
    this.#connection = connection;
    this.#options = options;
    this.#common = common;
    this.writer = new SocketWriter(connection.socket, options.clock, this.turn, LIMIT);
    const { keeper, floor } = options;
    const note = (text: string, fields: object) => this.#note('info', text, fields);
    this.#layers = new SocketLayers(connection, {
      input: this.#input,
      writer: this.writer,
      keeper,
      floor,
      handshakeTime: LIMIT.handshakeTime,
      note,
    });
    this.#patience = new Patience(options.clock, LIMIT, (loggedIn) =>
      this.dismiss(loggedIn ? 'Nothing was said for too long' : 'Nobody logged in in time'),
    );
  }

  get hostname() {
    return this.#options.hostname;
  }
  get store() {
    return this.#selected?.store ?? this.#options.store;
  }
  get directory() {
    return this.#options.directory;
  }
  get clock() {
    return this.#options.clock;
  }
  get log() {
    return this.#options.log;
  }
  get limits() {
    return this.#options.limits;
  }

  get state(): State {
    return this.#selected ? 'selected' : this.#account ? 'authenticated' : 'not authenticated';
  }

  get tag(): string {
    return this.#tag ?? '';
  }

  get standing(): Standing {
    const { tls } = this.#options;
    const clear = this.#layers.tls === null;
    return {
      authenticated: this.#account !== null,
      mayLogIn: !clear || tls === 'none' || tls === 'offered',
      compressed: this.#layers.compressed,
      mayStartTls: clear && (tls === 'offered' || tls === 'required'),
      mechanisms: offeredMechanisms(this.sasl),
      appendLimit: this.limits.message,
      mayLogOut: this.#options.unauthenticate,
    };
  }

  get sasl(): Surroundings {
    const { channelBinding } = this.#options;
    const { remoteAddress } = this;
    return surroundingsAt(this.directory, { ...this.#layers.known, channelBinding, remoteAddress });
  }

  get account(): AccountId {
    if (!this.#account) throw new Error('nobody has logged in');
    return this.#account.id as AccountId; // the directory's accounts are the store's
  }

  get address(): string {
    if (!this.#account) throw new Error('nobody has logged in');
    return this.#account.address;
  }

  get mailbox(): SelectedMailbox {
    if (!this.#selected) throw new Error('no mailbox is selected');
    return this.#selected;
  }

  get message(): IncomingMessage {
    if (!this.#message) throw new Error('no message comes with this command');
    return this.#message;
  }

  /** Converses until the connection is over. Never rejects. */
  async run(): Promise<void> {
    const { socket } = this.#connection;
    // Who pipes commands into a connection ends it behind the last one, and waits for the answers.
    socket.allowHalfOpen = true;
    this.#input.attach(socket);
    this.#note('debug', 'connected');
    try {
      if (this.#farewell === null) {
        this.writer.line(`* OK [${capabilityData(this.standing)}] ${this.hostname} speaks IMAP`);
      }
      await this.#converse();
    } catch (error) {
      if (error instanceof Farewell) {
        this.#note('info', error.message);
        this.writer.line(`* BYE ${error.message}`);
      } else if (error instanceof Disconnected) {
        if (error.cause) this.log.error({ session: this.id, err: error.cause }, `imap: ${error.message}`);
      } else {
        this.log.error({ session: this.id, err: error }, 'imap: session ended by an error of ours');
        this.writer.line('* BYE [SERVERBUG] Something went wrong here');
      }
    } finally {
      this.#patience.end();
      this.#unfollow();
      this.announcements.close();
      await this.unselect().catch((error: unknown) => this.#logClosing(error));
      this.#input.ignore();
      await this.writer.end();
      const { messages, octets } = this.retrieved;
      const tls = this.#layers.tls?.protocol ?? null;
      // Health checks and port scans come and go without a command.
      const level = this.#manners.silent ? 'debug' : 'info';
      this.#note(level, 'ended', { tls, messages, octets, written: this.writer.written });
    }
  }

  /** Ends the session with BYE as soon as it waits for its client. @param text public */
  dismiss(text: string): void {
    this.#farewell ??= text;
    this.#input.nudge();
  }

  /** Ends the session at once. */
  destroy(): void {
    this.#connection.socket.destroy();
  }

  loggedIn(account: Account, mechanism: string): void {
    this.#account = account;
    // An account has its INBOX as long as it is there itself; who is nobody's any more keeps no rights either.
    this.#unfollow = this.#options.store.follow({ account: this.account }, (change) => {
      if (change.kind === 'mailbox-deleted' && change.name === 'INBOX') this.dismiss('The account is no more');
    });
    this.#patience.loggedIn();
    this.#reader.limits = { line: LIMIT.line, literal: this.limits.literal };
    this.#note('info', 'logged in', { mechanism });
  }

  loggedOut(): void {
    this.#note('info', 'logged out, and stays');
    this.#account = null;
    this.#unfollow();
    this.#patience.loggedOut();
    this.announcements.close();
    Object.assign(this.enabled, nothingEnabled());
    this.#reader.limits = { line: LIMIT.lineBeforeLogin, literal: LIMIT.literalBeforeLogin };
  }

  loginFailed(reason: string): void {
    this.#note('warn', 'login failed', { reason });
    if (this.#manners.loginFailed()) this.#farewell ??= 'Too many failed logins';
  }

  async select(name: string | null, readOnly: boolean): Promise<SelectedMailbox> {
    // RFC 7162 §3.2.11: where what is said of the old mailbox ends, also for a client that has sent more already.
    if (this.#selected) this.writer.line('* OK [CLOSED] The mailbox before is closed');
    await this.unselect();
    this.#selected = await SelectedMailbox.open(await mailboxFor(this, name, 'read'), readOnly, {
      user: this,
      ...this.#common,
      clock: this.clock,
      writer: this.writer,
      enabled: this.enabled,
      turn: this.turn,
      overdue: () => this.dismiss('Messages that were expunged elsewhere cannot be kept any longer'),
      news: () => this.#input.nudge(),
    });
    return this.#selected;
  }

  async unselect(): Promise<void> {
    const selected = this.#selected;
    this.#selected = null;
    await selected?.close();
  }

  async readLine(max: number): Promise<string> {
    for (;;) {
      const line = this.#nextLine(max);
      if (line !== null) return line;
      await this.#wait();
    }
  }

  async readLineTelling(max: number): Promise<string> {
    for (;;) {
      const line = this.#nextLine(max);
      if (line !== null) return line;
      this.#requireMailbox();
      await this.announcements.tell(this.#selected, true);
      await this.#wait();
    }
  }

  afterwards(what: Afterwards): void {
    this.#then = what;
  }

  #nextLine(max: number): string | null {
    const step = this.#reader.nextLine(max);
    if (step.kind === 'lost') throw new Farewell(step.text);
    return step.kind === 'line' ? step.line : null;
  }

  async #converse(): Promise<void> {
    while (this.#then !== 'logout') {
      if (this.#farewell !== null) throw new Farewell(this.#farewell);
      const step: Step<Parsed> = this.#reader.next(this.#parse);
      switch (step.kind) {
        case 'more':
          if (this.announcements.always) await this.#tellBetweenCommands();
          await this.#wait();
          break;
        case 'continue':
          this.writer.line('+ Go on');
          break;
        case 'command':
          this.#manners.understood(this.#account !== null);
          this.#input.forgetOpening();
          await this.#execute(step.value, step.message);
          // Who sends commands ahead lets others in between them, however little each of them reads or writes.
          if (this.#reader.unread > 0) this.turn.spend(LIMIT.turn);
          await this.turn.pass();
          break;
        case 'refused':
          await this.#complete(step.refusal.completion);
          break;
        case 'lost':
          throw new Farewell(step.text);
      }
    }
  }

  readonly #parse = (scanner: Scanner): Parsed => {
    this.#tag = null;
    this.#tag = scanner.tag();
    scanner.utf8 = this.enabled.utf8;
    scanner.rev2 = this.enabled.rev2;
    scanner.space();
    return parseCommand(scanner, this);
  };

  async #execute({ run, tellsExpunge }: Parsed, head: LiteralHead | null): Promise<void> {
    this.#message =
      head &&
      new MessageLiteral(head, this.#reader, {
        invite: () => this.writer.line('+ Send the message'),
        wait: () => this.#wait(),
      });
    let completion: Completion;
    try {
      completion = await run(this);
    } catch (error) {
      const refusal = refusalFor(error, this);
      const message = this.#message;
      if (message && !message.ended) {
        this.#reader.dropMessage(message.sending, refusal);
        // The reader completes the command when it has dropped what still comes of it.
        if (message.sending) return;
      }
      completion = refusal.completion;
    }
    this.#message = null;
    await this.announcements.tell(this.#selected, tellsExpunge);
    await this.#complete(completion);
    if (this.#then === 'logout') return;
    const layer = this.#then;
    this.#then = null;
    if (layer !== null) await this.#layers.change(layer);
  }

  async #complete(completion: Completion): Promise<void> {
    this.writer.line(completionLine(this.#tag ?? '*', completion));
    if (completion.status === 'BAD') this.#countBad();
    this.#requireMailbox();
    await this.writer.ready();
  }

  /** Who has a mailbox selected that is lost to him has to begin anew. */
  #requireMailbox(): void {
    const lost = this.#selected?.lost;
    if (lost) throw new Farewell(lost);
  }

  #countBad(): void {
    if (!this.#manners.spoken) this.#checkDoor();
    if (this.#manners.misunderstood(this.#account !== null))
      throw new Farewell('Too many commands that could not be understood');
  }

  /** A client that began with another protocol hears where it should have gone. */
  #checkDoor(): void {
    const seen = recognise(this.#input.opening);
    if (seen === null || seen === 'imap' || seen === 'starttls') return;
    const { localPort } = this.#connection;
    this.#note('warn', `wrong door: ${seen} on an IMAP port`, { seen });
    throw new Farewell(wrongDoor(seen, localPort, this.standing.mayStartTls, this.#options.ports));
  }

  async #tellBetweenCommands(): Promise<void> {
    this.#requireMailbox();
    await this.announcements.tellBetweenCommands(this.#selected);
  }

  /** Sends what was written and waits for something to happen. @throws Disconnected, Farewell */
  async #wait(): Promise<void> {
    this.writer.flush();
    if (this.#input.closed) throw new Disconnected('the client closed the connection');
    if (this.#farewell === null) {
      this.#patience.waiting(true);
      await this.#input.wait();
      this.#patience.waiting(false);
    }
    if (this.#farewell !== null) throw new Farewell(this.#farewell);
    if (!this.#manners.spoken && this.#input.opening[0] === 0x16) this.#checkDoor();
  }

  #note(level: 'debug' | 'info' | 'warn', text: string, fields: object = {}): void {
    const { remoteAddress, localPort } = this.#connection;
    const account = this.#account?.address ?? null;
    this.log[level]({ session: this.id, hop: 'MS→MUA', remoteAddress, localPort, account, ...fields }, `imap: ${text}`);
  }

  #logClosing(error: unknown): void {
    if (error instanceof StoreError && error.kind === 'closed') return;
    this.log.error({ session: this.id, err: error }, 'imap: a view could not be closed');
  }
}
