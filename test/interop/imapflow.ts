// imapflow in each of the manners that its options give it: with and without compression, QRESYNC, IMAP4rev2 and the
// rest that it enables by itself. A case gets a mailbox of its own.

import { readFile } from 'node:fs/promises';
import { ImapFlow, type ImapFlowOptions } from 'imapflow';
import { PASSWORD, Program, userAddress } from '../process/program.ts';
import { authorityOf } from './mailbox.ts';

export interface Manner {
  readonly options: ImapFlowOptions;
  readonly gate?: 993 | 143;
  readonly compressed?: false;
  /** What it has enabled (RFC 5161) once it is connected. */
  readonly enabled: readonly string[];
}

export const MANNERS: Readonly<Record<string, Manner>> = {
  'as it comes': { options: {}, enabled: ['CONDSTORE', 'IMAP4REV2', 'UTF8=ACCEPT'] },
  'with STARTTLS': {
    options: { secure: false, doSTARTTLS: true },
    gate: 143,
    enabled: ['CONDSTORE', 'IMAP4REV2', 'UTF8=ACCEPT'],
  },
  'with QRESYNC': { options: { qresync: true }, enabled: ['CONDSTORE', 'IMAP4REV2', 'QRESYNC', 'UTF8=ACCEPT'] },
  'without COMPRESS': {
    options: { disableCompression: true },
    compressed: false,
    enabled: ['CONDSTORE', 'IMAP4REV2', 'UTF8=ACCEPT'],
  },
  'without rev2': { options: { disableIMAP4rev2: true }, enabled: ['CONDSTORE', 'UTF8=ACCEPT'] },
  'with QRESYNC, without rev2 and COMPRESS': {
    options: { qresync: true, disableIMAP4rev2: true, disableCompression: true },
    compressed: false,
    enabled: ['CONDSTORE', 'QRESYNC', 'UTF8=ACCEPT'],
  },
  'with nothing enabled': { options: { disableAutoEnable: true, disableBinary: true }, enabled: [] },
};

/** A server and the clients of a test file. */
export class Flows implements AsyncDisposable {
  readonly server: Program;
  readonly #authority: Buffer;
  readonly #open = new Set<ImapFlow>();
  #mailboxes = 0;

  private constructor(server: Program, authority: Buffer) {
    this.server = server;
    this.#authority = authority;
  }

  static async start(more = ''): Promise<Flows> {
    const server = await Program.start({ users: Object.keys(MANNERS).length, more });
    return new Flows(server, await readFile(authorityOf(server)));
  }

  /** One that has not connected. @param user a number, or an address */
  make({ options, gate = 993 }: Manner, user: number | string, pass = PASSWORD): ImapFlow {
    return new ImapFlow({
      host: 'localhost',
      port: this.server.port(gate),
      secure: true,
      auth: { user: typeof user === 'number' ? userAddress(user) : user, pass },
      tls: { ca: this.#authority },
      disableAutoIdle: true,
      logger: false,
      ...options,
    });
  }

  /** One that has logged in; it ends with the file. */
  async connect(manner: Manner, user: number | string): Promise<ImapFlow> {
    const flow = this.make(manner, user);
    await flow.connect();
    this.#open.add(flow);
    return flow;
  }

  /** Makes a mailbox with these messages, and opens it. @returns its path */
  async fresh(flow: ImapFlow, ...letters: readonly string[]): Promise<string> {
    const { path } = await flow.mailboxCreate(['Cases', String(++this.#mailboxes)]);
    for (const letter of letters) await flow.append(path, letter);
    await flow.mailboxOpen(path);
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const flow of this.#open) await flow.logout();
    await this.server[Symbol.asyncDispose]();
  }
}

/** The next of an event. */
export function heard(flow: ImapFlow, event: 'exists' | 'expunge' | 'flags'): Promise<unknown> {
  return new Promise((resolve) => flow.once(event, resolve));
}

/** Short messages that differ by their subject. */
export const letters = (...subjects: readonly string[]): string[] =>
  subjects.map((subject) => `From: <a@b.test>\r\nSubject: ${subject}\r\n\r\n${subject}\r\n`);
