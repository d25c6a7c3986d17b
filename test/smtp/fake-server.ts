// An SMTP server that does as a script says, to try clients on: raw sockets, any reply at any command, a close, a stall,
// TLS that works or breaks. It writes down all that it hears.

import { createServer, type Server, type Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';

/** What to do at a command: a whole reply (lines split by `\n`, without CRLF), or something else. `tls`: 220 and a
 * handshake; `broken-tls`: 220 and nonsense; `injected`: 220 with a reply behind it in one write. */
export type Answer = string | { readonly do: 'close' | 'reset' | 'stall' | 'tls' | 'broken-tls' | 'injected' };

export interface Script {
  readonly greeting?: Answer;
  /** Keywords of the EHLO reply. */
  readonly keywords?: readonly string[];
  /** By the line as it came (`DATA-END` for the final dot); undefined: as a friendly server would. BDAT is answered behind
   * its octets, but where the answer is 500 or no reply. */
  readonly on?: (line: string, session: FakeSession) => Answer | undefined;
  /** At 354: answer after that many octets of content instead of at its end. */
  readonly early?: { readonly after: number; readonly answer: Answer };
  readonly context?: SecureContext;
  readonly implicit?: boolean;
}

export interface FakeMessage {
  readonly session: FakeSession;
  readonly mail: string;
  readonly recipients: readonly string[];
  /** Octets between 354 and the final dot, dot-unstuffed, or those of all chunks, as latin1. */
  readonly content: string;
  readonly secure: boolean;
}

export interface FakeSession {
  readonly number: number;
  readonly commands: string[];
  /** Chunks as they came while commands were read: shows pipelining. */
  readonly chunks: string[];
  secure: boolean;
  servername: string | null;
  tls: TLSSocket | null;
  mail: string;
  recipients: string[];
  closed: boolean;
  /** Set by a script: the connection ends so when the client begins its handshake. */
  hangUp?: 'close' | 'reset';
}

export interface FakeServer {
  readonly port: number;
  readonly sessions: FakeSession[];
  readonly messages: FakeMessage[];
  /** What the next sessions follow. */
  script: Script;
  /** Says something on the newest connection, whatever the script says. */
  say(reply: string): void;
  /** Resolves when `condition` holds; looked at after each event. */
  until(condition: () => boolean): Promise<void>;
  close(): Promise<void>;
}

export const KEYWORDS = ['PIPELINING', 'SIZE 50000000', '8BITMIME', 'SMTPUTF8', 'DSN', 'ENHANCEDSTATUSCODES'];

/** One that is closed when the test is over that asks for it. */
export async function fakeServer(script: Script = {}): Promise<FakeServer> {
  const server = await startFakeServer(script);
  onTestFinished(() => server.close());
  return server;
}

export async function startFakeServer(script: Script = {}, address = '127.0.0.1', port = 0): Promise<FakeServer> {
  const sockets = new Set<Socket>();
  const waiting = new Set<() => void>();
  const tell = (): void => {
    for (const look of [...waiting]) look();
  };
  let newest: Socket | null = null;
  const server: Server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    newest = socket;
    socket.once('close', () => sockets.delete(socket));
    serve(fake, socket, tell);
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, address, resolve));
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('not listening on a port');
  const fake: FakeServer = {
    port: bound.port,
    sessions: [],
    messages: [],
    script,
    say: (reply) => void newest?.write(`${reply}\r\n`),
    until: (condition) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!condition()) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return fake;
}

function serve(fake: FakeServer, raw: Socket, tell: () => void): void {
  const script = fake.script;
  const session: FakeSession = {
    number: fake.sessions.length,
    commands: [],
    chunks: [],
    secure: false,
    servername: null,
    tls: null,
    mail: '',
    recipients: [],
    closed: false,
  };
  fake.sessions.push(session);
  let socket: Socket = raw;
  let buffer = '';
  let content: string | null = null;
  let chunk: { size: number; last: boolean; reply: string } | null = null;
  let chunks = '';
  let stalled = false;

  const answer = (what: Answer): void => {
    if (typeof what === 'string') {
      socket.write(`${what.replaceAll('\n', '\r\n')}\r\n`, 'latin1');
    } else if (what.do === 'stall') {
      stalled = true;
    } else if (what.do === 'close') {
      stalled = true;
      socket.end();
    } else if (what.do === 'reset') {
      stalled = true;
      raw.resetAndDestroy();
    } else if (what.do === 'injected') {
      socket.write('220 go ahead\r\n250 injected\r\n');
    } else {
      socket.write('220 go ahead\r\n');
      buffer = '';
      if (session.hangUp === 'close') socket.end();
      else if (session.hangUp === 'reset') socket.once('data', () => raw.resetAndDestroy());
      else if (what.do === 'tls') secure();
      else socket.write('this is no TLS record at all\r\n');
    }
  };

  const command = (line: string): void => {
    session.commands.push(line);
    const scripted = script.on?.(line, session);
    tell();
    const verb = line.slice(0, 4).toUpperCase();
    const reply = scripted ?? friendly(script, verb, session);
    const good = typeof reply === 'string' && /^[23]/.test(reply);
    if (verb === 'MAIL' && good) {
      session.mail = line;
      session.recipients = [];
      chunks = '';
    }
    if (verb === 'RCPT' && good) session.recipients.push(line);
    if (verb === 'BDAT' && typeof reply === 'string' && !reply.startsWith('500')) {
      const [, size = '', last = ''] = line.split(' ');
      chunk = { size: Number(size), last: last !== '', reply };
      return;
    }
    if (verb === 'DATA' && typeof reply === 'string' && reply.startsWith('354')) content = '';
    answer(reply);
    if (verb === 'QUIT') socket.end();
  };

  const take = (whole: string): void => {
    const { mail, recipients, secure } = session;
    fake.messages.push({ session, mail, recipients: [...recipients], content: whole, secure });
  };

  const read = (piece: string): void => {
    if (content === null && chunk === null) session.chunks.push(piece);
    buffer += piece;
    while (!stalled) {
      if (content !== null) {
        if (script.early !== undefined && content.length + buffer.length >= script.early.after) {
          answer(script.early.answer);
          stalled = true;
          return;
        }
        const empty = content === '' && buffer.startsWith('.\r\n');
        const end = buffer.indexOf('\r\n.\r\n');
        if (!empty && end < 0) {
          // What may be the beginning of its end is looked at again; the rest is not, however much there is.
          const kept = Math.max(0, buffer.length - 4);
          content += buffer.slice(0, kept);
          buffer = buffer.slice(kept);
          return;
        }
        const body = empty ? '' : content + buffer.slice(0, end + 2);
        buffer = buffer.slice(empty ? 3 : end + 5);
        content = null;
        const reply = script.on?.('DATA-END', session) ?? '250 2.0.0 taken';
        if (typeof reply !== 'string') tell();
        if (typeof reply === 'string' && reply.startsWith('2')) {
          take(body.replace(/^\./gm, ''));
        }
        answer(reply);
        tell();
        continue;
      }
      if (chunk !== null) {
        if (buffer.length < chunk.size) return;
        const { size, last, reply } = chunk;
        chunk = null;
        chunks += buffer.slice(0, size);
        buffer = buffer.slice(size);
        if (last && reply.startsWith('2')) take(chunks);
        answer(reply);
        tell();
        continue;
      }
      const end = buffer.indexOf('\n');
      if (end < 0) return;
      const line = buffer.slice(0, end).replace(/\r$/, '');
      buffer = buffer.slice(end + 1);
      command(line);
    }
  };

  const listen = (): void => {
    socket.on('data', (piece) => read(piece.toString('latin1')));
    socket.on('error', () => {});
    socket.once('close', () => {
      session.closed = true;
      tell();
    });
  };

  const secure = (after?: () => void): void => {
    socket.removeAllListeners('data');
    const secured = new TLSSocket(socket, {
      isServer: true,
      ...(script.context === undefined ? {} : { secureContext: script.context }),
      SNICallback: (name, done) => {
        session.servername = name;
        done(null, script.context);
      },
    });
    secured.on('_tlsError', () => secured.destroy());
    secured.once('secure', () => {
      session.secure = true;
      session.tls = secured;
      after?.();
    });
    socket = secured;
    listen();
  };

  const greet = (): void => answer(script.greeting ?? '220 fake.test ESMTP');
  if (script.implicit === true) {
    secure(greet);
  } else {
    listen();
    greet();
    tell();
  }
}

function friendly(script: Script, verb: string, session: FakeSession): Answer {
  switch (verb) {
    case 'EHLO': {
      const lines = ['fake.test', ...(script.keywords ?? KEYWORDS)];
      return lines.map((line, index) => `250${index === lines.length - 1 ? ' ' : '-'}${line}`).join('\n');
    }
    case 'DATA':
      return session.recipients.length > 0 ? '354 go on' : '554 5.5.1 no recipients';
    case 'QUIT':
      return '221 2.0.0 bye';
    case 'STAR':
      return { do: 'tls' };
    case 'AUTH':
      return '235 2.7.0 welcome';
    default:
      return '250 2.0.0 fine';
  }
}
