// The envelope of a message (RFC 5321 §2.3.1) with every MAIL and RCPT parameter that travels with it: what a session
// collects, the queue stores, and the relay says again to the next hop.

import type { Address, ReversePath } from './address.ts';

/** RFC 3461 §4.1. `never` stands alone; an absent NOTIFY is `undefined`, which is not the same as any value. */
export type Notify = 'never' | readonly ('success' | 'failure' | 'delay')[];

/** Parameters of MAIL FROM. A field is absent when the client did not say it. */
export interface MailParameters {
  /** SIZE, in octets as the client declares them (RFC 1870 §5). */
  readonly size?: number;
  /** BODY (RFC 6152 §2, RFC 3030 §3). */
  readonly body?: '7BIT' | '8BITMIME' | 'BINARYMIME';
  readonly smtputf8?: boolean;
  /** RET and ENVID (RFC 3461 §4.3, §4.4); ENVID is xtext-decoded. */
  readonly ret?: 'FULL' | 'HDRS';
  readonly envid?: string;
  /** ENVID as it was said, where we would write it otherwise: the next hop gets the same (RFC 3461 §5.2.1). */
  readonly envidXtext?: string;
  /** RFC 8689 §2: every hop of the way must be protected. */
  readonly requiretls?: boolean;
  /** Parameters of extensions that a listener does not know yet are refused with 555, so none is here. */
  /** Not said by a client: the header has `TLS-Required: No` (RFC 8689 §3). */
  readonly tlsOptional?: boolean;
  /** Submitted for later delivery: ms since the epoch (RFC 4865). */
  readonly holdUntil?: number;
  /** How that was asked for, `for;SECONDS` or `until;DATE`, which a report tells (RFC 4865 §5.1.2). */
  readonly holdRequest?: string;
  /** DELIVERBY (RFC 2852): deadline in ms since the epoch and what to do then. */
  readonly deliverBy?: { readonly at: number; readonly mode: 'N' | 'R'; readonly trace: boolean };
  /** MT-PRIORITY (RFC 6710), -9 to 9. */
  readonly priority?: number;
}

/** Parameters of RCPT TO. */
export interface RcptParameters {
  readonly notify?: Notify;
  /** ORCPT as `type;address`, xtext-decoded (RFC 3461 §4.2). */
  readonly orcpt?: string;
  /** Its xtext as it was said, where we would write it otherwise (RFC 3461 §5.2.1). */
  readonly orcptXtext?: string;
}

/** One recipient of an envelope. */
export interface Recipient {
  readonly address: Address;
  readonly parameters: RcptParameters;
}

/** The whole envelope of one transaction. */
export interface Envelope {
  readonly reversePath: ReversePath;
  readonly parameters: MailParameters;
  readonly recipients: readonly Recipient[];
}
