// The Mail Delivery Agent (RFC 5598 §4.3.3): what becomes of a message for one local account: which mailbox, which
// trace fields in front, and the refusal of a message that has been here before. It writes nothing itself.

import type { Account } from '../directory/directory.ts';
import { type Address, formatAddress, parseMailbox, type ReversePath } from '../formats/address.ts';
import type { HeaderField } from '../formats/header.ts';
import { Refusal } from '../formats/refusal.ts';
import { deliveredToField, returnPathField } from '../formats/trace.ts';
import type { Delivery } from '../store/commands.ts';
import type { AccountId } from '../store/rows.ts';

/** One local recipient: the address that the envelope named, and whose it is. */
export interface LocalRecipient {
  readonly account: Account;
  readonly address: Address;
}

/**
 * The delivery of a message to one account. Always to INBOX, also for `user+detail`: which mailbox a detail means is
 * the user's to say (RFC 5233, with a Sieve script), not a sender's.
 * @param now ms since the epoch: the message's internal date
 */
export function deliver(recipient: LocalRecipient, reversePath: ReversePath, now: number): Delivery {
  return {
    // The directory's accounts are the store's, by the same number.
    account: recipient.account.id as AccountId,
    mailbox: 'INBOX',
    prefix: Buffer.from(returnPathField(reversePath) + deliveredToField(recipient.address)),
    flags: 0,
    keywords: [],
    internalDate: now,
  };
}

/**
 * Refuses a message that was delivered to one of these addresses before and came back (RFC 9228 §3, in the spirit of
 * RFC 5321 §6.3). The header is the message's as it arrived.
 * @throws Refusal 554 5.4.6
 */
export function refuseDeliveryLoop(header: readonly HeaderField[], recipients: readonly LocalRecipient[]): void {
  const addresses = new Set(recipients.map(({ address }) => comparable(address)));
  for (const field of header) {
    if (!field.is('delivered-to')) continue;
    const before = parseMailbox(field.value);
    if (before === null) continue;
    const seen = comparable(before);
    if (addresses.has(seen)) {
      throw new Refusal(554, '5.4.6', 'Mail loop: delivered to this address before', `delivery loop at ${seen}`);
    }
  }
}

function comparable(address: Address): string {
  return formatAddress(address).toLowerCase();
}
