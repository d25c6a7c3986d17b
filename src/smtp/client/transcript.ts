// What was said on a connection, for people who ask why a message did not get through: commands and replies in pairs, as
// the RFCs write them (`C:` and `S:`). Bounded; without content, and without anything of an AUTH exchange (RFC 4954).

import type { Reply } from '../../formats/refusal.ts';

/** Exchanges of the opening and of one transaction that are kept; characters of a line, lines of a reply, and characters of
 * all that is given out. */
const LIMITS = { opening: 12, transaction: 120, line: 200, replyLines: 24, characters: 4_000 } as const;
const CUT = '…';

interface Exchange {
  /** null: the other side spoke unasked, as in its greeting. */
  readonly command: string | null;
  reply: readonly string[] | null;
}

export class Transcript {
  readonly #exchanges: Exchange[] = [];
  /** Exchanges from the greeting to where MAIL can be said; null: not there yet. */
  #opening: number | null = null;
  /** The first exchange that has no reply. */
  #open = 0;
  #secret = false;

  /** Commands, with their CRLF. */
  said(text: string): void {
    for (const line of text.split('\r\n')) {
      if (line === '' || this.#full) continue;
      const auth = /^AUTH [\w-]+/i.exec(line);
      if (auth !== null) this.#secret = true;
      const shown = auth === null ? (this.#secret ? CUT : clip(line)) : `${auth[0]} ${CUT}`;
      this.#exchanges.push({ command: shown, reply: null });
    }
  }

  heard({ code, status, text }: Reply): void {
    // A server may repeat there what it was told.
    const words = this.#secret ? [CUT] : text.split('\n').slice(0, LIMITS.replyLines).map(clip);
    const front = status === undefined || this.#secret ? '' : `${status} `;
    const reply = words.map((line, at) => `${code}${at === words.length - 1 ? ' ' : '-'}${front}${line}`);
    const open = this.#exchanges[this.#open];
    if (open !== undefined) open.reply = reply;
    else if (!this.#full) this.#exchanges.push({ command: null, reply });
    if (open !== undefined || !this.#full) this.#open++;
    if (code !== 334) this.#secret = false;
  }

  /** A transaction begins: the one before is forgotten, the opening is not. */
  begin(): void {
    this.#opening ??= this.#exchanges.length;
    this.#exchanges.length = Math.min(this.#exchanges.length, this.#opening);
    this.#open = this.#exchanges.length;
  }

  /** The opening and the transaction, of whose recipients only one. @param rcpt its command without parameters, or null */
  lines(rcpt: string | null): readonly string[] {
    const own = rcpt === null ? null : clip(rcpt);
    const isAnothers = (command: string): boolean =>
      own !== null && command.startsWith('RCPT ') && command !== own && !command.startsWith(`${own} `);
    const lines = this.#exchanges
      .filter(({ command }) => command === null || !isAnothers(command))
      .flatMap(({ command, reply }) => [
        ...(command === null ? [] : [`C: ${command}`]),
        ...(reply ?? []).map((line) => `S: ${line}`),
      ]);
    let characters = 0;
    const end = lines.findIndex((line) => {
      characters += line.length;
      return characters > LIMITS.characters;
    });
    return end < 0 ? lines : [...lines.slice(0, end), CUT];
  }

  get #full(): boolean {
    return this.#exchanges.length >= (this.#opening === null ? LIMITS.opening : this.#opening + LIMITS.transaction);
  }
}

function clip(line: string): string {
  return line.length > LIMITS.line ? `${line.slice(0, LIMITS.line)}${CUT}` : line;
}
