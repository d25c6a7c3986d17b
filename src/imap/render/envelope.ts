// ENVELOPE (RFC 3501 §7.4.2) from the fields of a header, as binary text. Encoded words stay as they are: the client
// decodes them.

import { type AddressEntry, parseAddressList } from '../../formats/address-list.ts';
import { firstField, type HeaderField } from '../../formats/header.ts';
import { imapString, nstring } from './strings.ts';

/** Fields of one name that are read: their number must not swell what is stored of a message. */
const MOST_FIELDS = 20;

/** Addresses that may still be shown. */
export interface Allowance {
  addresses: number;
}

/** envelope = "(" env-date SP env-subject SP env-from SP env-sender SP env-reply-to SP env-to SP env-cc SP env-bcc SP
 *   env-in-reply-to SP env-message-id ")" */
export function renderEnvelope(
  fields: readonly HeaderField[],
  allowance: Allowance = { addresses: Number.POSITIVE_INFINITY },
): string {
  const list = (name: string) => addressList(fields, name, allowance);
  const from = list('from');
  // Sender and Reply-To that are absent or empty are those of From (RFC 3501 §7.4.2).
  const sender = list('sender');
  const replyTo = list('reply-to');
  const items = [
    nstring(firstField(fields, 'date')?.octets),
    nstring(firstField(fields, 'subject')?.octets),
    from,
    sender === 'NIL' ? from : sender,
    replyTo === 'NIL' ? from : replyTo,
    list('to'),
    list('cc'),
    list('bcc'),
    nstring(firstField(fields, 'in-reply-to')?.octets),
    nstring(firstField(fields, 'message-id')?.octets),
  ];
  return `(${items.join(' ')})`;
}

/** env-from = "(" 1*address ")" / nil. All fields of the name count: RFC 5322 §3.6 allows one, broken mail has more. */
function addressList(fields: readonly HeaderField[], name: string, allowance: Allowance): string {
  let addresses = '';
  let read = 0;
  for (const field of fields) {
    if (!field.is(name)) continue;
    read += 1;
    if (read > MOST_FIELDS) break;
    const entries = parseAddressList(field.octets);
    // A field whole or not at all: a group that is cut is none.
    if (entries.length > allowance.addresses) continue;
    allowance.addresses -= entries.length;
    for (const entry of entries) addresses += renderAddress(entry);
  }
  return addresses === '' ? 'NIL' : `(${addresses})`;
}

/** address = "(" addr-name SP addr-adl SP addr-mailbox SP addr-host ")"; a NIL host begins and ends a group. */
function renderAddress(entry: AddressEntry): string {
  switch (entry.kind) {
    case 'group':
      return `(NIL NIL ${imapString(entry.name)} NIL)`;
    case 'end':
      return '(NIL NIL NIL NIL)';
    default: {
      const name = entry.name === '' ? null : entry.name;
      const route = entry.route === '' ? null : entry.route;
      // Where there is no domain it is empty, not NIL, which would begin a group.
      return `(${nstring(name)} ${nstring(route)} ${imapString(entry.localPart)} ${imapString(entry.domain)})`;
    }
  }
}
