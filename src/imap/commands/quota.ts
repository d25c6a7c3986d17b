// GETQUOTA, GETQUOTAROOT and SETQUOTA (RFC 9208). The quota root of a mailbox is the account that holds it, by its
// address. Limits are the operator's: no client can set them.

import { Limit, MAX_UID } from '../../store/limits.ts';
import type { AccountRow } from '../../store/rows.ts';
import { mailboxFor, mailboxNamed, visibleMailboxes } from '../access.ts';
import { bad, no, ok } from '../completion.ts';
import { nameText } from '../grammar/mailbox-name.ts';
import type { Scanner } from '../grammar/scanner.ts';
import { othersName } from '../namespace.ts';
import { textString } from '../render/strings.ts';
import { allows } from '../rights.ts';
import { command, LOGGED_IN, type Session } from './command.ts';
import { mailboxArgument } from './select.ts';

/** RFC 9208 §5.1: STORAGE counts units of 1024 octets. */
const UNIT = 1_024;

/** RFC 9208 §3.2 wants limits told that are in the system itself: how many messages an account can hold. */
const MOST_MESSAGES = Limit.mailboxes * MAX_UID;

/** SP quota-root-name; quota-root-name = astring */
function rootArgument(scanner: Scanner): string {
  scanner.space();
  return scanner.astring().toString();
}

/** quota-response = "QUOTA" SP quota-root-name SP quota-list. What is not limited is not in the list (§4.2.1). */
function quotaLine({ address, quota, usedOctets, usedMessages }: AccountRow): string {
  const storage = quota === null ? '' : `STORAGE ${Math.ceil(usedOctets / UNIT)} ${Math.ceil(quota / UNIT)} `;
  return `* QUOTA ${textString(address)} (${storage}MESSAGE ${usedMessages} ${MOST_MESSAGES})`;
}

/** @throws ImapRefusal NO if the account was removed under the session */
async function ownRoot(session: Session): Promise<AccountRow> {
  const account = await session.store.read.account(session.account);
  if (!account) throw no('The account is no more', 'NONEXISTENT');
  return account;
}

/** The account of that address: the user's own, or one that lets him read a mailbox. What others use is theirs to know
 * (§8). @throws ImapRefusal NO */
async function namedRoot(session: Session, name: string): Promise<AccountRow> {
  const own = await ownRoot(session);
  if (own.address.toLowerCase() === name.toLowerCase()) return own;
  const readable = (await visibleMailboxes(session)).filter(({ rights }) => allows(rights, 'read'));
  for (const id of new Set(readable.map(({ account }) => account))) {
    const root = await session.store.read.account(id);
    if (root?.address.toLowerCase() === name.toLowerCase()) return root;
  }
  throw no('There is no such quota root', 'NONEXISTENT');
}

/** The account that holds the mailbox, or would (§4.1.2). Who may not read it does not learn how much it holds (§6).
 * @throws ImapRefusal NO */
async function rootOf(session: Session, name: string): Promise<AccountRow> {
  const mailbox = await mailboxNamed(session, name);
  if (!mailbox && !othersName(name)) return ownRoot(session);
  const { account } = await mailboxFor(session, name, 'read');
  const root = await session.store.read.account(account);
  if (!root) throw no('The account is no more', 'NONEXISTENT');
  return root;
}

/** getquota = "GETQUOTA" SP quota-root-name */
export const getQuota = command({
  name: 'GETQUOTA',
  states: LOGGED_IN,
  grammar: rootArgument,
  async run(session, name) {
    session.writer.line(quotaLine(await namedRoot(session, name)));
    return ok('That is all');
  },
});

/** getquotaroot = "GETQUOTAROOT" SP mailbox; it need not exist (§4.1.2). */
export const getQuotaRoot = command({
  name: 'GETQUOTAROOT',
  states: LOGGED_IN,
  grammar: mailboxArgument,
  async run(session, name) {
    const root = await rootOf(session, name);
    session.writer.line(`* QUOTAROOT ${nameText(name, session.enabled)} ${textString(root.address)}`);
    session.writer.line(quotaLine(root));
    return ok('That is all');
  },
});

/** setquota = "SETQUOTA" SP quota-root-name SP "(" [setquota-resource *(SP setquota-resource)] ")"
 * setquota-resource = resource-name SP resource-limit */
export const setQuota = command({
  name: 'SETQUOTA',
  states: LOGGED_IN,
  grammar(scanner) {
    const name = rootArgument(scanner);
    scanner.space();
    scanner.list(() => {
      scanner.atom('a resource');
      scanner.space();
      if (!/^\d{1,19}$/.test(scanner.atom('a limit'))) throw bad('A limit is a number');
    });
    return name;
  },
  async run(session, name) {
    await namedRoot(session, name);
    throw no('Only the operator sets limits', 'NOPERM');
  },
});
