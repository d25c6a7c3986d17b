// Where the mailboxes of other users are (RFC 2342 §5): `Other Users/bob@example.test/Letters` is bob's `Letters`. Pure.

import { DELIMITER, storedName } from './grammar/mailbox-name.ts';

export const OTHER_USERS = `Other Users${DELIMITER}`;

/** A name of another user's mailbox, taken apart. */
interface OthersName {
  /** As it was written. */
  readonly address: string;
  /** As the owner has it; empty: the level above all of the owner's mailboxes. */
  readonly name: string;
}

/** Null: a name of the user's own. An address may have a delimiter before its "@". */
export function othersName(name: string): OthersName | null {
  if (!`${name}${DELIMITER}`.startsWith(OTHER_USERS)) return null;
  const path = name.slice(OTHER_USERS.length);
  const end = path.indexOf(DELIMITER, path.indexOf('@') + 1);
  return end === -1
    ? { address: path, name: '' }
    : { address: path.slice(0, end), name: storedName(path.slice(end + 1)) };
}

/** The name by which others know a mailbox. @param owner the primary address of the account that holds it */
export function nameForOthers(owner: string, name: string): string {
  return `${OTHER_USERS}${owner}${DELIMITER}${name}`;
}
