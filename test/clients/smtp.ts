// An SMTP client for tests and loads (RFC 5321 §3): says what it is told and hands back every reply. It never retries,
// hides nothing, and assumes nothing about the server but what its EHLO offers.

import { type Door, LineSocket } from './line-socket.ts';

export interface SmtpReply {
  readonly code: number;
  /** Without code and separator. */
  readonly lines: readonly string[];
}

export interface Login {
  readonly user: string;
  readonly password: string;
}

/** A reply of another code than was expected. */
class UnexpectedReply extends Error {
  override readonly name = 'UnexpectedReply';
  readonly reply: SmtpReply;
  constructor(stage: string, reply: SmtpReply) {
    super(`${stage}: ${reply.code} ${reply.lines.join(' / ')}`);
    this.reply = reply;
  }
}

export class SmtpClient implements Disposable {
  readonly link: LineSocket;
  /** Keywords of the last EHLO with their parameters. */
  extensions = new Map<string, string>();

  constructor(link: LineSocket) {
    this.link = link;
  }

  /** Connects, reads the greeting, says EHLO, then STARTTLS and AUTH as asked. @throws UnexpectedReply */
  static async open(door: Door, login?: Login, name = 'client.test'): Promise<SmtpClient> {
    const client = new SmtpClient(await LineSocket.open(door));
    await client.expect('greeting', 220);
    await client.hello(name);
    if (door.tls === 'starttls') {
      await client.command('STARTTLS', 220);
      await client.link.upgrade();
      await client.hello(name);
    }
    if (login) {
      const token = Buffer.from(`\0${login.user}\0${login.password}`).toString('base64');
      await client.command(`AUTH PLAIN ${token}`, 235);
    }
    return client;
  }

  async reply(): Promise<SmtpReply> {
    const lines: string[] = [];
    for (;;) {
      const line = await this.link.line();
      lines.push(line.slice(4));
      if (line.charAt(3) !== '-') return { code: Number(line.slice(0, 3)), lines };
    }
  }

  async expect(stage: string, code: number): Promise<SmtpReply> {
    const reply = await this.reply();
    if (reply.code !== code) throw new UnexpectedReply(stage, reply);
    return reply;
  }

  /** Sends a line. @param code if given, any other reply throws UnexpectedReply */
  async command(line: string, code?: number): Promise<SmtpReply> {
    this.link.write(`${line}\r\n`);
    return code === undefined ? this.reply() : this.expect(line.split(' ')[0] ?? line, code);
  }

  async hello(name: string): Promise<void> {
    const reply = await this.command(`EHLO ${name}`, 250);
    this.extensions = new Map();
    for (const line of reply.lines.slice(1)) {
      const [keyword = '', ...parameters] = line.split(' ');
      this.extensions.set(keyword.toUpperCase(), parameters.join(' '));
    }
  }

  /**
   * One transaction, pipelined where the server offers it (RFC 2920 §3.1).
   * @param content dot-stuffed, ended by CRLF `.` CRLF
   * @throws UnexpectedReply unless every recipient and the message are accepted; the session can go on
   */
  async send(from: string, recipients: readonly string[], content: string | Uint8Array): Promise<SmtpReply> {
    const commands = [`MAIL FROM:<${from}>`, ...recipients.map((address) => `RCPT TO:<${address}>`), 'DATA'];
    const replies: SmtpReply[] = [];
    if (this.extensions.has('PIPELINING')) {
      this.link.write(`${commands.join('\r\n')}\r\n`);
      for (const _ of commands) replies.push(await this.reply());
    } else {
      for (const command of commands) {
        replies.push(await this.command(command));
        if ((replies.at(-1)?.code ?? 0) >= 400) break;
      }
    }
    const refused = replies.find((reply) => reply.code >= 400);
    if (refused) {
      if (replies.at(-1)?.code === 354) await this.command('.');
      await this.command('RSET', 250);
      throw new UnexpectedReply('envelope', refused);
    }
    this.link.write(content);
    return this.expect('end of data', 250);
  }

  /**
   * One transaction by BDAT (RFC 3030 §2), each chunk with its command in one write, behind the reply to the one before.
   * @param parameters of MAIL, each with a space before it
   * @throws UnexpectedReply unless everything is accepted
   */
  async sendChunks(
    from: string,
    recipients: readonly string[],
    chunks: readonly Uint8Array[],
    parameters = '',
  ): Promise<SmtpReply> {
    await this.command(`MAIL FROM:<${from}>${parameters}`, 250);
    for (const address of recipients) await this.command(`RCPT TO:<${address}>`, 250);
    let reply: SmtpReply | undefined;
    for (const [index, chunk] of chunks.entries()) {
      const last = index === chunks.length - 1 ? ' LAST' : '';
      this.link.write(Buffer.concat([Buffer.from(`BDAT ${chunk.length}${last}\r\n`), chunk]));
      reply = await this.expect('BDAT', 250);
    }
    if (reply === undefined) throw new Error('no chunks');
    return reply;
  }

  async quit(): Promise<void> {
    await this.command('QUIT').catch(() => undefined);
    this.link.destroy();
  }

  [Symbol.dispose](): void {
    this.link.destroy();
  }
}
