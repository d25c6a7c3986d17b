// A message literal on its way in: octets from the reader as they come, never the whole (RFC 3501 §6.3.11, RFC 7888). One
// command may bring several, one behind the other (RFC 3502).

import { Farewell, type IncomingMessage } from './commands/command.ts';
import type { CommandReader } from './grammar/command-reader.ts';
import type { LiteralHead, Scanner } from './grammar/scanner.ts';

/** What it needs of its session: to invite, and to wait for octets. */
interface Sender {
  invite(): void;
  wait(): Promise<void>;
}

export class MessageLiteral implements IncomingMessage {
  #octets: number;
  #literal8: boolean;
  readonly #reader: CommandReader;
  readonly #sender: Sender;
  /** The client sends, or has sent, the octets. */
  #sending: boolean;
  #ended = false;

  constructor(head: LiteralHead, reader: CommandReader, sender: Sender) {
    this.#octets = head.octets;
    this.#literal8 = head.literal8;
    this.#sending = !head.synchronising;
    this.#reader = reader;
    this.#sender = sender;
  }

  get octets(): number {
    return this.#octets;
  }

  get literal8(): boolean {
    return this.#literal8;
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

  async next<T>(parse: (scanner: Scanner) => T): Promise<T> {
    for (;;) {
      const step = this.#reader.next(parse);
      switch (step.kind) {
        case 'more':
          await this.#sender.wait();
          break;
        case 'continue':
          this.#sender.invite();
          break;
        case 'command':
          if (step.message === null) {
            this.#ended = true;
          } else {
            this.#octets = step.message.octets;
            this.#literal8 = step.message.literal8;
            this.#sending = !step.message.synchronising;
          }
          return step.value;
        case 'refused':
          this.#ended = true;
          throw step.refusal;
        case 'lost':
          throw new Farewell(step.text);
      }
    }
  }
}
