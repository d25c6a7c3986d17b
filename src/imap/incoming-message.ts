// A message literal on its way in: octets from the reader as they come, never the whole (RFC 3501 §6.3.11, RFC 7888).

import type { IncomingMessage } from './commands/command.ts';
import type { CommandReader } from './grammar/command-reader.ts';
import type { LiteralHead } from './grammar/scanner.ts';

/** What it needs of its session: to invite, and to wait for octets. */
interface Sender {
  invite(): void;
  wait(): Promise<void>;
}

export class MessageLiteral implements IncomingMessage {
  readonly octets: number;
  readonly #reader: CommandReader;
  readonly #sender: Sender;
  /** The client sends, or has sent, the octets. */
  #sending: boolean;
  #ended = false;

  constructor(head: LiteralHead, reader: CommandReader, sender: Sender) {
    this.octets = head.octets;
    this.#sending = !head.synchronising;
    this.#reader = reader;
    this.#sender = sender;
  }

  get sending(): boolean {
    return this.#sending;
  }

  /** The command has been read to its end. */
  get ended(): boolean {
    return this.#ended;
  }

  async read(): Promise<Buffer | null> {
    if (!this.#sending) {
      this.#sending = true;
      this.#sender.invite();
    }
    while (this.#reader.messageRemaining > 0) {
      const part = this.#reader.takeMessage();
      if (part.length > 0) return part;
      await this.#sender.wait();
    }
    return null;
  }

  async end(): Promise<void> {
    for (;;) {
      // Nothing may follow: the parser takes nothing, and the reader wants the end of the line.
      const step = this.#reader.next(() => null);
      if (step.kind === 'more') {
        await this.#sender.wait();
        continue;
      }
      this.#ended = true;
      if (step.kind === 'refused') throw step.refusal;
      return;
    }
  }
}
