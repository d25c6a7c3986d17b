// May this user send this message under this name? RFC 6409 §6.1: the MSA, which knows its users, is the one place where
// a forged sender can be stopped. The envelope is judged at MAIL, the header at the end of its fields.

import type { Account, Directory } from '../directory/directory.ts';
import { formatAddress, type ReversePath } from '../formats/address.ts';
import { type HeaderField, headerAddresses } from '../formats/header.ts';
import { Refusal } from '../formats/refusal.ts';

/** Octets of all the fields that say whose a message is. More is no list of authors but work for the parser. */
const AUTHORS_MAX = 16_384;

/** Refuses a reverse-path that is not the user's own. `<>` is allowed: a receipt must have it (RFC 8098 §3), and the
 * header decides then. @throws Refusal */
export function authoriseReversePath(directory: Directory, account: Account, reversePath: ReversePath): void {
  if (reversePath === null || directory.owns(account, reversePath)) return;
  throw new Refusal(
    550,
    '5.7.1',
    'This is not one of your addresses',
    `${account.address} may not send as ${formatAddress(reversePath)}`,
  );
}

/**
 * Refuses a header that speaks for others: each mailbox of each From must be the user's own, or, where there is a
 * Sender (RFC 5322 §3.6.2: the one who really sends), that one. A field that cannot be read is nobody's own. A header
 * without either claims nothing.
 * @throws Refusal
 */
export function authoriseHeader(directory: Directory, account: Account, header: readonly HeaderField[]): void {
  const sender = header.filter((field) => field.is('sender'));
  const responsible = sender.length > 0 ? sender : header.filter((field) => field.is('from'));
  if (responsible.reduce((octets, field) => octets + field.length, 0) > AUTHORS_MAX) {
    throw new Refusal(550, '5.7.1', 'From or Sender is too long to be checked');
  }
  for (const field of responsible) {
    const mailboxes = headerAddresses(field.value);
    const others = mailboxes.filter(({ address }) => address === null || !directory.owns(account, address));
    if (mailboxes.length > 0 && others.length === 0) continue;
    const what = others[0]?.raw.slice(0, 200) ?? 'nobody';
    throw new Refusal(
      550,
      '5.7.1',
      `${field.name} is not one of your addresses`,
      `${account.address} may not write ${field.name}: ${what}`,
    );
  }
}
