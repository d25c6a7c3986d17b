// The content of a transaction on its way out: behind DATA, with dots stuffed (RFC 5321 §4.5.2), or in chunks behind BDAT
// (RFC 3030 §2). Read as fast as the server takes it, and never ended where it is not whole.

import type { Reply } from '../../formats/refusal.ts';
import type { Channel } from './channel.ts';
import type { Content } from './content.ts';
import { DotStuffer } from './dot-stuffing.ts';
import { TIME_LIMITS } from './time-limits.ts';

/** Octets that one write gathers before they go to the socket. */
const GATHER = 65_536;
/** Octets of a chunk: so much is sent at most to a server that is about to say no. */
const CHUNK = 4_194_304;

/** Sends the content and its end; null: only the end, since nobody is to have it (RFC 2920 §3.1). */
export async function sendData(channel: Channel, content: Content | null): Promise<Reply> {
  if (content === null) {
    channel.write('.\r\n');
    return channel.answer(TIME_LIMITS.end);
  }
  const stuffer = new DotStuffer();
  const flow = new Flow(channel);
  for await (const piece of content.open()) {
    const early = await flow.write(stuffer.push(piece));
    if (early !== null) return early;
  }
  const early = givenUp(channel);
  if (early !== null) return early;
  channel.write(stuffer.finish());
  flow.end();
  return channel.answer(TIME_LIMITS.end);
}

/**
 * Sends the content in chunks, each behind the 250 to the one before. The last piece waits until the content has ended, so
 * that no server takes the message before that.
 * @returns the last reply: of 300 or more for a chunk that was not taken, behind which no other was sent
 * @throws Error where the content has not the size that it says
 */
export async function sendChunks(channel: Channel, content: Content): Promise<Reply> {
  const flow = new Flow(channel);
  let unannounced = content.size;
  let room = 0;
  let announced = false;
  const put = async (piece: Uint8Array): Promise<Reply | null> => {
    for (let at = 0; at < piece.length; ) {
      if (room === 0) {
        if (unannounced === 0) throw new Error('a content is longer than it says');
        if (announced) {
          flow.end();
          const reply = await channel.answer(TIME_LIMITS.end);
          if (reply.code >= 300) return reply;
        }
        announced = true;
        room = Math.min(CHUNK, unannounced);
        unannounced -= room;
        flow.begin(`BDAT ${room}${unannounced === 0 ? ' LAST' : ''}\r\n`);
      }
      const part = piece.subarray(at, at + room);
      at += part.length;
      room -= part.length;
      const early = await flow.write(part);
      if (early !== null) return early;
    }
    return null;
  };
  let held: Uint8Array | null = null;
  for await (const piece of content.open()) {
    const reply = held === null ? null : await put(held);
    if (reply !== null) return reply;
    held = piece;
  }
  const reply = held === null ? null : await put(held);
  if (reply !== null) return reply;
  if (room + unannounced > 0) throw new Error('a content is shorter than it says');
  if (!announced) channel.write('BDAT 0 LAST\r\n');
  flow.end();
  return channel.answer(TIME_LIMITS.end);
}

/** Writes that leave together, as fast as the server takes them. */
class Flow {
  readonly #channel: Channel;
  #gathered = 0;
  #held = false;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  begin(line: string): void {
    this.#hold();
    this.#channel.write(line);
  }

  /** @returns what the server has said instead of listening; null: nothing. @throws ConnectionFailure */
  async write(octets: Uint8Array): Promise<Reply | null> {
    const channel = this.#channel;
    this.#hold();
    const room = channel.write(octets);
    this.#gathered += octets.length;
    if (this.#gathered < GATHER) return null;
    this.#gathered = 0;
    this.end();
    if (!room) await channel.drained(TIME_LIMITS.block);
    return givenUp(channel);
  }

  /** What was written leaves. */
  end(): void {
    if (this.#held) this.#channel.release();
    this.#held = false;
  }

  #hold(): void {
    if (!this.#held) this.#channel.hold();
    this.#held = true;
  }
}

/** The server's answer if it gave one before the end of the content; the connection is then given up, since ending the
 * content would make a part of it look whole. @throws ConnectionFailure */
function givenUp(channel: Channel): Reply | null {
  const early = channel.early();
  if (early === undefined) {
    if (channel.failure !== undefined) throw channel.failure;
    return null;
  }
  channel.destroy();
  return early.code >= 400 ? early : { code: 451, text: `the server said ${early.code} before the end of the content` };
}
