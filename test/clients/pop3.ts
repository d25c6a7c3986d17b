// A POP3 client for tests (RFC 1939 §3): says what it is told and hands back every reply, multi-line ones without their
// dots. It never retries and hides nothing.

import { type Door, LineSocket } from './line-socket.ts';
import type { Login } from './smtp.ts';

export interface Pop3Reply {
  readonly ok: boolean;
  /** What follows the status indicator. */
  readonly text: string;
  /** Lines of a multi-line reply, one character an octet; empty where it has none. */
  readonly lines: readonly string[];
}

class Pop3Failure extends Error {
  override readonly name = 'Pop3Failure';
}

export class Pop3Client implements Disposable {
  readonly link: LineSocket;

  constructor(link: LineSocket) {
    this.link = link;
  }

  /** Connects, reads the greeting, STLS and USER and PASS as asked. @throws Pop3Failure */
  static async open(door: Door, login?: Login): Promise<Pop3Client> {
    const client = new Pop3Client(await LineSocket.open(door));
    try {
      await client.reply(false);
      if (door.tls === 'starttls') {
        await client.done('STLS');
        await client.link.upgrade();
      }
      if (login) await client.logIn(login);
      return client;
    } catch (error) {
      client[Symbol.dispose]();
      throw error;
    }
  }

  /** @throws Pop3Failure */
  async logIn({ user, password }: Login): Promise<void> {
    await this.done(`USER ${user}`);
    await this.done(`PASS ${password}`);
  }

  /** @param multi whether a positive reply has lines */
  async reply(multi: boolean): Promise<Pop3Reply> {
    const line = await this.link.line();
    const ok = line.startsWith('+OK');
    const text = line.replace(/^(?:\+OK|-ERR) ?/, '');
    if (!ok || !multi) return { ok, text, lines: [] };
    const lines: string[] = [];
    for (;;) {
      const next = await this.link.line();
      if (next === '.') return { ok, text, lines };
      lines.push(next.startsWith('.') ? next.slice(1) : next);
    }
  }

  async command(line: string): Promise<Pop3Reply> {
    this.link.write(`${line}\r\n`);
    return await this.reply(isMultiLine(line));
  }

  /** A command that must succeed. @throws Pop3Failure */
  async done(line: string): Promise<Pop3Reply> {
    const reply = await this.command(line);
    if (!reply.ok) throw new Pop3Failure(`${line.replace(/^(PASS|AUTH) .*/i, '$1 …')}: ${reply.text}`);
    return reply;
  }

  /** Octets of a message, without its dots. */
  async retrieve(number: number): Promise<Buffer> {
    const { lines } = await this.done(`RETR ${number}`);
    return Buffer.from(lines.map((line) => `${line}\r\n`).join(''), 'latin1');
  }

  /** Every message, in order. */
  async messages(): Promise<Buffer[]> {
    const found: Buffer[] = [];
    for (const line of (await this.done('LIST')).lines) found.push(await this.retrieve(Number(line.split(' ')[0])));
    return found;
  }

  async quit(): Promise<void> {
    await this.done('QUIT');
    await this.link.closed();
  }

  [Symbol.dispose](): void {
    this.link[Symbol.dispose]();
  }
}

/** RFC 1939 §5, §7; RFC 2449 §5. */
function isMultiLine(line: string): boolean {
  return /^(?:CAPA|LIST|UIDL) *$|^(?:RETR|TOP) /i.test(line);
}
