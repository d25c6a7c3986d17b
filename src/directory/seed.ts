// The accounts of the configuration file, put into the store. A server that starts twice writes nothing the second
// time, and hashes nothing: a password is compared by its SCRAM verifier.

import { formatAddress, parseMailbox } from '../formats/address.ts';
import type { AccountRow, PasswordRecord } from '../store/rows.ts';
import type { Store } from '../store/store.ts';
import { isMadeOf, makePassword, passwordFromHash } from './password.ts';

/** An account as the configuration says it (config/config.ts). */
export interface SeedAccount {
  readonly address: string;
  readonly aliases: readonly string[];
  readonly password: string | null;
  readonly passwordHash: string | null;
  readonly quota: number | null;
  /** Where it is written, for people. */
  readonly place?: { readonly file: string; readonly line: number } | null;
}

/** An address of the file is that of an account which is not in it; `message` says whose, and what to do. */
export class AddressTaken extends Error {
  override readonly name = 'AddressTaken';
}

/** What seeding changed: addresses. */
export interface Seeded {
  readonly put: readonly string[];
  /** Stood in the file once and do no more: no password opens them, and verbs may change them now. Their mail stays. */
  readonly released: readonly string[];
}

/**
 * Makes the store's seeded accounts those of the file.
 * @throws RangeError for an address, password or hash that cannot be used
 * @throws AddressTaken, StoreError
 */
export async function seedAccounts(
  store: Pick<Store, 'read' | 'execute'>,
  accounts: readonly SeedAccount[],
): Promise<Seeded> {
  const rows = new Map((await store.read.accounts()).map((row) => [normal(row.address), row]));
  const wanted = accounts.map((account) => ({ ...account, address: normal(account.address) }));
  const addresses = new Set(wanted.map((account) => account.address));
  const gone = [...rows.values()].filter((row) => row.seeded && !addresses.has(normal(row.address)));
  const changed = (await Promise.all(wanted.map((account) => changes(rows.get(account.address), account)))).filter(
    (account) => account !== undefined,
  );
  // First what leaves, then what comes: an address stands for one account, and an alias may move or become a primary.
  const claimant = new Map(
    wanted.flatMap(({ address, aliases }) => [address, ...aliases].map((text) => [normal(text), address])),
  );
  const given = (row: AccountRow) => {
    const claimed = (alias: string) => claimant.get(normal(alias)) ?? normal(row.address);
    return row.aliases.filter((alias) => claimed(alias) === normal(row.address));
  };
  const standing = changed.map(({ address }) => rows.get(address)).filter((row) => row !== undefined);
  await Promise.all([
    // Whoever was taken out of the file is out: the password that stood there opens nothing any more.
    ...gone.map((row) => put(store, { ...row, aliases: given(row), password: null, seeded: false })),
    ...standing
      .filter((row) => given(row).length < row.aliases.length)
      .map((row) => put(store, { ...row, aliases: given(row) })),
  ]);
  await Promise.all(
    changed.map((account) =>
      put(store, { ...account, seeded: true }).catch(async (error: unknown) => {
        throw (await takenFrom(store, accounts, account)) ?? error;
      }),
    ),
  );
  return { put: changed.map((account) => account.address), released: gone.map((row) => row.address) };
}

/** Whose is what this account was to have? null: nobody's. */
async function takenFrom(
  store: Pick<Store, 'read'>,
  accounts: readonly SeedAccount[],
  { address, aliases }: Wanted,
): Promise<AddressTaken | null> {
  const written = accounts.find((account) => normal(account.address) === address);
  const where = written?.place ? `${written.place.file}:${written.place.line}: ` : '';
  for (const row of await store.read.accounts()) {
    if (normal(row.address) === address) continue;
    const own = [row.address, ...row.aliases].map(normal);
    const taken = [address, ...aliases].find((each) => own.includes(normal(each)));
    if (taken === undefined) continue;
    return new AddressTaken(
      `${where}${taken} belongs to the account ${row.address}, which is not in the configuration: write another address, ` +
        `or remove that account with all its mail ("postern account remove ${row.address}")`,
    );
  }
  return null;
}

interface Wanted {
  readonly address: string;
  readonly aliases: readonly string[];
  readonly quota: number | null;
  readonly password: PasswordRecord | null;
}

/** What must be written so that the row is as the file says; undefined: nothing. */
async function changes(row: AccountRow | undefined, account: SeedAccount): Promise<Wanted | undefined> {
  const { address, aliases, quota } = account;
  const same =
    row?.seeded === true &&
    row.quota === quota &&
    row.aliases.length === aliases.length &&
    aliases.every((alias) => row.aliases.some((kept) => normal(kept) === normal(alias)));
  const kept = row?.password ?? null;
  if (await isKept(kept, account)) return same ? undefined : { address, aliases, quota, password: kept };
  return { address, aliases, quota, password: await passwordOf(account) };
}

async function isKept(kept: PasswordRecord | null, account: SeedAccount): Promise<boolean> {
  if (account.passwordHash !== null) return kept?.argon2id === account.passwordHash;
  if (account.password !== null) return kept !== null && isMadeOf(kept, account.password);
  return kept === null;
}

async function passwordOf({ password, passwordHash }: SeedAccount): Promise<PasswordRecord | null> {
  if (passwordHash !== null) return passwordFromHash(passwordHash);
  return password === null ? null : makePassword(password);
}

function put(store: Pick<Store, 'execute'>, account: Wanted & { readonly seeded: boolean }) {
  const { address, aliases, quota, password, seeded } = account;
  return store.execute<'put-account'>({
    kind: 'put-account',
    address,
    aliases,
    quota,
    password,
    seeded,
    existing: 'replace',
  });
}

/** One text for one account: what the directory would find under it. */
function normal(text: string): string {
  const address = parseMailbox(text);
  if (address === null) throw new RangeError(`not an address: ${text}`);
  return formatAddress({ localPart: address.localPart.normalize('NFC').toLowerCase(), domain: address.domain });
}
