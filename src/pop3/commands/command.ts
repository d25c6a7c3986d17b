// What a command is: a keyword, the states in which it may be said, its grammar, and what it does; and what it sees of its
// session. A command returns its reply: it never writes one.

import type { Account, Directory } from '../../directory/directory.ts';
import type { Log } from '../../platform/log.ts';
import type { Surroundings } from '../../sasl/mechanism.ts';
import type { Store } from '../../store/store.ts';
import type { Standing } from '../capabilities.ts';
import type { Maildrop } from '../maildrop.ts';
import { misspoken, type Reply, type ResponseCode } from '../reply.ts';

/** RFC 1939 §3; the UPDATE state is what QUIT does. */
export type State = 'authorization' | 'transaction';

export const ANY_STATE: readonly State[] = ['authorization', 'transaction'];
export const AUTHORIZATION: readonly State[] = ['authorization'];
export const TRANSACTION: readonly State[] = ['transaction'];

export interface Session {
  readonly id: string;
  readonly hostname: string;
  readonly store: Store;
  readonly directory: Directory;
  readonly log: Log;
  readonly remoteAddress: string;
  readonly state: State;
  readonly standing: Standing;
  /** What SASL is told of this connection. */
  readonly sasl: Surroundings;
  /** The open maildrop. @throws Error if there is none: the table keeps such commands away */
  readonly maildrop: Maildrop;
  /** The name that USER gave, for the PASS right behind it; null: there was none. */
  user: string | null;
  /** RFC 6856 §2.1: the client takes UTF-8 in headers. */
  utf8: boolean;
  /** For the log. */
  readonly passed: { messages: number; octets: number; deleted: number };

  /** Opens the maildrop of whoever has proved to be this account. @throws Pop3Refusal, StoreError */
  logIn(account: Account, mechanism: string): Promise<Reply>;
  /** Counts a failed login; too many end the connection. */
  loginFailed(reason: string): void;
  /** Says a challenge (RFC 5034 §4) and waits for the line that answers it. @throws Pop3Refusal for one that is too long */
  ask(challenge: string): Promise<Buffer>;
  /** Frees the maildrop. */
  leave(): Promise<void>;
  /** What follows the reply to this command: the TLS handshake, or the end. */
  afterwards(what: 'stls' | 'quit'): void;
}

/** Ends the connection. `line`: what the client hears of it; null: nothing (RFC 1939 §3, for who was silent too long). */
export class Farewell extends Error {
  override readonly name = 'Farewell';
  readonly line: string | null;
  private constructor(text: string, line: string | null) {
    super(text);
    this.line = line;
  }

  /** A last negative answer. @param text public. @param code RFC 3206 §4 */
  static told(text: string, code: ResponseCode | null = 'SYS/TEMP'): Farewell {
    return new Farewell(text, `-ERR ${code === null ? '' : `[${code}] `}${text}`);
  }

  static silent(text: string): Farewell {
    return new Farewell(text, null);
  }
}

export interface Command {
  readonly name: string;
  readonly states: readonly State[];
  /** Refuses the command before its argument is read. @throws Pop3Refusal */
  readonly admit: (session: Session) => void;
  /** Reads what follows the keyword and its space; null: nothing does. @throws Pop3Refusal */
  readonly parse: (rest: Buffer | null) => (session: Session) => Promise<Reply>;
}

interface Definition<Arguments> {
  readonly name: string;
  readonly states: readonly State[];
  readonly admit?: (session: Session) => void;
  readonly grammar: (rest: Buffer | null) => Arguments;
  readonly run: (session: Session, args: Arguments) => Promise<Reply> | Reply;
}

/** Makes a command of its parts; the type of its arguments stays between its grammar and its behaviour. */
export function command<Arguments>(definition: Definition<Arguments>): Command {
  const { name, states, admit = () => undefined, grammar, run } = definition;
  return {
    name,
    states,
    admit,
    parse(rest) {
      const args = grammar(rest);
      return async (session) => run(session, args);
    },
  };
}

/** The grammar of a command without arguments. */
export function nothing(rest: Buffer | null): null {
  if (words(rest).length > 0) throw misspoken('The command takes no argument');
  return null;
}

/** param *(SP param); spaces at the end are passed over. */
export function words(rest: Buffer | null): string[] {
  const text = rest?.toString('latin1') ?? '';
  // Not by a pattern, which would try each space of a line that is full of them.
  let end = text.length;
  while (text[end - 1] === ' ') end--;
  return end === 0 ? [] : text.slice(0, end).split(' ');
}

/** A number of messages or lines; ten digits are more than there can be. @throws Pop3Refusal */
export function numeral(word: string): number {
  if (!/^\d{1,10}$/.test(word)) throw misspoken('That is no number');
  return Number(word);
}

/** msg. @throws Pop3Refusal */
export function oneMessage(rest: Buffer | null): number {
  const [word, more] = words(rest);
  if (word === undefined || more !== undefined) throw misspoken('The command takes the number of a message');
  return numeral(word);
}

/** [msg]. @throws Pop3Refusal */
export function perhapsMessage(rest: Buffer | null): number | null {
  return words(rest).length === 0 ? null : oneMessage(rest);
}
