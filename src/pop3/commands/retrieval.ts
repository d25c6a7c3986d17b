// RETR (RFC 1939 §5) and TOP (RFC 1939 §7): messages, streamed from the store in bounded memory.

import type { MessageRow } from '../../store/rows.ts';
import type { Reads } from '../../store/store.ts';
import { LIMIT } from '../limits.ts';
import { misspoken, ok } from '../reply.ts';
import { command, numeral, oneMessage, type Session, TRANSACTION, words } from './command.ts';

/** "RETR" SP msg */
export const retr = command({
  name: 'RETR',
  states: TRANSACTION,
  grammar: oneMessage,
  async run(session, number) {
    const row = await session.maildrop.message(number);
    return ok(`${row.lineSize} octets`, whole(session, row));
  },
});

/** What comes behind the last octet is done when the client was sent it all. */
async function* whole(session: Session, row: MessageRow): AsyncGenerator<Uint8Array> {
  yield* octetsOf(session.store.read, row);
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
    return ok('The top follows', beginning(session.store.read, row, lines));
  },
});

const LF = 0x0a;

/** The header, its empty line, and so many lines of the body. */
async function* beginning(read: Reads, row: MessageRow, lines: number): AsyncGenerator<Uint8Array> {
  let header = row.headerSize;
  let left = lines;
  for await (const piece of octetsOf(read, row, left === 0 ? row.headerSize : row.size)) {
    let at = Math.min(header, piece.length);
    header -= at;
    if (header > 0) {
      yield piece;
      continue;
    }
    while (left > 0 && at < piece.length) {
      const lineEnd = piece.indexOf(LF, at);
      if (lineEnd >= 0) left--;
      at = lineEnd < 0 ? piece.length : lineEnd + 1;
    }
    yield piece.subarray(0, at);
    if (left === 0) return;
  }
}

/** The first `length` octets of a message: those in front of the body that only this recipient has, and the body's. */
async function* octetsOf(read: Reads, row: MessageRow, length: number = row.size): AsyncGenerator<Uint8Array> {
  const { prefix, body } = row;
  if (prefix.length > 0) yield prefix.subarray(0, length);
  const end = length - prefix.length;
  for (let at = 0; at < end; ) {
    const piece = await read.body(body, at, Math.min(LIMIT.bodyChunk, end - at));
    if (piece.length === 0) throw new Error('a body ended before its size');
    yield piece;
    at += piece.length;
  }
}
