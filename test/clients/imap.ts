// An IMAP client for tests and loads (RFC 3501 §2.2): sends commands, collects what comes before their completion. It
// does not interpret data; literals are handed over as octets.

import { type Door, LineSocket } from './line-socket.ts';
import type { Login } from './smtp.ts';

/** One response line, `{n}` marks where its literals stood. */
export interface Response {
  readonly text: string;
  readonly literals: readonly Buffer[];
}

export interface Completion {
  readonly status: 'OK' | 'NO' | 'BAD';
  /** What follows the status. */
  readonly text: string;
  readonly untagged: readonly Response[];
}

export class ImapRefusal extends Error {
  override readonly name = 'ImapRefusal';
}

export class ImapClient implements Disposable {
  readonly link: LineSocket;
  /** Of the greeting or the last CAPABILITY. */
  capabilities: ReadonlySet<string> = new Set();
  #tags = 0;

  constructor(link: LineSocket) {
    this.link = link;
  }

  /** Connects, reads the greeting, STARTTLS and LOGIN as asked. @throws ImapRefusal */
  static async open(door: Door, login?: Login): Promise<ImapClient> {
    const client = new ImapClient(await LineSocket.open(door));
    client.#learn((await client.response()).text);
    if (door.tls === 'starttls') {
      await client.done('STARTTLS');
      await client.link.upgrade();
    }
    if (login) {
      const quote = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;
      await client.done(`LOGIN ${quote(login.user)} ${quote(login.password)}`);
    }
    return client;
  }

  /** The next whole response, literals included. */
  async response(): Promise<Response> {
    let text = '';
    const literals: Buffer[] = [];
    for (;;) {
      const line = await this.link.line();
      text += line;
      const count = /\{(\d+)\}$/.exec(line)?.[1];
      if (count === undefined) return { text, literals };
      literals.push(await this.link.octets(Number(count)));
    }
  }

  /** Sends a command and reads up to its completion. @param literals sent at its `{n}` marks: where the mark is `{n+}`
   * at once, else when the server says go ahead */
  async command(line: string, literals: readonly Uint8Array[] = []): Promise<Completion> {
    const tag = `a${++this.#tags}`;
    const untagged: Response[] = [];
    const parts = literals.length === 0 ? [line] : line.split(/(?<=\{\d+\+?\})/);
    for (const [index, part] of parts.entries()) {
      this.link.write(`${index === 0 ? `${tag} ` : ''}${part}\r\n`);
      const literal = literals[index];
      if (literal === undefined) continue;
      if (!part.endsWith('+}')) {
        const early = await this.#until(tag, untagged, true);
        if (early) return early;
      }
      this.link.write(literal);
      if (index === parts.length - 1) this.link.write('\r\n');
    }
    const completion = await this.#until(tag, untagged, false);
    if (!completion) throw new Error(`a go-ahead that nobody waits for: ${line}`);
    return completion;
  }

  /** As `command`. @throws ImapRefusal for NO and BAD */
  async done(line: string, literals: readonly Uint8Array[] = []): Promise<readonly Response[]> {
    const completion = await this.command(line, literals);
    if (completion.status !== 'OK') throw new ImapRefusal(`${line}: ${completion.status} ${completion.text}`);
    return completion.untagged;
  }

  /** Starts IDLE; the returned function ends it. Responses meanwhile are read by `response`. */
  async idle(): Promise<() => Promise<readonly Response[]>> {
    const tag = `a${++this.#tags}`;
    this.link.write(`${tag} IDLE\r\n`);
    const early = await this.#until(tag, [], true);
    if (early) throw new ImapRefusal(`IDLE: ${early.status} ${early.text}`);
    return async () => {
      const untagged: Response[] = [];
      this.link.write('DONE\r\n');
      await this.#until(tag, untagged, false);
      return untagged;
    };
  }

  /** Octets of every message of a mailbox that is not selected yet, by UID order. */
  async messages(mailbox: string): Promise<Buffer[]> {
    await this.done(`EXAMINE ${mailbox}`);
    const found = await this.command('UID FETCH 1:* (UID BODY.PEEK[])');
    return found.untagged.flatMap((response) => response.literals.slice(0, 1));
  }

  /** A number of STATUS, such as MESSAGES. */
  async status(mailbox: string, item: string): Promise<number> {
    const untagged = await this.done(`STATUS ${mailbox} (${item})`);
    const found = untagged.map((response) => new RegExp(`\\(${item} (\\d+)\\)`).exec(response.text)?.[1]);
    return Number(found.find((value) => value !== undefined));
  }

  async logout(): Promise<void> {
    await this.command('LOGOUT').catch(() => undefined);
    this.link.destroy();
  }

  [Symbol.dispose](): void {
    this.link.destroy();
  }

  async #until(tag: string, untagged: Response[], orGoAhead: boolean): Promise<Completion | null> {
    for (;;) {
      const response = await this.response();
      this.#learn(response.text);
      const [, status, text = ''] = /^\S+ (OK|NO|BAD)(?: (.*))?$/.exec(response.text) ?? [];
      if (response.text.startsWith(`${tag} `) && (status === 'OK' || status === 'NO' || status === 'BAD')) {
        return { status, text, untagged };
      }
      if (response.text.startsWith('+') && orGoAhead) return null;
      untagged.push(response);
    }
  }

  #learn(text: string): void {
    const found = /^\* CAPABILITY (.*)$|\[CAPABILITY ([^\]]*)\]/.exec(text);
    if (found) this.capabilities = new Set((found[1] ?? found[2] ?? '').split(' '));
  }
}
