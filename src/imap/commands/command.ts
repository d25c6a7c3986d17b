// What a command is: a name, the states in which it may be said, its grammar, and what it does; and what it sees of its
// session. A command returns its completion: it never writes one.

import type { Account, Directory } from '../../directory/directory.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import type { SocketWriter } from '../../platform/socket-writer.ts';
import type { Turn } from '../../platform/turn.ts';
import type { Surroundings } from '../../sasl/mechanism.ts';
import type { AccountId, ViewId } from '../../store/rows.ts';
import type { Store } from '../../store/store.ts';
import type { Standing } from '../capabilities.ts';
import type { Completion } from '../completion.ts';
import type { Enabled } from '../enabled.ts';
import type { NotifyRequest } from '../grammar/notify-request.ts';
import type { Scanner } from '../grammar/scanner.ts';
import type { ImapLimits } from '../limits.ts';
import type { SelectedMailbox } from '../selected-mailbox.ts';

/** RFC 3501 §3. */
export type State = 'not authenticated' | 'authenticated' | 'selected';

export const ANY_STATE: readonly State[] = ['not authenticated', 'authenticated', 'selected'];
export const LOGGED_IN: readonly State[] = ['authenticated', 'selected'];
export const SELECTED: readonly State[] = ['selected'];

/** A message literal that the client sends with the command under way. */
export interface IncomingMessage {
  readonly octets: number;
  /** Any octet may be in it (RFC 3516 §4.4). */
  readonly literal8: boolean;
  /** The next octets; null: that was all. The first call invites a client that waits for it. */
  read(): Promise<Buffer | null>;
  /** Reads on behind the literal, once all of it was read: up to the end of the command, or to another literal, which then
   * is the one to read. @param parse reads what stands there; called again as often as a string literal has arrived
   * @throws ImapRefusal */
  next<T>(parse: (scanner: Scanner) => T): Promise<T>;
}

export type Afterwards = 'starttls' | 'deflate' | 'inflate' | 'logout';

/** What the client is told unasked. */
interface Announcing {
  /** From now on what others change of annotations is told. */
  tellAnnotations(): void;
  /** From now on what the request wants, and nothing else. @returns lines to tell at once */
  notify(request: NotifyRequest): Promise<readonly string[]>;
}

export interface Session {
  readonly id: string;
  readonly hostname: string;
  /** As the user sees it: in another's mailbox that is selected, \Seen is his own. */
  readonly store: Store;
  readonly directory: Directory;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: ImapLimits;
  readonly remoteAddress: string;
  readonly writer: SocketWriter;
  readonly turn: Turn;
  readonly state: State;
  /** Of the command under way. */
  readonly tag: string;
  readonly standing: Standing;
  /** Where a login takes place. */
  readonly sasl: Surroundings;
  readonly enabled: Enabled;
  /** Who has logged in. @throws Error if nobody has: the table keeps such commands away */
  readonly account: AccountId;
  /** The primary address of who has logged in. @throws as `account` */
  readonly address: string;
  /** The selected mailbox. @throws Error if there is none */
  readonly mailbox: SelectedMailbox;
  /** What came as the last argument of the command. */
  readonly message: IncomingMessage;
  /** Messages and octets that have gone to the client, for the log. */
  readonly retrieved: { messages: number; octets: number };

  /** Enters the authenticated state. */
  loggedIn(account: Account, mechanism: string): void;
  /** Goes back to where nobody had logged in, and nothing was enabled. */
  loggedOut(): void;
  /** Counts a failed login, and ends the connection after too many. */
  loginFailed(reason: string): void;
  /** Leaves the mailbox that is selected, if any, and selects another. @param name null: the argument was no name
   * @throws ImapRefusal NO; then none is selected */
  select(name: string | null, readOnly: boolean): Promise<SelectedMailbox>;
  unselect(): void;
  readonly announcements: Announcing;
  /** Sends what was written and waits for a line of the client. */
  readLine(max: number): Promise<string>;
  /** Sends what was written and waits for a line or, until then, tells of news. */
  readLineTelling(max: number): Promise<string>;
  /** What follows the completion of this command: the TLS handshake, compression or no more of it, or the end. */
  afterwards(what: Afterwards): void;
}

/** Ends the connection with BYE (RFC 3501 §7.1.5). `message` is public. */
export class Farewell extends Error {
  override readonly name = 'Farewell';
}

export interface Command {
  readonly name: string;
  readonly states: readonly State[];
  /** May EXPUNGE be told while it runs? RFC 3501 §7.4.1: not during FETCH, STORE or SEARCH, but during their UID
   * forms, which are other commands, unless their arguments have sequence numbers. Stricter: nor by the command that
   * selects, since there are clients that count no messages before it is completed. */
  readonly expunge: 'told' | 'told in UID form' | 'told afterwards';
  /** UID before the name: the same command, whose numbers are UIDs (RFC 3501 §6.4.8), or which has some only then. */
  readonly uid: 'none' | 'allowed' | 'adds a set' | 'makes no difference';
  /** Refuses the command before its arguments are read. @throws ImapRefusal */
  readonly admit: (session: Session) => void;
  /** Reads the arguments. @throws ImapRefusal, LiteralWanted */
  readonly parse: (scanner: Scanner, uid: boolean) => Prepared;
}

/** A command with its arguments. */
interface Prepared {
  readonly run: (session: Session) => Promise<Completion>;
  /** Among them are sequence numbers, whatever its form: EXPUNGE must not be told (RFC 7162 §3.2.10.2). */
  readonly numbered: boolean;
}

interface Definition<Arguments> {
  readonly name: string;
  readonly states: readonly State[];
  readonly expunge?: Command['expunge'];
  readonly uid?: Command['uid'];
  readonly admit?: (session: Session) => void;
  readonly grammar: (scanner: Scanner, uid: boolean) => Arguments;
  /** Do the arguments name messages by sequence numbers, also in UID form? */
  readonly numbered?: (args: Arguments) => boolean;
  readonly run: (session: Session, args: Arguments, uid: boolean) => Promise<Completion> | Completion;
}

/** Makes a command of its parts; the type of its arguments stays between its grammar and its behaviour. */
export function command<Arguments>(definition: Definition<Arguments>): Command {
  const { name, states, expunge = 'told', uid = 'none', admit = () => undefined, grammar, run } = definition;
  const { numbered = () => false } = definition;
  return {
    name,
    states,
    expunge,
    uid,
    admit,
    parse(scanner, byUid) {
      const args = grammar(scanner, byUid);
      return { run: async (session) => run(session, args, byUid), numbered: numbered(args) };
    },
  };
}

/** The view of the selected mailbox, which is the origin of what the session changes; null: none is selected. */
export function ownView(session: Pick<Session, 'state' | 'mailbox'>): ViewId | null {
  return session.state === 'selected' ? session.mailbox.view.id : null;
}

/** The grammar of a command without arguments. */
export function nothing(): null {
  return null;
}
