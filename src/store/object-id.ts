// Object identifiers (RFC 8474 §4): a letter for the kind and a number that the store gives out once.

import type { MailboxId } from './rows.ts';

export function mailboxObjectId(mailbox: MailboxId): string {
  return `F${mailbox.toString(36)}`;
}

export function emailObjectId(email: number): string {
  return `M${email.toString(36)}`;
}

export function threadObjectId(thread: number): string {
  return `T${thread.toString(36)}`;
}
