// How far a long command has come (RFC 9585): said at points where a response may begin, and seldom, so that neither a
// client nor a box in between takes the silence for the end of the connection.

import type { Clock } from '../platform/clock.ts';
import { LIMIT } from './limits.ts';

interface Speaker {
  readonly clock: Clock;
  /** Of the command under way. */
  readonly tag: string;
  readonly writer: { line(text: string): void; flush(): void };
}

export class Progress {
  readonly #speaker: Speaker;
  #saidAt: number;

  constructor(speaker: Speaker) {
    this.#speaker = speaker;
    this.#saidAt = speaker.clock.now();
  }

  /** resp-text-code =/ "INPROGRESS" [SP "(" inprogress-tag SP inprogress-state ")"]
   * @param done of `goal`, in messages */
  report(done: number, goal: number): void {
    const { clock, tag, writer } = this.#speaker;
    const now = clock.now();
    if (now - this.#saidAt < LIMIT.progressTime) return;
    this.#saidAt = now;
    writer.line(`* OK [INPROGRESS ("${tag}" ${done} ${goal})] Still at it`);
    writer.flush();
  }
}
