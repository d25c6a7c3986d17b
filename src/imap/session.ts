// One IMAP session: who has logged in, which mailbox is selected, and what a command may do with it (RFC 3501 §3). The loop
// that reads commands is conversation.ts; what each command means stands in commands/.

import type { Account } from '../directory/directory.ts';
import type { Connection } from '../platform/listener.ts';
import { SessionClient } from '../platform/session-client.ts';
import type { Surroundings } from '../sasl/mechanism.ts';
import { offeredMechanisms } from '../sasl/mechanisms.ts';
import { surroundingsAt } from '../sasl/surroundings.ts';
import type { AccountId } from '../store/rows.ts';
import { mailboxFor } from './access.ts';
import { Announcements } from './announcements.ts';
import type { Standing } from './capabilities.ts';
import { type Afterwards, Farewell, type Session, type State } from './commands/command.ts';
import { nothingEnabled } from './enabled.ts';
import { CommandReader } from './grammar/command-reader.ts';
import type { MessageLiteral } from './incoming-message.ts';
import { LIMIT } from './limits.ts';
import type { ImapOptions } from './options.ts';
import { type Common, SelectedMailbox } from './selected-mailbox.ts';
import { wrongDoor } from './wrong-door.ts';

const BEFORE_LOGIN = { line: LIMIT.lineBeforeLogin, literal: LIMIT.literalBeforeLogin };

export class ImapSession implements Session {
  readonly id: string;
  readonly remoteAddress: string;
  readonly reader = new CommandReader(BEFORE_LOGIN);
  readonly client: SessionClient<Farewell>;
  readonly enabled = nothingEnabled();
  readonly announcements = new Announcements(this, () => this.client.nudge());
  readonly retrieved = { messages: 0, octets: 0 };
  /** Of the command under way; empty: it could not be read. */
  tag = '';
  /** The message literal that comes with it. */
  literal: MessageLiteral | null = null;
  /** What follows it. */
  following: Afterwards | null = null;
  readonly #options: ImapOptions;
  readonly #common: Common;
  #account: Account | null = null;
  /** Hears no more of what becomes of the account. */
  #unfollow: () => void = () => undefined;
  #selected: SelectedMailbox | null = null;

  constructor(connection: Connection, options: ImapOptions, common: Common) {
    this.id = connection.id;
    this.remoteAddress = connection.remoteAddress;
    this.#options = options;
    this.#common = common;
    this.client = new SessionClient(connection, this.reader, LIMIT, options, {
      protocol: 'imap',
      silent: (loggedIn) => new Farewell(loggedIn ? 'Nothing was said for too long' : 'Nobody logged in in time'),
      misunderstood: () => new Farewell('Too many commands that could not be understood'),
      wrongDoor: (seen) => new Farewell(wrongDoor(seen, connection.localPort, this.client.mayStartTls, options.ports)),
    });
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
  get writer() {
    return this.client.writer;
  }
  get turn() {
    return this.client.turn;
  }

  get state(): State {
    return this.#selected ? 'selected' : this.#account ? 'authenticated' : 'not authenticated';
  }

  get standing(): Standing {
    const { mayLogIn, mayStartTls, layers } = this.client;
    return {
      authenticated: this.#account !== null,
      mayLogIn,
      mayStartTls,
      compressed: layers.compressed,
      mechanisms: offeredMechanisms(this.sasl),
      appendLimit: this.limits.message,
      mayLogOut: this.#options.unauthenticate,
    };
  }

  get sasl(): Surroundings {
    const { channelBinding } = this.#options;
    const { remoteAddress } = this;
    return surroundingsAt(this.directory, { ...this.client.layers.known, channelBinding, remoteAddress });
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

  get message(): MessageLiteral {
    if (!this.literal) throw new Error('no message comes with this command');
    return this.literal;
  }

  /** Ends the session with BYE as soon as it waits for its client. @param text public */
  dismiss(text: string): void {
    this.client.dismiss(new Farewell(text));
  }

  /** Lets go of all that it has, and of its client. Never rejects. */
  async end(): Promise<void> {
    this.#unfollow();
    this.announcements.close();
    this.unselect();
    await this.client.end(this.retrieved);
  }

  loggedIn(account: Account, mechanism: string): void {
    this.#account = account;
    // An account has its INBOX as long as it is there itself; who is nobody's any more keeps no rights either.
    this.#unfollow = this.#options.store.follow({ account: this.account }, (change) => {
      if (change.kind === 'mailbox-deleted' && change.name === 'INBOX') this.dismiss('The account is no more');
    });
    this.client.loggedIn(account.address, mechanism);
    this.reader.limits = { line: LIMIT.line, literal: this.limits.literal };
  }

  loggedOut(): void {
    this.client.loggedOut();
    this.#account = null;
    this.#unfollow();
    this.announcements.close();
    Object.assign(this.enabled, nothingEnabled());
    this.reader.limits = BEFORE_LOGIN;
  }

  loginFailed(reason: string): void {
    if (this.client.loginFailed(reason)) this.dismiss('Too many failed logins');
  }

  async select(name: string | null, readOnly: boolean): Promise<SelectedMailbox> {
    // RFC 7162 §3.2.11: where what is said of the old mailbox ends, also for a client that has sent more already.
    if (this.#selected) this.writer.line('* OK [CLOSED] The mailbox before is closed');
    this.unselect();
    this.#selected = await SelectedMailbox.open(await mailboxFor(this, name, 'read'), readOnly, {
      user: this,
      ...this.#common,
      clock: this.clock,
      writer: this.writer,
      enabled: this.enabled,
      turn: this.turn,
      overdue: () => this.dismiss('Messages that were expunged elsewhere cannot be kept any longer'),
      news: () => this.client.nudge(),
    });
    return this.#selected;
  }

  unselect(): void {
    const selected = this.#selected;
    this.#selected = null;
    selected?.close();
  }

  /** Who has a mailbox selected that is lost to him has to begin anew. @throws Farewell */
  requireMailbox(): void {
    const lost = this.#selected?.lost;
    if (lost) throw new Farewell(lost);
  }

  /** Tells what there is to tell. @param expunges whether EXPUNGE may be told now (RFC 3501 §7.4.1) */
  async tell(expunges: boolean): Promise<void> {
    await this.announcements.tell(this.#selected, expunges);
  }

  /** The same while no command is under way, which only NOTIFY asks for. @throws Farewell */
  async tellBetweenCommands(): Promise<void> {
    if (!this.announcements.always) return;
    this.requireMailbox();
    await this.announcements.tellBetweenCommands(this.#selected);
  }

  async readLine(max: number): Promise<string> {
    for (;;) {
      const line = this.#nextLine(max);
      if (line !== null) return line;
      await this.client.wait();
    }
  }

  async readLineTelling(max: number): Promise<string> {
    for (;;) {
      const line = this.#nextLine(max);
      if (line !== null) return line;
      this.requireMailbox();
      await this.tell(true);
      await this.client.wait();
    }
  }

  afterwards(what: Afterwards): void {
    this.following = what;
  }

  #nextLine(max: number): string | null {
    const step = this.reader.nextLine(max);
    if (step.kind === 'lost') throw new Farewell(step.text);
    return step.kind === 'line' ? step.line : null;
  }
}
