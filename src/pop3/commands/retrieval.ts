// RETR (RFC 1939 §5) and TOP (RFC 1939 §7): messages, streamed from the store in bounded memory. To a client that has not
// said UTF8, an internationalized message goes with a surrogate of its header (RFC 6856 §2.1, RFC 6858).

import { surrogateHeader } from '../../formats/surrogate-header.ts';
import { readOctets } from '../../store/message-octets.ts';
import type { MessageRow } from '../../store/rows.ts';
import type { Reads } from '../../store/store.ts';
import { LIMIT } from '../limits.ts';
import { misspoken, ok, refusal } from '../reply.ts';
import { command, numeral, oneMessage, type Session, TRANSACTION, words } from './command.ts';

/** "RETR" SP msg. LIST told the size of the message itself, not of a surrogate: RFC 6856 §2.1 has a SHOULD for that, and
 * to keep it every header would have to be read at LIST. */
export const retr = command({
  name: 'RETR',
  states: TRANSACTION,
  grammar: oneMessage,
  async run(session, number) {
    const row = await session.maildrop.message(number);
    const surrogate = await surrogateFor(session, row);
    return ok(surrogate ? 'A surrogate follows' : `${row.lineSize} octets`, whole(session, row, surrogate));
  },
});

/** What comes behind the last octet is done when the client was sent it all. */
async function* whole(
  session: Session,
  row: MessageRow,
  surrogate: Buffer<ArrayBuffer> | null,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  if (surrogate) yield surrogate;
  yield* octetsOf(session.store.read, row, surrogate ? row.headerSize : 0, row.size);
  session.passed.messages++;
  session.passed.octets += row.size;
  session.maildrop.retrieved(row);
}

/** "TOP" SP msg SP n. A look at a message, not a retrieval: it does not become \Seen. */
export const top = command({
  name: 'TOP',
  states: TRANSACTION,
  grammar(rest) {
    const [number, lines, more] = words(rest);
    if (number === undefined || lines === undefined || more !== undefined) {
      throw misspoken('TOP takes the number of a message and a number of lines');
    }
    return { number: numeral(number), lines: numeral(lines) };
  },
  async run(session, { number, lines }) {
    const row = await session.maildrop.message(number);
    return ok('The top follows', beginning(session.store.read, row, await surrogateFor(session, row), lines));
  },
});

const LF = 0x0a;

/** The header, its empty line, and so many lines of the body. */
async function* beginning(
  read: Reads,
  row: MessageRow,
  surrogate: Buffer<ArrayBuffer> | null,
  lines: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  if (surrogate) yield surrogate;
  else yield* octetsOf(read, row, 0, row.headerSize);
  let left = lines;
  for await (const piece of octetsOf(read, row, row.headerSize, left === 0 ? row.headerSize : row.size)) {
    let at = 0;
    while (left > 0 && at < piece.length) {
      const lineEnd = piece.indexOf(LF, at);
      if (lineEnd >= 0) left--;
      at = lineEnd < 0 ? piece.length : lineEnd + 1;
    }
    yield piece.subarray(0, at);
    if (left === 0) return;
  }
}

/** The header for a client that takes ASCII only; null: it goes as it is. @throws Pop3Refusal for one that is too long to
 * be looked through */
async function surrogateFor(session: Session, row: MessageRow): Promise<Buffer<ArrayBuffer> | null> {
  if (session.utf8) return null;
  if (row.headerSize > LIMIT.surrogateHeader) throw refusal('The header needs UTF8', 'UTF8');
  const pieces: Uint8Array[] = [];
  for await (const piece of octetsOf(session.store.read, row, 0, row.headerSize)) pieces.push(piece);
  return surrogateHeader(Buffer.concat(pieces));
}

/** The octets `[from, to)` of a message. */
async function* octetsOf(
  read: Reads,
  row: MessageRow,
  from: number,
  to: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (let at = from; at < to; ) {
    const piece = await readOctets(read, row, at, to);
    if (piece.length === 0) throw new Error('a body ended before its size');
    // Before it is given away.
    at += piece.length;
    yield piece;
  }
}
