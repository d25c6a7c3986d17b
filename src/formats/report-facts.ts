// What a delivery report says (RFC 3464), as values: the report is written from these by report.ts and report-text.ts.

import type { Address } from './address.ts';
import type { EnhancedStatus, Reply } from './refusal.ts';

/** RFC 3464 §2.3.3. */
export type ReportAction = 'failed' | 'delayed' | 'delivered' | 'relayed' | 'expanded';

/** What happened to one recipient. Moments are ms since the epoch. */
export interface ReportedRecipient {
  readonly action: ReportAction;
  readonly recipient: Address;
  /** ORCPT as `type;address`, xtext-decoded; null: not given. */
  readonly originalRecipient: string | null;
  readonly status: EnhancedStatus;
  /** The host that answered, if one did. */
  readonly remoteMta: string | null;
  /** What it answered; null: we speak for ourselves. */
  readonly reply: Reply | null;
  /** In plain words, why: one sentence for the sender. */
  readonly text: string;
  readonly lastAttempt: number | null;
  /** For a delay: until when we try. */
  readonly willRetryUntil: number | null;
}

export interface DeliveryReport {
  /** Our host name. */
  readonly reportingMta: string;
  readonly from: Address;
  /** The reverse-path of the message that is reported on. */
  readonly to: Address;
  /** Message-ID of the report, with angle brackets. */
  readonly messageId: string;
  /** It leaves this host, and may have to be 7-bit. */
  readonly sevenBit?: boolean;
  /** Made of random letters and digits, so that the message inside does not have it; at most 60. */
  readonly boundary: string;
  /** Now, in the zone of our host (minutes east of UTC). */
  readonly time: number;
  readonly zone: number;
  readonly original: {
    readonly arrival: number;
    /** ENVID, xtext-decoded. */
    readonly envid: string | null;
    /** Without angle brackets. */
    readonly messageId: string | null;
    /** The transaction said SMTPUTF8: its header may hold UTF-8. */
    readonly utf8: boolean;
    /** The transaction said BODY=8BITMIME. */
    readonly eightBit: boolean;
    /** Until when the sender had it held and how that was asked for (RFC 4865), by when it was to be there (RFC 2852); absent:
     * no matter. */
    readonly holdUntil?: number | undefined;
    readonly holdRequest?: string | undefined;
    readonly deliverBy?: number | undefined;
    /** What is sent back: all of it, or its header. */
    readonly returned: 'FULL' | 'HDRS';
  };
  readonly recipients: readonly ReportedRecipient[];
}
