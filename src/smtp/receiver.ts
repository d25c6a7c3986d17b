// What SMTP says to the agent behind a listener: the Receiver. The MTA implements it for port 25, the MSA for 465 and
// 587. The listener knows the language and its limits; the Receiver has the opinions and says no by a Refusal.

import type { Address, ReversePath } from '../formats/address.ts';
import type { MailParameters, RcptParameters } from '../formats/envelope.ts';
import type { Reply } from '../formats/refusal.ts';
import type { ScramHash } from '../formats/scram.ts';
import type { TlsFacts } from '../platform/tls.ts';
import type { CertificateVerdict, Claim, KeptVerifier, TokenDesk, TokenVerdict } from '../sasl/mechanism.ts';

/** Who has authenticated: an account of the directory. */
export interface Identity {
  readonly accountId: number;
  /** The account's primary address, `local@domain`. */
  readonly address: string;
  /** SASL mechanism, for the log and the trace field. */
  readonly mechanism: string;
}

/** One connection, as facts. The listener keeps it up to date; a Receiver only reads it. */
export interface SmtpSession {
  /** Follows every message of this connection through log, queue and delivery: 12 letters and digits. */
  readonly id: string;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  readonly tls: TlsFacts | null;
  /** The last HELO or EHLO; `null` before one. */
  readonly hello: { readonly verb: 'HELO' | 'EHLO'; readonly name: string } | null;
  readonly identity: Identity | null;
}

/** How clients log in. Methods throw a Refusal, which is then the reply. */
export interface Authentication {
  /** What is kept for a name (RFC 5802 §3), made up for a name that is nobody's; null: nobody's password is checked. */
  readonly verifier: ((username: string, hash: ScramHash, session: SmtpSession) => Promise<KeptVerifier>) | null;
  /** Who checks tokens; null: none are taken. */
  readonly tokens:
    | (Omit<TokenDesk, 'check'> & {
        check(token: string, username: string | null, session: SmtpSession): Promise<TokenVerdict>;
      })
    | null;
  /** Whose is a certificate with these mail addresses? `username` is whose it should be; null: whoever's. */
  certified(addresses: readonly string[], username: string | null): Promise<CertificateVerdict>;
  /** What a SASL exchange ended in; never logged. */
  authenticate(claim: Claim, session: SmtpSession): Promise<Identity>;
}

/** The agent behind a listener. Each method may throw a Refusal, which is then the reply. */
export interface Receiver {
  /** AUTH (RFC 4954). Absent: the listener never offers AUTH. */
  readonly authentication?: Authentication;
  /** MAIL FROM: begins a transaction. `session` is live: read at the time of the call. */
  sender(reversePath: ReversePath, parameters: MailParameters, session: SmtpSession): Promise<Transaction>;
}

/** One mail transaction (RFC 5321 §3.3), from MAIL to the reply to the end of data, or to its abandonment. */
export interface Transaction {
  /** RCPT TO. Resolves when the recipient is taken. */
  recipient(address: Address, parameters: RcptParameters): Promise<void>;
  /**
   * DATA, or the first BDAT: takes the content, dot-unstuffed, CRLF line ends (but for the body of BODY=BINARYMIME, which
   * may hold any octet), in pieces, back-pressured, and resolves with the final reply once everything is durable
   * (RFC 5321 §6.1). Throwing a Refusal before the end drains the rest. If the client goes away, or gives up between two
   * BDATs, or the content is refused by the listener (bare CR or LF, too long), the iteration throws: the transaction
   * must keep nothing and rethrow.
   */
  message(content: AsyncIterable<Uint8Array>): Promise<Reply>;
  /** RSET, QUIT, a new MAIL or a lost connection before DATA: frees what `recipient` held. Also after a failed DATA. */
  abandon(): void;
}
