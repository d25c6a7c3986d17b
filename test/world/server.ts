// One server of a test's world with the ways into it: raw clients, nodemailer, imapflow, the store's change feed.

import { ImapFlow } from 'imapflow';
import { createTransport, type SendMailOptions } from 'nodemailer';
import type { Config } from '../../src/config/config.ts';
import type { RunningServer } from '../../src/serve.ts';
import type { Change, Topic } from '../../src/store/store.ts';
import { ImapClient } from '../clients/imap.ts';
import type { Door } from '../clients/line-socket.ts';
import { Pop3Client } from '../clients/pop3.ts';
import { type Login, SmtpClient } from '../clients/smtp.ts';
import type { Wire } from '../wire.ts';
import { type Gate, gates, PASSWORD } from './config.ts';

/** One server of the world. */
export interface Server {
  readonly running: RunningServer;
  readonly config: Config;
  readonly domain: string;
  /** What this server says to MX hosts goes through here; see `wire.ts`. */
  readonly wayOut: Wire;
  port(gate: Gate): number;
  smtp(gate: 25 | 465 | 587, login?: Login): Promise<SmtpClient>;
  imap(user: string, gate?: 993 | 143): Promise<ImapClient>;
  pop3(user: string, gate?: 995 | 110): Promise<Pop3Client>;
  /** Submits by nodemailer, as one of the accounts. */
  submit(user: string, mail: SendMailOptions, gate?: 465 | 587): Promise<void>;
  /** A connected imapflow; log out by `await using` or `logout()`. */
  flow(user: string): Promise<ImapFlow>;
  /** Octets of every message that a user has in a mailbox. */
  messages(user: string, mailbox?: string): Promise<Buffer[]>;
  /** Resolves at the first change of a topic that the predicate accepts. */
  change(topic: Topic, wanted: (change: Change) => boolean): Promise<Change>;
  /** Resolves when nothing of the queue is left. */
  queueEmpty(): Promise<void>;
  /** Stops and starts again over the same data. */
  restart(): Promise<void>;
}

/** Address of a user of the world: alice and bob are here, carol and dave there. */
export const addressOf = (user: string): string =>
  user.includes('@') ? user : `${user}@${user === 'carol' || user === 'dave' ? 'other.test' : 'example.test'}`;

export const loginOf = (user: string): Login => ({ user: addressOf(user), password: PASSWORD });

export class LiveServer implements Server {
  readonly config: Config;
  readonly wayOut: Wire;
  readonly #begin: () => Promise<RunningServer>;
  #running: RunningServer | null = null;
  readonly #followers: LiveServer[] = [];

  constructor(config: Config, wayOut: Wire, begin: () => Promise<RunningServer>) {
    this.config = config;
    this.wayOut = wayOut;
    this.#begin = begin;
  }

  async start(): Promise<void> {
    this.#running = await this.#begin();
    for (const other of this.#followers) other.wayOut.target = this.port(25);
  }

  async restart(): Promise<void> {
    await this.running.close();
    await this.start();
  }

  /** This server's way out ends at that one's port 25, also after a restart. */
  leadsTo(other: LiveServer): void {
    other.#followers.push(this);
    this.wayOut.target = other.port(25);
  }

  get running(): RunningServer {
    if (!this.#running) throw new Error('the server has not started');
    return this.#running;
  }

  get domain(): string {
    return this.config.domains[0] ?? '';
  }

  port(gate: Gate): number {
    const { role, tls } = gates[gate];
    const listener = this.running.listeners.find((each) => each.role === role && each.tls === tls);
    const port = listener?.bound[0]?.port;
    if (port === undefined) throw new Error(`this server has no port ${gate}`);
    return port;
  }

  #door(gate: Gate): Door {
    const tls = gate === 465 || gate === 993 || gate === 995 ? 'implicit' : gate === 25 ? 'none' : 'starttls';
    return { port: this.port(gate), tls };
  }

  smtp(gate: 25 | 465 | 587, login?: Login): Promise<SmtpClient> {
    return SmtpClient.open(this.#door(gate), login);
  }

  imap(user: string, gate: 993 | 143 = 993): Promise<ImapClient> {
    return ImapClient.open(this.#door(gate), loginOf(user));
  }

  pop3(user: string, gate: 995 | 110 = 995): Promise<Pop3Client> {
    return Pop3Client.open(this.#door(gate), loginOf(user));
  }

  async submit(user: string, mail: SendMailOptions, gate: 465 | 587 = 465): Promise<void> {
    const login = loginOf(user);
    const transport = createTransport({
      host: '127.0.0.1',
      port: this.port(gate),
      secure: gate === 465,
      auth: { user: login.user, pass: login.password },
      tls: { rejectUnauthorized: false },
    });
    await transport.sendMail({ from: addressOf(user), ...mail });
    transport.close();
  }

  async flow(user: string): Promise<ImapFlow> {
    const login = loginOf(user);
    const flow = new ImapFlow({
      host: '127.0.0.1',
      port: this.port(993),
      secure: true,
      auth: { user: login.user, pass: login.password },
      tls: { rejectUnauthorized: false },
      logger: false,
    });
    await flow.connect();
    return flow;
  }

  async messages(user: string, mailbox = 'INBOX'): Promise<Buffer[]> {
    using client = await this.imap(user);
    return await client.messages(mailbox);
  }

  change(topic: Topic, wanted: (change: Change) => boolean): Promise<Change> {
    return new Promise((resolve) => {
      const stop = this.running.store.follow(topic, (change) => {
        if (!wanted(change)) return;
        stop();
        resolve(change);
      });
    });
  }

  async queueEmpty(): Promise<void> {
    const { store } = this.running;
    const settled = new Set<() => void>();
    const stop = store.follow({ kind: 'queue' }, () => {
      for (const wake of settled) wake();
    });
    try {
      for (;;) {
        const next = new Promise<void>((resolve) => settled.add(resolve));
        if ((await store.read.queue.size()) === 0) return;
        await next;
        settled.clear();
      }
    } finally {
      stop();
    }
  }
}
