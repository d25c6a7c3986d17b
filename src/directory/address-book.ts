// The accounts in memory: by id, and by every address that leads to one. Local parts match without regard to case:
// RFC 5321 §2.4 leaves that to the host, and two mailboxes that differ by case help nobody but impostors.

import { type Address, parseMailbox } from '../formats/address.ts';
import type { AccountId, AccountRow } from '../store/rows.ts';

/** What separates a user from a detail (RFC 5233 §1). */
const SEPARATOR = '+';

export class AddressBook {
  readonly #rows = new Map<AccountId, AccountRow>();
  /** Address key to account. A primary address wins over another account's alias. */
  readonly #primaries = new Map<string, AccountId>();
  readonly #aliases = new Map<string, AccountId>();

  constructor(rows: Iterable<AccountRow>) {
    for (const row of rows) this.put(row);
  }

  get size(): number {
    return this.#rows.size;
  }

  put(row: AccountRow): void {
    this.remove(row.id);
    this.#rows.set(row.id, row);
    const primary = keyOfText(row.address);
    if (primary !== undefined) this.#primaries.set(primary, row.id);
    for (const alias of row.aliases) {
      const key = keyOfText(alias);
      if (key !== undefined) this.#aliases.set(key, row.id);
    }
  }

  remove(id: AccountId): void {
    const row = this.#rows.get(id);
    if (row === undefined) return;
    this.#rows.delete(id);
    for (const text of [row.address, ...row.aliases]) {
      const key = keyOfText(text);
      if (key === undefined) continue;
      if (this.#primaries.get(key) === id) this.#primaries.delete(key);
      if (this.#aliases.get(key) === id) this.#aliases.delete(key);
    }
  }

  byId(id: number): AccountRow | undefined {
    // Any number may be asked for; one that is no AccountId is simply not there.
    return this.#rows.get(id as AccountId);
  }

  /** The account with exactly this address or alias. */
  exactly(address: Address): AccountRow | undefined {
    const key = addressKey(address);
    const id = this.#primaries.get(key) ?? this.#aliases.get(key);
    return id === undefined ? undefined : this.#rows.get(id);
  }

  /** The account that mail for this address goes to: itself, or what stands in front of a `+detail`. */
  find(address: Address): { readonly row: AccountRow; readonly detail: string | null } | undefined {
    const exact = this.exactly(address);
    if (exact !== undefined) return { row: exact, detail: null };
    const { user, detail } = splitDetail(address);
    if (detail === null) return undefined;
    const row = this.exactly(user);
    return row === undefined ? undefined : { row, detail };
  }
}

/** `user+detail` as its user and its detail; without a user in front, the sign is part of the name. */
export function splitDetail(address: Address): { readonly user: Address; readonly detail: string | null } {
  const at = address.localPart.indexOf(SEPARATOR);
  if (at < 1) return { user: address, detail: null };
  const user = { localPart: address.localPart.slice(0, at), domain: address.domain };
  return { user, detail: address.localPart.slice(at + 1) };
}

/** The local part as it is compared. NFC: the same name typed on two systems (RFC 6532 §3.1). */
export function localKey(localPart: string): string {
  return localPart.normalize('NFC').toLowerCase();
}

/** One text for all ways to write an address. The domain is a normal form already (formats/address.ts). */
function addressKey(address: Address): string {
  return `${localKey(address.localPart)}@${address.domain.toLowerCase()}`;
}

/** One text for all ways to write the address; the text itself where it is none. */
export function comparable(text: string): string {
  return keyOfText(text) ?? text;
}

function keyOfText(text: string): string | undefined {
  const address = parseMailbox(text);
  return address === null ? undefined : addressKey(address);
}
