// The directory of a running server: the accounts of the store in memory, kept in step with its change feed, and the
// rules by which an address or a login name leads to one. How a password is checked is authentication.ts's business.

import { type Address, formatAddress, normalizeDomain, parseMailbox } from '../formats/address.ts';
import { saslprep } from '../formats/saslprep.ts';
import type { ScramHash } from '../formats/scram.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { AccountId, AccountRow } from '../store/rows.ts';
import type { Store } from '../store/store.ts';
import { AddressBook, localKey, splitDetail } from './address-book.ts';
import { Authenticator, type Claimant } from './authentication.ts';
import {
  type Account,
  AuthenticationFailure,
  type CertificateVerdict,
  type Directory,
  type KeptVerifier,
  type Resolution,
  type Shown,
  type TokenDesk,
  type TokenVerdict,
} from './directory.ts';
import { isUsablePassword, keptVerifier, madeUpVerifier } from './password.ts';
import type { TokenIssuer } from './token/issuer.ts';

export interface DirectoryOptions {
  readonly store: Pick<Store, 'read' | 'execute' | 'follow'>;
  readonly domains: readonly string[];
  /** Postmaster of this name is ours too, even where it is none of `domains`. */
  readonly hostname: string;
  readonly test: { readonly catchAll: boolean; readonly anyPassword: boolean };
  /** Whose tokens are taken; absent: nobody's. */
  readonly issuer?: TokenIssuer | null;
  readonly clock: Clock;
  readonly log: Log;
}

/** Accounts that catch-all makes before it takes strangers for unknown again. */
const CATCH_ALL_ACCOUNTS = 10_000;
const asIs = (name: string): string => name;

/** RFC 5321 §4.5.3.1.3 gives a path 256 octets; no login name is longer. */
const NAME_OCTETS_MAX = 256;

/** A directory that follows its store until it is disposed of. */
export type OpenDirectory = Directory & AsyncDisposable;

/** Reads the accounts and follows them. Dispose it before the store is closed. @throws StoreError */
export async function openDirectory(options: DirectoryOptions): Promise<OpenDirectory> {
  const accounts = new FollowedAccounts(options.store, options.log);
  try {
    await accounts.current();
  } catch (error) {
    accounts.close();
    throw error;
  }
  return new StoreDirectory(options, accounts);
}

class StoreDirectory implements OpenDirectory {
  readonly #options: DirectoryOptions;
  readonly #accounts: FollowedAccounts;
  readonly #authenticator: Authenticator;
  readonly #domains: ReadonlySet<string>;
  /** Where a bare Postmaster and a login name without a domain are looked for. */
  readonly firstDomain: string;
  readonly #hostname: string;
  #full = false;
  #epoch: Buffer | null = null;

  constructor(options: DirectoryOptions, accounts: FollowedAccounts) {
    this.#options = options;
    this.#accounts = accounts;
    this.#authenticator = new Authenticator(options.clock);
    const domains = options.domains.map(normalizeDomain).filter((domain) => domain !== '');
    this.#domains = new Set(domains);
    this.#hostname = normalizeDomain(options.hostname);
    this.firstDomain = domains[0] ?? this.#hostname;
  }

  get checksPasswords(): boolean {
    return !this.#options.test.anyPassword;
  }

  isLocalDomain(domain: string): boolean {
    return this.#options.test.catchAll ? domain !== '' : this.#domains.has(normalizeDomain(domain));
  }

  async resolve(given: Address): Promise<Resolution> {
    const address = this.#placed(given);
    if (address === undefined) return { kind: 'unknown' };
    if (!this.isLocalDomain(address.domain)) return { kind: 'remote' };
    const found = (await this.#accounts.current()).find(address);
    if (found !== undefined) return { kind: 'account', account: accountOf(found.row), address, detail: found.detail };
    if (!this.#options.test.catchAll) return { kind: 'unknown' };
    const { user, detail } = splitDetail(address);
    const row = await this.#make(user);
    return row === undefined ? { kind: 'unknown' } : { kind: 'account', account: accountOf(row), address, detail };
  }

  owns(account: Account, given: Address): boolean {
    const address = this.#placed(given);
    if (address === undefined || !this.isLocalDomain(address.domain)) return false;
    return this.#accounts.book.find(address)?.row.id === account.id;
  }

  account(id: number): Account | undefined {
    const row = this.#accounts.book.byId(id);
    return row === undefined ? undefined : accountOf(row);
  }

  async authenticate(username: string, password: string, source: string): Promise<Account> {
    const { row, address, claimant } = await this.#named(username);
    if (this.#options.test.anyPassword) return this.#anyPassword(row, address, password);
    await this.#authenticator.check(claimant, password, source);
    return this.#unchanged(row);
  }

  async verifier(username: string, hash: ScramHash, source: string): Promise<KeptVerifier> {
    const { row, claimant } = await this.#named(username);
    // Made up also where it is not needed: a name that somebody has must take no less time than one that nobody has.
    const madeUp = madeUpVerifier(claimant.key, hash, await this.#secret());
    const verifier = (row?.password ? keptVerifier(row.password, hash) : undefined) ?? madeUp;
    return {
      ...verifier,
      confirm: async () => {
        await this.#authenticator.judge(claimant, true, source);
        return (await this.#unchanged(row)).id;
      },
    };
  }

  /** What verifiers are made up with: the same as long as the store lives. */
  async #secret(): Promise<Buffer> {
    this.#epoch ??= Buffer.from(await this.#options.store.read.epoch());
    return this.#epoch;
  }

  get tokens(): TokenDesk | null {
    const { issuer = null } = this.#options;
    if (issuer === null) return null;
    const { scope, configuration } = issuer;
    return { scope, configuration, check: (token, name, source) => this.#checkToken(issuer, token, name, source) };
  }

  async certified(addresses: readonly string[], username: string | null): Promise<CertificateVerdict> {
    const rows = await Promise.all(addresses.map(async (address) => (await this.#rowOf(address)).row));
    const owners = new Set(rows.flatMap((row) => (row === undefined ? [] : [row.id])));
    const no = (reason: string): CertificateVerdict => ({ kind: 'refused', reason });
    if (username !== null) {
      const { row } = await this.#rowOf(username);
      if (row === undefined || !owners.has(row.id)) return no('the certificate is not for that account');
      return { kind: 'account', account: row.id };
    }
    const [only, another] = owners;
    if (only === undefined) return no('the certificate is for nobody who has an account here');
    if (another !== undefined)
      return no('the certificate is for several accounts, and the client did not say for which');
    return { kind: 'account', account: only };
  }

  async admit(shown: Shown, source: string): Promise<Account> {
    switch (shown.kind) {
      case 'password':
        return await this.authenticate(shown.username, shown.password, source);
      case 'unproven': {
        const { row, claimant } = await this.#named(shown.username);
        await this.#authenticator.judge(claimant, false, source);
        return this.#unchanged(row);
      }
      case 'account': {
        const row = (await this.#accounts.current()).byId(shown.account);
        if (row === undefined) throw new AuthenticationFailure('rejected', 'the account changed meanwhile');
        return accountOf(row);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#accounts.close();
  }

  async #checkToken(
    issuer: TokenIssuer,
    token: string,
    username: string | null,
    source: string,
  ): Promise<TokenVerdict> {
    let verdict: TokenVerdict = { kind: 'refused', error: 'invalid_token', reason: 'not a name' };
    const wanted = username === null ? null : await this.#rowOf(username);
    // Who names nobody counts as one claimant, whatever the token: it is not known whose it is.
    const key = wanted === null ? '- token' : wanted.key;
    await this.#authenticator.ask(key, source, async () => {
      const said = await issuer.check(token);
      verdict = said.kind === 'refused' ? said : await this.#holder(said.name, wanted);
      return verdict.kind === 'account';
    });
    return verdict;
  }

  /** The account that a token's name leads to, if it is the one that was asked for. */
  async #holder(name: string, wanted: { readonly row: AccountRow | undefined } | null): Promise<TokenVerdict> {
    const { row } = await this.#rowOf(name);
    const no = (reason: string): TokenVerdict => ({ kind: 'refused', error: 'invalid_token', reason });
    if (row === undefined) return no('the token is for nobody who has an account here');
    if (wanted !== null && wanted.row?.id !== row.id) return no('the token is for another account');
    return { kind: 'account', account: row.id };
  }

  /** As `#named`, for names that come with tokens and certificates: one that can be none is nobody's, and one that only looks
   * like another is another, which who has issued them may have given to somebody else. */
  async #rowOf(name: string): Promise<{ readonly row: AccountRow | undefined; readonly key: string }> {
    try {
      const { row, claimant } = await this.#named(name, asIs);
      return { row, key: claimant.key };
    } catch (error) {
      if (!(error instanceof AuthenticationFailure)) throw error;
      return { row: undefined, key: '- unusable' };
    }
  }

  /** The address with the domain that it stands for: a bare Postmaster (RFC 5321 §4.1.1.3) and the postmaster of this
   * host (§4.5.1) are that of the first domain. Undefined: another name without a domain. */
  #placed(address: Address): Address | undefined {
    const domain = normalizeDomain(address.domain);
    const here = domain === '' || (domain === this.#hostname && !this.#domains.has(domain));
    if (here && localKey(address.localPart) === 'postmaster') {
      return { localPart: address.localPart, domain: this.firstDomain };
    }
    return domain === '' ? undefined : { localPart: address.localPart, domain };
  }

  /** Whose password a login name asks for. @throws AuthenticationFailure for what cannot be a name; StoreError */
  async #named(username: string, prepare: (name: string) => string = saslprep) {
    if (username.includes('\0') || !username.isWellFormed() || Buffer.byteLength(username) > NAME_OCTETS_MAX) {
      throw new AuthenticationFailure('rejected', 'name too long or with NUL');
    }
    const book = await this.#accounts.current();
    const full = username.includes('@') ? username : `${username}@${this.firstDomain}`;
    const written = parseMailbox(full);
    // RFC 4616 §2, RFC 5802 §5.1: names are compared as SASLprep has them; one that is an address as it stands is that one.
    const address = written !== null && book.exactly(written) ? written : parseMailbox(prepare(full));
    const row = address === null ? undefined : book.exactly(address);
    const claimant: Claimant = {
      // However a name is written: else what is made up for it would differ, where what is kept would not.
      key: row === undefined ? `- ${localKey(address === null ? username : formatAddress(address))}` : String(row.id),
      password: row?.password ?? null,
    };
    return { row, address, claimant };
  }

  /** The account, unless its password changed or it is gone since that was read. @throws AuthenticationFailure */
  async #unchanged(row: AccountRow | undefined): Promise<Account> {
    const now = row === undefined ? undefined : (await this.#accounts.current()).byId(row.id);
    if (now === undefined || now.password?.argon2id !== row?.password?.argon2id) {
      throw new AuthenticationFailure('rejected', 'the account changed meanwhile');
    }
    return accountOf(now);
  }

  async #anyPassword(row: AccountRow | undefined, address: Address | null, password: string): Promise<Account> {
    if (!isUsablePassword(password))
      throw new AuthenticationFailure('rejected', 'password empty, too long or with NUL');
    // Where mail for this address goes is where it is read.
    const made =
      row ??
      (address !== null && this.#options.test.catchAll
        ? (this.#accounts.book.find(address)?.row ?? (await this.#make(splitDetail(address).user)))
        : undefined);
    if (made === undefined) throw new AuthenticationFailure('rejected', 'no such account');
    return accountOf(made);
  }

  /** Catch-all: the account of an address, made in the store if it is new. Undefined: there are too many. */
  async #make(address: Address): Promise<AccountRow | undefined> {
    const book = await this.#accounts.current();
    if (book.size >= CATCH_ALL_ACCOUNTS) {
      if (!this.#full) this.#options.log.warn({ accounts: book.size }, 'catch-all makes no more accounts');
      this.#full = true;
      return undefined;
    }
    const { account } = await this.#options.store.execute<'put-account'>({
      kind: 'put-account',
      address: formatAddress({ localPart: localKey(address.localPart), domain: address.domain }),
      aliases: [],
      quota: null,
      password: null,
      seeded: false,
      existing: 'keep',
    });
    return (await this.#accounts.current()).byId(account);
  }
}

/** The store's accounts in memory. A change is published before its command resolves, so once that has, `current` knows
 * of it and reads what changed before it answers. */
class FollowedAccounts {
  /** As of the last read; `current()` is never behind, this may be by one read. */
  book = new AddressBook([]);
  readonly #store: DirectoryOptions['store'];
  readonly #log: Log;
  readonly #unfollow: () => void;
  /** What to read again: these accounts, or everything. */
  #changed: Set<AccountId> | 'all' = 'all';
  #reading: Promise<void> | undefined;

  constructor(store: DirectoryOptions['store'], log: Log) {
    this.#store = store;
    this.#log = log;
    this.#unfollow = store.follow({ kind: 'directory' }, (change) => {
      if (change.kind !== 'directory') return;
      if (change.account === undefined) this.#changed = 'all';
      else if (this.#changed !== 'all') this.#changed.add(change.account);
      // At once, not at the next question: `account` and `owns` answer from what is there.
      this.current().catch((error: unknown) => this.#log.error({ err: error }, 'the directory cannot be read'));
    });
  }

  async current(): Promise<AddressBook> {
    while (this.#reading !== undefined || this.#isBehind()) {
      this.#reading ??= this.#read().finally(() => {
        this.#reading = undefined;
      });
      await this.#reading;
    }
    return this.book;
  }

  close(): void {
    this.#unfollow();
  }

  #isBehind(): boolean {
    return this.#changed === 'all' || this.#changed.size > 0;
  }

  async #read(): Promise<void> {
    const changed = this.#changed;
    this.#changed = new Set();
    try {
      if (changed === 'all') {
        this.book = new AddressBook(await this.#store.read.accounts());
        return;
      }
      for (const id of changed) {
        const row = await this.#store.read.account(id);
        if (row === undefined) this.book.remove(id);
        else this.book.put(row);
      }
    } catch (error) {
      this.#changed = 'all';
      throw error;
    }
  }
}

function accountOf(row: AccountRow): Account {
  return { id: row.id, address: row.address, aliases: row.aliases, quota: row.quota };
}
