// Addresses as SMTP's envelope carries them (RFC 5321 §4.1.2). Values and their grammar only: who is local is the
// directory's business, what a header says is header.ts's.

/** A mailbox of RFC 5321 §4.1.2. `localPart` is unquoted and keeps its case; `domain` is lower case, an A-label or
 * U-label name, or an address literal with its brackets; it is empty only for the bare `<Postmaster>` (§4.1.1.3). */
export interface Address {
  readonly localPart: string;
  readonly domain: string;
}

/** The reverse-path of MAIL FROM; `null` is the null path `<>` (RFC 5321 §4.5.5). */
export type ReversePath = Address | null;
