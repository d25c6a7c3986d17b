// Who is local: domains, accounts, addresses. The MTA asks at RCPT, the MSA at MAIL and AUTH, IMAP at LOGIN. Answers
// come from memory, which follows the store's change feed; only `authenticate` takes time.

import type { Address } from '../formats/address.ts';
import type { ScramHash, ScramVerifier } from '../formats/scram.ts';

export interface Account {
  readonly id: number;
  /** Primary address, `local@domain`, lower case domain. */
  readonly address: string;
  readonly aliases: readonly string[];
  /** Octets; null: no limit. */
  readonly quota: number | null;
}

/** What an envelope address means here. `address` is the mailbox in full, also for a bare Postmaster; `detail` is what
 * follows `+` (RFC 5233 subaddress), without the sign. */
export type Resolution =
  | {
      readonly kind: 'account';
      readonly account: Account;
      readonly address: Address;
      readonly detail: string | null;
    }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'remote' };

/** Why an authentication did not succeed: `rejected` tells nothing of whether the account exists; `busy` asks to come
 * back (too many waiting for this source or in all). */
export class AuthenticationFailure extends Error {
  override readonly name = 'AuthenticationFailure';
  readonly kind: 'rejected' | 'busy';
  constructor(kind: 'rejected' | 'busy', reason: string) {
    super(reason);
    this.kind = kind;
  }
}

/** What somebody who logs in has shown: a password, that they do not know it, or that somebody vouches for an account. */
export type Shown =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  | { readonly kind: 'unproven'; readonly username: string }
  | { readonly kind: 'account'; readonly account: number };

/** What is kept of a password for SCRAM. */
export interface KeptVerifier extends ScramVerifier {
  /**
   * For a client that has shown to know the password of this verifier, and has not been told yet: the id of its account.
   * @throws AuthenticationFailure where another password is kept by now, and where a source that failed often has to wait;
   *   StoreError
   */
  confirm(): Promise<number>;
}

/** What became of a token. `error` is for the client (RFC 6750 §3.1), `reason` for the log; it holds nothing of the token. */
export type TokenVerdict =
  | { readonly kind: 'account'; readonly account: number }
  | { readonly kind: 'refused'; readonly error: 'invalid_token' | 'insufficient_scope'; readonly reason: string };

/** Whose a certificate is; `reason` is for the log. */
export type CertificateVerdict =
  | { readonly kind: 'account'; readonly account: number }
  | { readonly kind: 'refused'; readonly reason: string };

/** Where tokens of OAuth 2.0 are taken. */
export interface TokenDesk {
  /** What a token must be good for, names with spaces between; null: whatever. */
  readonly scope: string | null;
  /** URL of the document that says where tokens are to be had. */
  readonly configuration: string;
  /**
   * Whose token is it? Slows failures as `authenticate` does.
   * @param username whose account it must be; null: whoever it is for
   * @param source the peer's IP address
   * @throws AuthenticationFailure `busy`, also where the issuer does not answer; StoreError
   */
  check(token: string, username: string | null, source: string): Promise<TokenVerdict>;
}

export interface Directory {
  /** True for our domains, for address literals of our own hosts never. With catch-all every domain is ours. */
  isLocalDomain(domain: string): boolean;
  /** That of a login name without one. */
  readonly firstDomain: string;
  /** With catch-all, an unknown account is made in the store first, hence the promise. A bare Postmaster (empty domain)
   * is the postmaster of the first domain. @throws StoreError, and nothing else, where accounts cannot be read or made */
  resolve(address: Address): Promise<Resolution>;
  /** May this account send as this address (its own address, an alias, or either with `+detail`)? Not as one of a domain
   * that is ours no more. */
  owns(account: Account, address: Address): boolean;
  account(id: number): Account | undefined;
  /**
   * Checks a name and password off the main thread.
   * @param source the peer's IP address: bounds and slows by source
   * @throws AuthenticationFailure; StoreError where accounts cannot be read or made
   */
  authenticate(username: string, password: string, source: string): Promise<Account>;
  /** Is a password held against what is kept of it? Not where any will do. */
  readonly checksPasswords: boolean;
  /** What is kept for a login name for SCRAM (RFC 5802 §3); made up, and the same each time, where nothing is.
   * @param source the peer's IP address
   * @throws AuthenticationFailure for what cannot be a name; StoreError */
  verifier(username: string, hash: ScramHash, source: string): Promise<KeptVerifier>;
  /** null: no tokens are taken. */
  readonly tokens: TokenDesk | null;
  /**
   * Whose is a certificate that names these mail addresses, for which an authority vouches?
   * @param username whose it must be; null: there is only one account that it names
   * @throws StoreError where accounts cannot be read
   */
  certified(addresses: readonly string[], username: string | null): Promise<CertificateVerdict>;
  /** The end of a login, whatever was shown; slows failures as `authenticate` does. @throws AuthenticationFailure; StoreError */
  admit(shown: Shown, source: string): Promise<Account>;
}
