// What SEARCH knows of a message: its row, then its header, then its body, as far as they have been read.

import type { SearchedHeader } from './searched-header.ts';

/** What is known of a message without reading it. A `MessageRow` has most of it. */
export interface SearchMessage {
  readonly sequence: number;
  readonly uid: number;
  /** Bits of `Flag`. */
  readonly flags: number;
  readonly keywords: readonly string[];
  readonly recent: boolean;
  readonly modSeq: number;
  readonly emailId: string;
  readonly threadId: string;
  /** ms since the epoch. */
  readonly saveDate: number;
  /** ms since the epoch, and the minutes of its zone. */
  readonly internalDate: number;
  readonly internalZone: number;
  /** Octets of prefix and body, of prefix and header, and of the prefix. */
  readonly size: number;
  readonly headerSize: number;
  readonly prefixSize: number;
}

/** What is known of a message so far. */
export interface Evidence {
  readonly message: SearchMessage;
  /** null: not read yet. */
  readonly header: SearchedHeader | null;
  /** Needles found in the body so far; null: not begun. */
  readonly found: ReadonlySet<string> | null;
  /** The body has been read to its end. */
  readonly complete: boolean;
}

export type Judge = (evidence: Evidence) => boolean | null;
