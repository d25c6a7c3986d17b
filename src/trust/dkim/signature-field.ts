// The DKIM-Signature field (RFC 6376 §3.5): its tags, folded, and the octets that are signed (RFC 6376 §3.7). What signs
// them comes in as a function; nothing here knows a key.

import { relaxedField, type SignedField } from './signed-fields.ts';

export interface SignatureFacts {
  /** RSA: RFC 6376 §3.3.1; Ed25519: RFC 8463 §3. */
  readonly algorithm: 'rsa-sha256' | 'ed25519-sha256';
  /** Who takes responsibility: in A-labels. */
  readonly domain: string;
  readonly selector: string;
  readonly fields: readonly SignedField[];
  readonly bodyHash: Uint8Array;
  /** ms since the epoch. */
  readonly now: number;
}

/** A line is folded before it would be longer than this (RFC 5322 §2.1.1). */
const LINE = 76;
/** A tab is read as eight columns. */
const INDENT = 8;

/**
 * The whole field with its CRLF.
 * @param header the header that the fields of `facts` point into, as binary text
 * @param sign makes the signature of the octets that the field covers
 */
export async function signatureField(
  facts: SignatureFacts,
  header: string,
  sign: (octets: Buffer) => Promise<Uint8Array>,
): Promise<string> {
  const unsigned = `${folded(tagsOf(facts))}\r\n\tb=`;
  const covered = facts.fields.flatMap(({ field }) =>
    field === null ? [] : [`${relaxedField(header.slice(field.offset, field.offset + field.length))}\r\n`],
  );
  // RFC 6376 §3.7: the field itself comes last, with an empty `b=` and without a line end.
  const signature = await sign(Buffer.from(covered.join('') + relaxedField(unsigned), 'latin1'));
  return `${unsigned}${broken(Buffer.from(signature).toString('base64'), INDENT + 2)}\r\n`;
}

/** The tags before `b=`, in pieces between which a line may be folded. */
function tagsOf({ algorithm, domain, selector, fields, bodyHash, now }: SignatureFacts): readonly string[] {
  const names = fields.map(({ name }, index) => `${index === 0 ? ' h=' : ''}${name}`);
  return [
    ' v=1;',
    ` a=${algorithm};`,
    ' c=relaxed/relaxed;',
    ` d=${domain};`,
    ` s=${selector};`,
    ` t=${Math.floor(now / 1000)};`,
    // hdr-name *( [FWS] ":" [FWS] hdr-name ) (RFC 6376 §3.5)
    ...names.map((name, index) => name + (index === names.length - 1 ? ';' : ':')),
    ` bh=${Buffer.from(bodyHash).toString('base64')};`,
  ];
}

function folded(pieces: readonly string[]): string {
  let text = 'DKIM-Signature:';
  let column = text.length;
  for (const piece of pieces) {
    if (column + piece.length > LINE) {
      const fresh = piece.trimStart();
      text += `\r\n\t${fresh}`;
      column = INDENT + fresh.length;
    } else {
      text += piece;
      column += piece.length;
    }
  }
  return text;
}

/** base64string = ALPHADIGITPS *([FWS] ALPHADIGITPS) [ [FWS] "=" [ [FWS] "=" ] ] (RFC 6376 §2.10) */
function broken(base64: string, column: number): string {
  const first = LINE - column;
  const lines = [base64.slice(0, first)];
  for (let at = first; at < base64.length; at += LINE - INDENT) lines.push(base64.slice(at, at + LINE - INDENT));
  return lines.join('\r\n\t');
}
