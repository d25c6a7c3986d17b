// Cuts a stream of octets into commands (RFC 3501 §2.2.1), with their literals (§4.3, RFC 7888), however the octets
// arrive. Pure and bounded: it never waits, and it stays in step with the client whatever the client sends, by dropping
// what belongs to a command that was refused. Knows no command: `parse` is the caller's.

import { Gathered, OctetQueue } from '../../formats/octet-queue.ts';
import { bad, ImapRefusal, no } from '../completion.ts';
import { LIMIT } from '../limits.ts';
import { type LiteralHead, LiteralWanted, Scanner } from './scanner.ts';

/** `line`: octets of text in one command; `literal`: octets of all its string literals. */
interface ReaderLimits {
  readonly line: number;
  readonly literal: number;
}

export type Step<T> =
  /** Needs more octets. */
  | { readonly kind: 'more' }
  /** The client waits for a continuation request (RFC 3501 §7.5); then go on. */
  | { readonly kind: 'continue' }
  /** A command. With `message` its last argument is a literal to be had by `takeMessage`. */
  | { readonly kind: 'command'; readonly value: T; readonly message: LiteralHead | null }
  | { readonly kind: 'refused'; readonly refusal: ImapRefusal }
  /** The client cannot be followed any further: the connection must end. */
  | { readonly kind: 'lost'; readonly text: string };

type LineStep =
  | { readonly kind: 'more' }
  | { readonly kind: 'line'; readonly line: string }
  | { readonly kind: 'lost'; readonly text: string };

type Mode = 'line' | 'literal' | 'message' | 'skip-literal' | 'skip-line';

const MORE = { kind: 'more' } as const;
/** Enough of a dropped line to see a literal announced at its end. */
const ANNOUNCEMENT = 24;

/** The octets of a non-synchronising literal announced at the end of the line; null: none. */
function pipelinedLiteral(line: Buffer): number | null {
  const announced = /\{(\d+)\+\}\r?\n$/.exec(line.toString('latin1', Math.max(0, line.length - ANNOUNCEMENT)));
  return announced ? Number(announced[1]) : null;
}

export class CommandReader {
  limits: ReaderLimits;
  readonly #queue = new OctetQueue();
  readonly #text = new Gathered();
  #mode: Mode = 'line';
  /** Octets still to come of a literal that is taken, streamed or dropped. */
  #remaining = 0;
  /** Where the line begins in the text: behind the last literal, which may end in what looks like an announcement. */
  #lineStart = 0;
  #literals = 0;
  #literalOctets = 0;
  #skipped = 0;
  #refusal: ImapRefusal | null = null;

  constructor(limits: ReaderLimits) {
    this.limits = limits;
  }

  /** Octets that wait to be parsed. */
  get unread(): number {
    return this.#queue.length;
  }

  push(chunk: Buffer): void {
    this.#queue.push(chunk);
  }

  /** Forgets everything: what was sent in clear behind STARTTLS must not be executed (RFC 3501 §6.2.1). */
  discard(): void {
    this.#queue.clear();
    this.#reset();
  }

  /**
   * The next command, as far as the octets go.
   * @param parse reads one whole command and returns its value. It is called again from the start when a literal has
   *   arrived, and so refuses a command before the client has sent what nobody will read.
   */
  next<T>(parse: (scanner: Scanner) => T): Step<T> {
    for (;;) {
      if (this.#skipped > LIMIT.skipped)
        return { kind: 'lost', text: 'Too much was sent for a command that was refused' };
      switch (this.#mode) {
        case 'message':
          throw new Error('the message of the command before has not been taken');
        case 'literal':
          if (!this.#gatherLiteral()) return MORE;
          break;
        case 'skip-literal':
          if (!this.#dropLiteral()) return MORE;
          break;
        case 'skip-line': {
          const dropped = this.#dropLine();
          if (dropped === 'more') return MORE;
          if (dropped === 'go on') break;
          const refusal = this.#refusal ?? bad('The command is too long');
          this.#reset();
          return { kind: 'refused', refusal };
        }
        case 'line': {
          const line = this.#gatherLine();
          if (line === 'more') return MORE;
          if (line === 'too long') {
            this.#begin(parse);
            this.#refuse(bad('The command is too long', 'TOOBIG'));
            break;
          }
          const step = this.#parse(parse);
          if (step) return step;
        }
      }
    }
  }

  /** The next line, without its line end, as it is: a response of AUTHENTICATE, or DONE. */
  nextLine(max: number): LineStep {
    const limits = this.limits;
    this.limits = { line: max, literal: 0 };
    try {
      const line = this.#gatherLine();
      if (line === 'more') return MORE;
      if (line === 'too long') return { kind: 'lost', text: 'The line is too long' };
      const text = this.#text.octets.toString('latin1').replace(/\r?\n$/, '');
      this.#reset();
      return { kind: 'line', line: text };
    } finally {
      this.limits = limits;
    }
  }

  /** Octets of the message literal that are still to be taken. */
  get messageRemaining(): number {
    return this.#mode === 'message' ? this.#remaining : 0;
  }

  /** Part of the message literal; empty: more octets are needed. Once `messageRemaining` is 0, `next` reads on behind the
   * literal: with a parser for what may follow there. */
  takeMessage(): Buffer {
    if (this.#mode !== 'message') throw new Error('no message literal is announced');
    const part = this.#queue.take(this.#remaining);
    this.#remaining -= part.length;
    if (this.#remaining === 0) this.#mode = 'line';
    return part;
  }

  /** The message literal is not wanted. `sending`: its octets come nevertheless, and are dropped with what follows; then
   * `next` says so by refusing with `refusal`. */
  dropMessage(sending: boolean, refusal: ImapRefusal): void {
    const remaining = this.#remaining;
    const unfinished = this.#mode === 'message';
    this.#reset();
    if (!sending) return;
    this.#refusal = refusal;
    if (unfinished) this.#skipLiteral(remaining);
    else this.#mode = 'skip-line';
  }

  #parse<T>(parse: (scanner: Scanner) => T): Step<T> | null {
    const scanner = new Scanner(this.#text.octets);
    try {
      const value = parse(scanner);
      const message = scanner.streamed;
      if (!message) scanner.end();
      this.#reset();
      if (message) {
        this.#remaining = message.octets;
        this.#mode = message.octets === 0 ? 'line' : 'message';
      }
      return { kind: 'command', value, message };
    } catch (error) {
      if (error instanceof LiteralWanted) return this.#expectLiteral(error.announced);
      if (!(error instanceof ImapRefusal)) throw error;
      return this.#refuseAtLineEnd(error);
    }
  }

  /** The caller learns what it can of a command that will be refused: its tag. */
  #begin<T>(parse: (scanner: Scanner) => T): void {
    try {
      parse(new Scanner(this.#text.octets));
    } catch (error) {
      if (!(error instanceof ImapRefusal || error instanceof LiteralWanted)) throw error;
    }
  }

  #expectLiteral(announced: LiteralHead): { kind: 'continue' } | { kind: 'refused'; refusal: ImapRefusal } | null {
    if (this.#literalOctets + announced.octets > this.limits.literal) {
      return this.#refuseAtLineEnd(no('The literal is too large', 'TOOBIG'));
    }
    if (++this.#literals > LIMIT.literalsInCommand) {
      return this.#refuseAtLineEnd(bad('The command has too many literals'));
    }
    this.#literalOctets += announced.octets;
    this.#remaining = announced.octets;
    this.#mode = 'literal';
    return announced.synchronising ? { kind: 'continue' } : null;
  }

  /** RFC 7888 §4: a refused literal that does not synchronise comes all the same, and has to be read. */
  #refuseAtLineEnd(refusal: ImapRefusal): { kind: 'refused'; refusal: ImapRefusal } | null {
    const coming = pipelinedLiteral(this.#text.octets.subarray(this.#lineStart));
    this.#reset();
    if (coming === null) return { kind: 'refused', refusal };
    this.#refusal = refusal;
    this.#skipLiteral(coming);
    return null;
  }

  /** The line at hand is dropped to its end. */
  #refuse(refusal: ImapRefusal): void {
    const tail = Buffer.from(this.#text.octets.subarray(this.#lineStart).subarray(-ANNOUNCEMENT));
    this.#reset();
    this.#text.add(tail);
    this.#refusal = refusal;
    this.#mode = 'skip-line';
  }

  #gatherLine(): 'line' | 'more' | 'too long' {
    const bound = this.limits.line + this.#literalOctets;
    for (;;) {
      const part = this.#queue.takeLinePart(bound + 1 - this.#text.length);
      if (part.length === 0) return 'more';
      this.#text.add(part);
      if (part[part.length - 1] === 0x0a) return 'line';
      if (this.#text.length > bound) return 'too long';
    }
  }

  #gatherLiteral(): boolean {
    while (this.#remaining > 0) {
      const part = this.#queue.take(this.#remaining);
      if (part.length === 0) return false;
      this.#text.add(part);
      this.#remaining -= part.length;
    }
    this.#lineStart = this.#text.length;
    this.#mode = 'line';
    return true;
  }

  #dropLiteral(): boolean {
    while (this.#remaining > 0) {
      const part = this.#queue.take(this.#remaining);
      if (part.length === 0) return false;
      this.#remaining -= part.length;
      this.#skipped += part.length;
    }
    this.#mode = 'skip-line';
    return true;
  }

  /** Drops to the end of the line, whose tail is kept to see whether a pipelined literal follows. */
  #dropLine(): 'more' | 'go on' | 'end' {
    for (;;) {
      const part = this.#queue.takeLinePart(LIMIT.unread);
      if (part.length === 0) return 'more';
      this.#skipped += part.length;
      const tail = Buffer.concat([this.#text.octets, part.subarray(-ANNOUNCEMENT)]).subarray(-ANNOUNCEMENT);
      this.#text.clear();
      this.#text.add(tail);
      if (part[part.length - 1] !== 0x0a) {
        if (this.#skipped > LIMIT.skipped) return 'go on';
        continue;
      }
      const coming = pipelinedLiteral(tail);
      if (coming === null) return 'end';
      this.#text.clear();
      this.#skipLiteral(coming);
      return 'go on';
    }
  }

  #skipLiteral(octets: number): void {
    this.#mode = 'skip-literal';
    this.#remaining = octets;
    if (octets > LIMIT.skipped) this.#skipped = Number.POSITIVE_INFINITY;
  }

  #reset(): void {
    this.#text.clear();
    this.#lineStart = 0;
    this.#mode = 'line';
    this.#remaining = 0;
    this.#literals = 0;
    this.#literalOctets = 0;
    this.#skipped = 0;
    this.#refusal = null;
  }
}
