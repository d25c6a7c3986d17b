// What the store wants to know of a body's header: how long it is, and which messages it names (RFC 5322 §3.6.4).
// Computed by whoever accepts a message, on its own thread; the writer never parses.

import { type HeaderField, parseHeaderText } from '../formats/header.ts';
import { messageIds } from '../formats/message-id.ts';
import { asBuffer } from '../formats/octets.ts';
import type { BodyFacts } from './rows.ts';

/** Ancestors that are told to the store: the nearest ones. */
const MOST_REFERENCES = 50;

/** The facts of a body. @param header its octets from the first on, at least up to the empty line after the header */
export function bodyFacts(header: Uint8Array): BodyFacts {
  const { fields, end } = parseHeaderText(asBuffer(header).toString('latin1'));
  return factsOf(fields, end);
}

/** As bodyFacts, for those who have parsed the header. @param headerSize octets, with the empty line */
export function factsOf(fields: readonly HeaderField[], headerSize: number): BodyFacts {
  let messageId: string | null = null;
  let parents: readonly string[] = [];
  let ancestors: readonly string[] = [];
  for (const field of fields) {
    switch (field.name.length) {
      case 10:
        if (messageId === null && field.is('message-id')) messageId = messageIds(field.octets, 1)[0] ?? null;
        else if (field.is('references')) ancestors = messageIds(field.octets, MOST_REFERENCES);
        break;
      case 11:
        if (field.is('in-reply-to')) parents = messageIds(field.octets, MOST_REFERENCES);
        break;
    }
  }
  // RFC 5322 §3.6.4: the last of References is the parent; In-Reply-To is nearer only where References lacks it.
  const nearer = parents.filter((id) => !ancestors.includes(id));
  return { headerSize, messageId, references: [...ancestors, ...nearer].slice(-MOST_REFERENCES) };
}
