// The header of one message as SEARCH sees it (RFC 3501 §6.4.4): each field is decoded and folded once, and each question
// is answered once, however often a program comes back to it.

import { parseDate } from '../../formats/date.ts';
import { firstField, type HeaderField } from '../../formats/header.ts';
import { addressTexts } from './address-text.ts';
import { fold } from './fold.ts';
import type { Day } from './keys.ts';
import { foldedValue } from './message-text.ts';

/** What a key wants to know of a header; the key holds on to it, for it is what the answer is remembered by. */
export interface HeaderQuestion {
  /** Of the fields of this name, in lower case; null: of all of them, with their names. */
  readonly name: string | null;
  /** Also of the addresses in them. */
  readonly addresses?: boolean;
  /** Is the text in what is given, which is folded? */
  readonly holds: (text: string) => boolean;
}

/** Between fields: no string of a client has it. */
const APART = '\0';
const DAY = 86_400_000;

export class SearchedHeader {
  readonly fields: readonly HeaderField[];
  readonly #answers = new Map<HeaderQuestion, boolean>();
  readonly #folded = new Map<string, string | null>();
  readonly #addresses = new Map<HeaderField, readonly string[]>();
  #lines: string | null = null;
  #sentDay: Day | null | undefined;

  constructor(fields: readonly HeaderField[]) {
    this.fields = fields;
  }

  answer(question: HeaderQuestion): boolean {
    const known = this.#answers.get(question);
    if (known !== undefined) return known;
    const text = question.name === null ? this.#all() : this.#named(question.name);
    const answer = text !== null && (question.holds(text) || this.#inAddresses(question));
    this.#answers.set(question, answer);
    return answer;
  }

  /** The day of the Date field, in its zone: time and zone are disregarded. null: there is none. */
  get sentDay(): Day | null {
    if (this.#sentDay === undefined) {
      const date = parseDate(firstField(this.fields, 'date')?.value ?? '');
      this.#sentDay = date === null ? null : dayOf(date.time, date.zone);
    }
    return this.#sentDay;
  }

  /** The values of the fields of a name; null: there is no such field. */
  #named(name: string): string | null {
    let text = this.#folded.get(name);
    if (text === undefined) {
      const values = this.fields.filter((field) => field.is(name)).map(foldedValue);
      text = values.length === 0 ? null : values.join(APART);
      this.#folded.set(name, text);
    }
    return text;
  }

  #inAddresses({ name, addresses, holds }: HeaderQuestion): boolean {
    if (name === null || !addresses) return false;
    return this.fields.some((field) => field.is(name) && this.#addressesOf(field).some(holds));
  }

  #addressesOf(field: HeaderField): readonly string[] {
    const known = this.#addresses.get(field);
    if (known) return known;
    const texts = addressTexts(field);
    this.#addresses.set(field, texts);
    return texts;
  }

  #all(): string {
    this.#lines ??= headerText(this.fields);
    return this.#lines;
  }
}

/** All fields with their names, folded. */
function headerText(fields: readonly HeaderField[]): string {
  return fields.map((field) => `${fold(field.name)}: ${foldedValue(field)}`).join(APART);
}

/** The same for the index, with all that the question of a key may be answered by. */
export function indexedHeader(fields: readonly HeaderField[]): string {
  return [headerText(fields), ...fields.flatMap(addressTexts)].join(APART);
}

/** The date that a moment has in its zone. `time` in ms since the epoch, `zone` in minutes. */
export function dayOf(time: number, zone: number): Day {
  return Math.floor((time + zone * 60_000) / DAY);
}
