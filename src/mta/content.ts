// The content of a message on its way into the store: the header is gathered and judged, something is put in front or in
// its place, and the body streams through in bounded memory (RFC 5321 §4.1.1.4, §6.3). A small message is one write.

import { asBuffer, HeaderBlock, type HeaderField, parseHeader, parseHeaderText } from '../formats/header.ts';
import { Refusal } from '../formats/refusal.ts';
import type { StagedBody } from '../store/commands.ts';
import { factsOf } from '../store/facts.ts';
import type { BodyFacts } from '../store/rows.ts';
import type { Staging } from '../store/store.ts';

/** Octets that an operator allows. */
export interface ContentLimits {
  readonly messageSize: number;
  readonly headerSize: number;
}

/** A header as it arrived. */
export interface ArrivedHeader {
  /** With its empty line, if there was one before the content's end. */
  readonly octets: Uint8Array;
  readonly fields: readonly HeaderField[];
}

export interface StagedContent {
  readonly body: StagedBody;
  /** Of what is stored, which is not what arrived: fields were put in front at least. */
  readonly facts: BodyFacts;
}

/** What an agent sees of a message on its way, as it is stored, to put something in front of it at the end. */
export interface Witness {
  /** Once, before the body: the header with its empty line, if there is one. */
  header(stored: ArrivedHeader): void;
  /** The next octets behind it. They are not to be kept. */
  body(octets: Uint8Array): void;
}

/** RFC 5321 §6.3: more hops than this are a loop. */
const HOPS = 100;
/** Octets gathered for one write. */
const PIECE = 64 * 1024;

/**
 * Stages a message.
 * @param content chunks that nobody will write to again
 * @param replace makes the header that is stored of the one that arrived; may throw a Refusal
 * @param witness sees all that is stored
 * @throws Refusal for a header or message over its limit, or a loop; StoreError; whatever `content` throws. The caller
 *   discards `staging` then.
 */
export async function stageContent(
  content: AsyncIterable<Uint8Array>,
  staging: Staging,
  limits: ContentLimits,
  replace: (header: ArrivedHeader) => Uint8Array,
  witness: Witness | null = null,
): Promise<StagedContent> {
  const block = new HeaderBlock(limits.headerSize);
  let facts: BodyFacts | undefined;
  let pieces: Uint8Array[] = [];
  let gathered = 0;
  let size = 0;
  const gather = (piece: Uint8Array) => {
    pieces.push(piece);
    gathered += piece.length;
  };
  const flush = () => {
    const [only] = pieces;
    const whole = only !== undefined && pieces.length === 1 ? only : Buffer.concat(pieces, gathered);
    pieces = [];
    gathered = 0;
    return staging.write(whole);
  };
  const endHeader = () => {
    const octets = block.bytes;
    const fields = parseHeader(octets);
    refuseLoop(fields);
    const stored = replace({ octets, fields });
    const { fields: kept, end } = parseHeaderText(asBuffer(stored).toString('latin1'));
    facts = factsOf(kept, end);
    gather(stored);
    gather(block.rest);
    witness?.header({ octets: asBuffer(stored).subarray(0, end), fields: kept });
    witness?.body(asBuffer(stored).subarray(end));
    witness?.body(block.rest);
  };
  for await (const chunk of content) {
    size += chunk.length;
    if (size > limits.messageSize) throw tooLarge(limits.messageSize);
    if (facts !== undefined) {
      gather(chunk);
      witness?.body(chunk);
    } else if (block.push(chunk)) endHeader();
    else if (block.overflow) throw headerTooLarge(limits.headerSize);
    if (gathered >= PIECE) await flush();
  }
  // RFC 5322 §3.5: a message may be all header.
  if (facts === undefined) endHeader();
  await flush();
  // The compiler does not see that endHeader has run.
  return { body: staging.finish(), facts: facts as unknown as BodyFacts };
}

function refuseLoop(fields: readonly HeaderField[]): void {
  let hops = 0;
  for (const field of fields) if (field.is('received')) hops++;
  if (hops > HOPS) throw new Refusal(554, '5.4.6', 'Too many hops: a mail loop', `${hops} Received fields`);
}

/** @param limit octets */
export function tooLarge(limit: number): Refusal {
  return new Refusal(552, '5.3.4', `Message exceeds the maximum size of ${limit} octets`);
}

/** Refused and never cut: half a header is another message. */
function headerTooLarge(limit: number): Refusal {
  return new Refusal(552, '5.3.4', `Header exceeds the maximum size of ${limit} octets`);
}
