// What FROM, TO, CC and BCC find besides the text of a field (RFC 3501 §6.4.4): its addresses as ENVELOPE shows them,
// without the comments, quotes and white space that may stand inside.

import { parseAddressList } from '../../formats/address-list.ts';
import { decodeWords } from '../../formats/encoded-words.ts';
import type { HeaderField } from '../../formats/header.ts';
import { fold } from './fold.ts';
import { foldedValue } from './message-text.ts';

const NAMES: readonly string[] = ['from', 'to', 'cc', 'bcc'];
/** Without one of these, an address is written as it is. */
const DISGUISE = /["(\\]|[ \t][@.]|[@.][ \t]/;

/** `name <user@host>` of each address of the field that is not written in this way there, folded and each on its own. */
export function addressTexts(field: HeaderField): readonly string[] {
  const { value } = field;
  if (!DISGUISE.test(value) || !NAMES.some((name) => field.is(name))) return [];
  const written = foldedValue(field);
  const texts: string[] = [];
  for (const entry of parseAddressList(value)) {
    if (entry.kind !== 'mailbox') continue;
    const name = fold(decodeWords(entry.name));
    const address = fold(`<${entry.localPart}@${entry.domain}>`);
    if (!written.includes(name) || !written.includes(address.slice(1, -1))) texts.push(`${name} ${address}`);
  }
  return texts;
}
