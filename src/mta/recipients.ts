// The recipients of one transaction, resolved as they come: who is local gets one copy an account, however often and by
// whatever alias it is named; who is not is refused or gathered for the queue, as the agent says (RFC 5321 §3.3).

import type { Account, Directory } from '../directory/directory.ts';
import { type Address, formatAddress } from '../formats/address.ts';
import type { RcptParameters, Recipient } from '../formats/envelope.ts';
import { Refusal } from '../formats/refusal.ts';
import type { LocalRecipient } from '../mda/deliver.ts';
import type { AccountId } from '../store/rows.ts';
import type { Store } from '../store/store.ts';
import { storeRefusal } from './store-refusal.ts';

/** A local recipient with what RCPT said. */
export interface LocalRcpt extends LocalRecipient {
  readonly parameters: RcptParameters;
}

/** What becomes of an address that is not ours: it goes into the queue, or is refused like this; null: not refused. */
export type Remote = 'queue' | ((address: Address) => Refusal | null | Promise<Refusal | null>);

export class RecipientList {
  readonly #directory: Pick<Directory, 'resolve'>;
  readonly #store: Pick<Store, 'read'>;
  readonly #declaredSize: number | 'report' | undefined;
  readonly #locals = new Map<number, LocalRcpt>();
  /** By all the names that were given, of which an account may have several. */
  readonly #named = new Map<string, LocalRcpt>();
  readonly #remotes = new Map<string, Recipient>();

  /** @param declaredSize SIZE of MAIL (RFC 1870), octets; `report`: it goes into a full mailbox, too, since it tells of what
   * nobody else tells of */
  constructor(
    directory: Pick<Directory, 'resolve'>,
    store: Pick<Store, 'read'>,
    declaredSize: number | 'report' | undefined,
  ) {
    this.#directory = directory;
    this.#store = store;
    this.#declaredSize = declaredSize;
  }

  /** One an account: who gets a copy. */
  get locals(): readonly LocalRcpt[] {
    return [...this.#locals.values()];
  }

  /** One a name: who is reported on, each as its RCPT has asked (RFC 3461 §4.1). */
  get named(): readonly LocalRcpt[] {
    return [...this.#named.values()];
  }

  get remotes(): readonly Recipient[] {
    return [...this.#remotes.values()];
  }

  /** The recipient, if there is exactly one. */
  get only(): Address | null {
    if (this.#locals.size + this.#remotes.size !== 1) return null;
    const [first] = [...this.#locals.values(), ...this.#remotes.values()];
    return first?.address ?? null;
  }

  /**
   * Takes a recipient. One that was named before is taken again without effect; its first parameters count.
   * @throws Refusal
   */
  async add(address: Address, parameters: RcptParameters, remote: Remote): Promise<void> {
    try {
      await this.#add(address, parameters, remote);
    } catch (error) {
      throw storeRefusal(error);
    }
  }

  async #add(address: Address, parameters: RcptParameters, remote: Remote): Promise<void> {
    const found = await this.#directory.resolve(address);
    if (found.kind === 'unknown') {
      throw new Refusal(550, '5.1.1', 'No such mailbox here', `unknown recipient ${formatAddress(address)}`);
    }
    if (found.kind === 'remote') {
      const refusal = remote === 'queue' ? null : await remote(address);
      if (refusal !== null) throw refusal;
      const name = formatAddress(address);
      if (!this.#remotes.has(name)) this.#remotes.set(name, { address, parameters });
      return;
    }
    const { account } = found;
    if (!this.#locals.has(account.id) && !isPostmaster(address)) await this.#refuseOverQuota(account);
    const recipient = { account, address: found.address, parameters };
    const name = formatAddress(found.address).toLowerCase();
    if (!this.#locals.has(account.id)) this.#locals.set(account.id, recipient);
    if (!this.#named.has(name)) this.#named.set(name, recipient);
  }

  /** A message that would not fit an empty mailbox never will (552); any other may, once there is room (452): RFC 1870
   * §6.1, RFC 3463 §3.3 X.2.2. */
  async #refuseOverQuota({ id, quota }: Account): Promise<void> {
    if (quota === null || this.#declaredSize === 'report') return;
    const size = this.#declaredSize ?? 0;
    if (size > quota) throw new Refusal(552, '5.2.2', 'Message is larger than the whole mailbox may be');
    // The directory's accounts are the store's, by the same number.
    const used = (await this.#store.read.account(id as AccountId))?.usedOctets ?? 0;
    // Without SIZE a mailbox is full when nothing at all fits.
    if (used + Math.max(size, 1) > quota) throw new Refusal(452, '4.2.2', 'Mailbox is full');
  }
}

/** RFC 5321 §4.5.1: mail for the postmaster is not turned away because a mailbox is full. */
function isPostmaster(address: Address): boolean {
  return address.localPart.toLowerCase() === 'postmaster';
}
