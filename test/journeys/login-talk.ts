// A client on any port that knows users, up to the point where it may log in, for the journeys of logins: it says what it is
// told in the words of its protocol.

import type { ConnectionOptions } from 'node:tls';
import { LineSocket } from '../clients/line-socket.ts';
import type { Server } from '../world.ts';

export type LoginGate = 465 | 587 | 993 | 143 | 995 | 110;

/** A client at the point where it may log in, which says what one line of the exchange is answered. */
export interface Conversation extends Disposable {
  readonly link: LineSocket;
  readonly offered: string;
  /** The challenge decoded, or the reply that ends it. `mechanism` begins with it and a response, or none where it is null. */
  say(response: string | null, mechanism?: string): Promise<string>;
  /** Ends it: a maildrop is locked until then. */
  leave(): Promise<void>;
}

const encode = (text: string): string => Buffer.from(text).toString('base64');
const decode = (line: string): string => Buffer.from(line.replace(/^(?:334|\+) /, ''), 'base64').toString();

/** What is said, and the line that ends its answer. */
type Said = readonly [line: string, last: RegExp];

interface Words {
  readonly hello: Said;
  readonly starttls: Said;
  readonly auth: string;
  readonly reply: RegExp;
  readonly quit: Said;
}

const SMTP: Words = {
  hello: ['EHLO client.test', /^250 /],
  starttls: ['STARTTLS', /^220/],
  auth: 'AUTH',
  reply: /^\d{3} /,
  quit: ['QUIT', /^221/],
};
const IMAP: Words = {
  hello: ['c CAPABILITY', /^c OK/],
  starttls: ['s STARTTLS', /^s OK/],
  auth: 'a AUTHENTICATE',
  reply: /^(?:\+|a) /,
  quit: ['q LOGOUT', /^q OK/],
};
const POP3: Words = {
  hello: ['CAPA', /^\.$/],
  starttls: ['STLS', /^\+OK/],
  auth: 'AUTH',
  reply: /^(?:\+ |\+OK|-ERR)/,
  quit: ['QUIT', /^\+OK/],
};

export async function converse(
  server: Server,
  gate: LoginGate,
  tlsOptions: ConnectionOptions = {},
): Promise<Conversation> {
  const starttls = gate === 587 || gate === 143 || gate === 110;
  const link = await LineSocket.open({
    port: server.port(gate),
    tls: starttls ? 'starttls' : 'implicit',
    tlsOptions,
  });
  const words = gate === 465 || gate === 587 ? SMTP : gate === 993 || gate === 143 ? IMAP : POP3;
  const until = async (last: RegExp): Promise<string> => {
    for (let said = ''; ; ) {
      const line = await link.line();
      said += `${line}\n`;
      if (last.test(line)) return said;
    }
  };
  const answer = async (line: string, last: RegExp): Promise<string> => {
    link.write(`${line}\r\n`);
    return until(last);
  };
  await link.line();
  if (starttls) {
    await answer(...words.hello);
    await answer(...words.starttls);
    await link.upgrade();
  }
  const offered = await answer(...words.hello);
  return {
    link,
    offered,
    async say(response, mechanism) {
      const said = encode(response ?? '');
      // RFC 4954 §4: an empty initial response is "=".
      const initial = response === null ? [] : [said || '='];
      const line = mechanism === undefined ? said : [words.auth, mechanism, ...initial].join(' ');
      const reply = (await answer(line, words.reply)).replace(/\n$/, '');
      return /^(?:334|\+) /.test(reply) ? decode(reply) : reply;
    },
    async leave() {
      await answer(...words.quit);
      await link.closed();
    },
    [Symbol.dispose]: () => link.destroy(),
  };
}

export const LOGGED_IN = /^(?:235 2\.7\.0|a OK \[CAPABILITY|\+OK \d+ messages)/;
export const REFUSED = /^(?:535 5\.7\.8|a NO \[AUTHENTICATIONFAILED\]|-ERR \[AUTH\])/;
