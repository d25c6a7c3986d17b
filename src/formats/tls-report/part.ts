// The TLS report in a mail that was received (RFC 8460 §5.3): found by its media type, decoded, and still compressed if it
// was. Messages within the message are not looked into: a report that somebody forwards is not theirs.

import { type Entity, structureOf } from '../structure.ts';
import { transferDecoder } from '../transfer-encoding.ts';

export interface TlsReportPart {
  readonly compressed: boolean;
  readonly octets: Uint8Array;
}

/** Multiparts inside each other. */
const MAX_DEPTH = 4;

/** The first report of a message; null: there is none. */
export function tlsReportPart(message: Uint8Array): TlsReportPart | null {
  const found = find(structureOf(message), 0);
  if (found === null) return null;
  const { mime, bodyStart, end } = found;
  const decoder = transferDecoder(mime.encoding);
  const octets = Buffer.concat([decoder.decode(message.subarray(bodyStart, end)), decoder.end()]);
  return { compressed: compressionOf(mime) ?? false, octets };
}

function find(entity: Entity, depth: number): Entity | null {
  if (entity.parts === null) return compressionOf(entity.mime) === null ? null : entity;
  if (depth >= MAX_DEPTH) return null;
  for (const part of entity.parts) {
    const found = find(part, depth + 1);
    if (found !== null) return found;
  }
  return null;
}

/** Is it compressed? null: it is no report. */
function compressionOf({ type, subtype }: Entity['mime']): boolean | null {
  if (type !== 'application') return null;
  if (subtype === 'tlsrpt+gzip') return true;
  return subtype === 'tlsrpt+json' ? false : null;
}
