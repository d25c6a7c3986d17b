// What SORT and THREAD compare of a message (RFC 5256 §2, §3; RFC 5957), computed once from its header and kept in its
// summary. Strings are folded as SEARCH folds them and stand as octets of UTF-8, so that comparing them is comparing
// octets (i;unicode-casemap, RFC 5051).

import { type AddressEntry, parseAddressList } from '../../formats/address-list.ts';
import { parseDate } from '../../formats/date.ts';
import { decodeWords } from '../../formats/encoded-words.ts';
import { firstField, type HeaderField } from '../../formats/header.ts';
import { messageIds } from '../../formats/message-id.ts';
import { textOfOctets } from '../../formats/octets.ts';
import { fold } from '../search/fold.ts';
import { baseSubject } from './base-subject.ts';

export interface SortValues {
  /** The sent date, ms since the epoch; null: there is no Date that can be read, and INTERNALDATE stands for it. */
  readonly sent: number | null;
  /** The base subject. */
  readonly subject: string;
  /** The subject says that it is a reply or forward. */
  readonly reply: boolean;
  /** addr-mailbox of the first address. */
  readonly from: string;
  readonly to: string;
  readonly cc: string;
  readonly displayFrom: string;
  readonly displayTo: string;
  /** Without angle brackets; '' for none. */
  readonly id: string;
  /** Identifiers of the ancestors, the oldest first. */
  readonly references: readonly string[];
}

/** Characters of a string that are compared: a subject of a megabyte must not be kept for each message. */
const LONGEST = 500;
/** The nearest ancestors that are kept, and characters of them all. */
const MOST_REFERENCES = 200;
const MOST_REFERENCE_TEXT = 16_384;

export function sortValuesOf(fields: readonly HeaderField[]): SortValues {
  const octets = (name: string) => firstField(fields, name)?.octets ?? '';
  const date = parseDate(octets('date'));
  const { text, reply } = baseSubject(decodeWords(firstField(fields, 'subject')?.value ?? '').slice(0, LONGEST));
  const [from] = parseAddressList(octets('from'));
  const [to] = parseAddressList(octets('to'));
  const [cc] = parseAddressList(octets('cc'));
  return {
    sent: date?.time ?? null,
    subject: comparable(text),
    reply,
    from: comparable(mailboxOf(from)),
    to: comparable(mailboxOf(to)),
    cc: comparable(mailboxOf(cc)),
    displayFrom: comparable(displayOf(from)),
    displayTo: comparable(displayOf(to)),
    id: identifiers(octets('message-id'), 1)[0] ?? '',
    references: referencesOf(octets('references'), octets('in-reply-to')),
  };
}

/** addr-mailbox (RFC 3501 §7.4.2): of the start of a group it is the group's name. */
function mailboxOf(entry: AddressEntry | undefined): string {
  if (entry === undefined || entry.kind === 'end') return '';
  return textOfOctets(entry.kind === 'group' ? entry.name : entry.localPart);
}

/** The DISPLAY sort value (RFC 5957 §3): the decoded name, or the address. */
function displayOf(entry: AddressEntry | undefined): string {
  if (entry?.kind !== 'mailbox') return mailboxOf(entry);
  const name = decodeWords(textOfOctets(entry.name));
  if (name !== '') return name;
  return textOfOctets(`${entry.localPart}@${entry.domain}`);
}

/** Octets of folded UTF-8, without what separates keys from each other. */
function comparable(text: string): string {
  const folded = Buffer.from(fold(text.slice(0, LONGEST))).toString('latin1');
  return folded.includes('\0') ? folded.replaceAll('\0', ' ') : folded;
}

/** RFC 5256 §3: the identifiers of References or, where there is none that is valid, the first one of In-Reply-To. */
function referencesOf(references: string, inReplyTo: string): readonly string[] {
  const ancestors = identifiers(references, MOST_REFERENCES);
  let length = 0;
  const near = ancestors.findLastIndex((id) => {
    length += id.length + 1;
    return length > MOST_REFERENCE_TEXT;
  });
  return ancestors.length > 0 ? ancestors.slice(near + 1) : identifiers(inReplyTo, MOST_REFERENCES).slice(0, 1);
}

/** The valid ones, in one spelling: RFC 5256 §3 has `"a"@b` and `a@b` be the same. */
function identifiers(value: string, limit: number): readonly string[] {
  return messageIds(value, limit)
    .filter((id) => /.@./.test(id))
    .map((id) =>
      id.includes('"') ? id.replace(/"((?:[^"\\]|\\.)*)"/g, (_, inner) => inner.replace(/\\(.)/g, '$1')) : id,
    );
}

/** As binary text: the values behind each other with NUL between them, the identifiers with spaces. */
export function writeSortKeys(values: SortValues): string {
  const { sent, subject, reply, from, to, cc, displayFrom, displayTo, id, references } = values;
  const date = sent === null ? '' : `${sent}`;
  return [date, subject, reply ? 'R' : '', from, to, cc, displayFrom, displayTo, id, references.join(' ')].join('\0');
}

const NO_REFERENCES: readonly string[] = [];
/** Octets that one identifier takes beside its characters. */
const REFERENCE_OCTETS = 40;

/** The values as they are kept at hand for many messages: one text, of which each is cut when it is asked for. What THREAD
 * and most SORTs look at is kept then. */
export class SortKeys implements SortValues {
  readonly text: string;
  readonly sent: number | null;
  #subject: string | null = null;
  #id: string | null = null;
  #references: readonly string[] | null = null;

  /** @param text of writeSortKeys */
  constructor(text: string) {
    this.text = text;
    const date = this.#value(0);
    this.sent = date === '' ? null : Number(date);
  }

  get subject(): string {
    this.#subject ??= this.#value(1);
    return this.#subject;
  }

  get reply(): boolean {
    return this.#value(2) === 'R';
  }

  get from(): string {
    return this.#value(3);
  }

  get to(): string {
    return this.#value(4);
  }

  get cc(): string {
    return this.#value(5);
  }

  get displayFrom(): string {
    return this.#value(6);
  }

  get displayTo(): string {
    return this.#value(7);
  }

  get id(): string {
    this.#id ??= this.#value(8);
    return this.#id;
  }

  get references(): readonly string[] {
    if (this.#references !== null) return this.#references;
    const value = this.#value(9);
    const references = value === '' ? NO_REFERENCES : value.split(' ');
    // What is kept weighs no more than the text.
    if (references.length * REFERENCE_OCTETS <= this.text.length) this.#references = references;
    return references;
  }

  #value(place: number): string {
    let from = 0;
    for (let passed = 0; passed < place; passed++) {
      const end = this.text.indexOf('\0', from);
      if (end < 0) return '';
      from = end + 1;
    }
    const end = this.text.indexOf('\0', from);
    return end < 0 ? this.text.slice(from) : this.text.slice(from, end);
  }
}
