// What becomes of messages to other servers, as the log of the program tells it (PORTS.md H1): the first word on each
// recipient, and how well the hop was protected.

/** A line of the log about a recipient at the hop MTA→MTA. */
export interface Word {
  readonly msg: string;
  readonly rung?: string;
  /** Protocol and cipher; null: in clear. */
  readonly tls?: string | null;
  readonly certificate?: string;
  readonly status?: string;
  readonly text?: string;
}

/** What came of it at which rung, and over which version of TLS (`clear`: none) where it was delivered. */
export type Fate = readonly [msg: 'delivered', rung: string, over: string] | readonly [msg: string, rung: string];

export class Fates {
  readonly #words = new Map<string, Word>();
  readonly #waiting = new Map<string, () => void>();

  /** Takes each line of standard output. */
  readonly hear = (line: string): void => {
    if (!line.startsWith('{')) return;
    const entry = JSON.parse(line); // pino writes an object a line
    if (entry.hop !== 'MTA→MTA' || typeof entry.recipient !== 'string' || this.#words.has(entry.recipient)) return;
    this.#words.set(entry.recipient, entry);
    this.#waiting.get(entry.recipient)?.();
  };

  /** The first word on a recipient, when it is there. */
  async wordOn(recipient: string): Promise<Word> {
    if (!this.#words.has(recipient)) await new Promise<void>((resolve) => this.#waiting.set(recipient, resolve));
    return this.#words.get(recipient) ?? { msg: '' };
  }

  async of(recipient: string): Promise<Fate> {
    const { msg, rung = '', tls } = await this.wordOn(recipient);
    return msg === 'delivered' ? [msg, rung, tls?.split(' ')[0] ?? 'clear'] : [msg, rung];
  }
}
