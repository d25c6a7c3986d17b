// One POP3 session: who has logged in, whose maildrop is open, and what a command may do with it (RFC 1939 §3). The loop that
// reads commands is conversation.ts; what each command means stands in commands/.

import type { Account } from '../directory/directory.ts';
import type { Connection } from '../platform/listener.ts';
import { SessionClient } from '../platform/session-client.ts';
import type { Surroundings } from '../sasl/mechanism.ts';
import { offeredMechanisms } from '../sasl/mechanisms.ts';
import { surroundingsAt } from '../sasl/surroundings.ts';
import type { AccountId } from '../store/rows.ts';
import { StoreError } from '../store/store.ts';
import type { Standing } from './capabilities.ts';
import { Farewell, type Session, type State } from './commands/command.ts';
import { LIMIT } from './limits.ts';
import { LineReader } from './line-reader.ts';
import { Maildrop } from './maildrop.ts';
import type { Pop3Options } from './options.ts';
import { misspoken, ok, type Reply, refusal } from './reply.ts';
import { wrongDoor } from './wrong-door.ts';

const SECOND = 1_000;
/** What closing a maildrop may fail with: what was left to do is gone, or only marks messages as read. */
const LOST: ReadonlySet<StoreError['kind']> = new Set(['closed', 'missing', 'full']);

export class Pop3Session implements Session {
  readonly id: string;
  readonly remoteAddress: string;
  readonly reader = new LineReader();
  readonly client: SessionClient<Farewell>;
  readonly passed = { messages: 0, octets: 0, deleted: 0 };
  user: string | null = null;
  utf8 = false;
  /** What follows the command under way. */
  following: 'stls' | 'quit' | null = null;
  readonly #options: Pop3Options;
  #account: Account | null = null;
  #maildrop: Maildrop | null = null;
  /** Frees the maildrop for others. */
  #unlock: () => void = () => undefined;

  constructor(connection: Connection, options: Pop3Options) {
    this.id = connection.id;
    this.remoteAddress = connection.remoteAddress;
    this.#options = options;
    this.client = new SessionClient(connection, this.reader, LIMIT, options, {
      protocol: 'pop3',
      // RFC 1939 §3: closed without a word, which a client would take for the answer to its next command.
      silent: (loggedIn) => Farewell.silent(loggedIn ? 'nothing was said for too long' : 'nobody logged in in time'),
      misunderstood: () => Farewell.told('Too many commands that could not be understood', null),
      wrongDoor: (seen) =>
        Farewell.told(wrongDoor(seen, connection.localPort, this.client.mayStartTls, options.ports), null),
    });
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
    const { locks, expire } = this.#options;
    const { mayLogIn, mayStartTls } = this.client;
    return {
      authenticated: this.#account !== null,
      mayLogIn,
      mayStartTls,
      mechanisms: offeredMechanisms(this.sasl),
      loginDelay: Math.ceil(locks.delay / SECOND),
      expire,
    };
  }

  get sasl(): Surroundings {
    const { channelBinding } = this.#options;
    const { remoteAddress } = this;
    return surroundingsAt(this.directory, { ...this.client.layers.known, channelBinding, remoteAddress });
  }

  get maildrop(): Maildrop {
    if (!this.#maildrop) throw new Error('no maildrop is open');
    return this.#maildrop;
  }

  /** Lets go of all that it has, and of its client. Never rejects. */
  async end(): Promise<void> {
    await this.leave();
    await this.client.end(this.passed);
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
          this.client.dismiss(
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
    locks.loggedIn(id);
    this.client.loggedIn(account.address, mechanism);
    const { messages, octets } = this.#maildrop.standing;
    return ok(`${messages} messages (${octets} octets)`);
  }

  loginFailed(reason: string): void {
    if (this.client.loginFailed(reason)) this.client.dismiss(Farewell.silent('too many failed logins'));
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
    this.client.writer.line(`+ ${challenge}`);
    for (;;) {
      const step = this.reader.next();
      switch (step.kind) {
        case 'line':
          return step.octets;
        case 'more':
          await this.client.wait();
          break;
        case 'too long':
          throw misspoken('The response is too long');
        case 'lost':
          throw lost();
      }
    }
  }

  afterwards(what: 'stls' | 'quit'): void {
    this.following = what;
  }

  /** RFC 2595 §4: what was pipelined behind STLS is discarded, and what was said before is forgotten.
   * @throws Disconnected where nothing comes of the handshake */
  async startTls(): Promise<void> {
    this.utf8 = false;
    await this.client.layers.startTls();
  }
}

/** The client cannot be followed any further. */
export function lost(): Farewell {
  return Farewell.told('Too much was sent that is no command', null);
}
