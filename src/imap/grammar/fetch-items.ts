// What FETCH asks for (RFC 3501 §6.4.5) as values. Pure; how an item is answered is commands/fetch.ts's and render's.

import { bad } from '../completion.ts';
import { LIMIT } from '../limits.ts';
import { imapString } from '../render/strings.ts';
import type { Scanner } from './scanner.ts';

type SectionText = 'HEADER' | 'HEADER.FIELDS' | 'HEADER.FIELDS.NOT' | 'TEXT' | 'MIME';

/** Which octets of a message: part numbers from the outside in, and which half of that part. */
export interface Section {
  readonly part: readonly number[];
  /** null: all of the part, or of the message where there is no part number. */
  readonly text: SectionText | null;
  /** Names for HEADER.FIELDS and HEADER.FIELDS.NOT, as they were written. */
  readonly fields: readonly string[];
}

export interface SectionItem {
  readonly item: 'section';
  readonly section: Section;
  /** `<offset.length>`; null: all. */
  readonly partial: { readonly offset: number; readonly length: number } | null;
  /** False: fetching it sets \Seen. */
  readonly peek: boolean;
  /** How the response names it: `BODY[1.MIME]<0>`. */
  readonly label: string;
}

/** A part with its transfer encoding undone (RFC 3516 §4.2); `partial` counts decoded octets. */
export interface BinaryItem extends Omit<SectionItem, 'item'> {
  readonly item: 'BINARY';
}

/** How many octets that is. */
interface BinarySizeItem {
  readonly item: 'BINARY.SIZE';
  readonly section: Section;
  readonly label: string;
}

export type FetchItem =
  | {
      readonly item:
        | 'UID'
        | 'FLAGS'
        | 'INTERNALDATE'
        | 'RFC822.SIZE'
        | 'ENVELOPE'
        | 'BODY'
        | 'BODYSTRUCTURE'
        | 'MODSEQ'
        | 'EMAILID'
        | 'THREADID'
        | 'SAVEDATE'
        | 'PREVIEW';
    }
  | SectionItem
  | BinaryItem
  | BinarySizeItem;

const FAST: readonly FetchItem[] = [{ item: 'FLAGS' }, { item: 'INTERNALDATE' }, { item: 'RFC822.SIZE' }];
const ALL: readonly FetchItem[] = [...FAST, { item: 'ENVELOPE' }];
const MACROS: Readonly<Record<string, readonly FetchItem[]>> = { FAST, ALL, FULL: [...ALL, { item: 'BODY' }] };

const WHOLE: Section = { part: [], text: null, fields: [] };

/** RFC 3501 §6.4.5: RFC822 and its kin are sections under another name. */
const OLD_NAMES: Readonly<Record<string, SectionItem>> = {
  RFC822: { item: 'section', section: WHOLE, partial: null, peek: false, label: 'RFC822' },
  'RFC822.HEADER': {
    item: 'section',
    section: { ...WHOLE, text: 'HEADER' },
    partial: null,
    peek: true,
    label: 'RFC822.HEADER',
  },
  'RFC822.TEXT': {
    item: 'section',
    section: { ...WHOLE, text: 'TEXT' },
    partial: null,
    peek: false,
    label: 'RFC822.TEXT',
  },
};

/** fetch-items = "ALL" / "FULL" / "FAST" / fetch-att / "(" fetch-att *(SP fetch-att) ")" */
export function fetchItems(scanner: Scanner): readonly FetchItem[] {
  if (scanner.atList) {
    const items = scanner.list(() => fetchItem(scanner));
    if (items.length === 0) throw bad('FETCH asks for nothing');
    return items;
  }
  const macro = MACROS[scanner.peekWord()];
  if (!macro) return [fetchItem(scanner)];
  scanner.word('a macro');
  return macro;
}

/** fetch-att = "ENVELOPE" / "FLAGS" / "INTERNALDATE" / "RFC822" [".HEADER" / ".SIZE" / ".TEXT"] /
 *   "BODY" ["STRUCTURE"] / "UID" / "BODY" section [partial] / "BODY.PEEK" section [partial] / "MODSEQ" (RFC 7162 §7) /
 *   "EMAILID" / "THREADID" (RFC 8474 §7) / "SAVEDATE" (RFC 8514 §4.2) /
 *   "BINARY" [".PEEK"] section-binary [partial] / "BINARY.SIZE" section-binary (RFC 3516 §7) /
 *   "PREVIEW" [SP "(" preview-mod *(SP preview-mod) ")"]; preview-mod = "LAZY" (RFC 8970 §6) */
function fetchItem(scanner: Scanner): FetchItem {
  const name = scanner.word('a FETCH item');
  switch (name) {
    case 'UID':
    case 'FLAGS':
    case 'INTERNALDATE':
    case 'RFC822.SIZE':
    case 'ENVELOPE':
    case 'BODYSTRUCTURE':
    case 'MODSEQ':
    case 'EMAILID':
    case 'THREADID':
    case 'SAVEDATE':
      return { item: name };
    case 'BODY':
    case 'BODY.PEEK':
      if (scanner.accept('[')) return sectionItem(scanner, name === 'BODY.PEEK');
      if (name === 'BODY') return { item: name };
      break;
    case 'PREVIEW':
      // Every preview is there already: nobody has to wait for one. Another list is that of the modifiers of FETCH.
      if (scanner.acceptText(' (LAZY')) {
        while (scanner.acceptText(' LAZY'));
        scanner.expect(')');
      }
      return { item: name };
    case 'BINARY':
    case 'BINARY.PEEK':
    case 'BINARY.SIZE':
      scanner.expect('[');
      return binaryItem(scanner, name);
  }
  const old = OLD_NAMES[name];
  if (!old) throw bad('FETCH asks for an item that is not known');
  return old;
}

/** section = "[" [section-spec] "]"; the bracket is open already. */
function sectionItem(scanner: Scanner, peek: boolean): SectionItem {
  const spec = scanner.peekWord();
  if (spec !== '') scanner.word('a section');
  const section = sectionSpec(spec, scanner);
  scanner.expect(']');
  const partial = scanner.accept('<') ? partialRange(scanner) : null;
  const names = section.fields.length > 0 ? ` (${section.fields.map(fieldText).join(' ')})` : '';
  const label = `BODY[${spec}${names}]${partial ? `<${partial.offset}>` : ''}`;
  return { item: 'section', section, partial, peek, label };
}

/** section-binary = "[" [section-part] "]"; the bracket is open already. */
function binaryItem(scanner: Scanner, name: 'BINARY' | 'BINARY.PEEK' | 'BINARY.SIZE'): BinaryItem | BinarySizeItem {
  const spec = scanner.peekWord();
  if (spec !== '') scanner.word('a section');
  const section = sectionSpec(spec, scanner);
  if (section.text !== null) throw bad('BINARY is for parts, by their numbers');
  scanner.expect(']');
  if (name === 'BINARY.SIZE') return { item: name, section, label: `${name}[${spec}]` };
  const partial = scanner.accept('<') ? partialRange(scanner) : null;
  const label = `BINARY[${spec}]${partial ? `<${partial.offset}>` : ''}`;
  return { item: 'BINARY', section, partial, peek: name === 'BINARY.PEEK', label };
}

/** section-spec = section-msgtext / (section-part ["." section-text])
 * section-msgtext = "HEADER" / "HEADER.FIELDS" [".NOT"] SP header-list / "TEXT"
 * section-part = nz-number *("." nz-number); section-text = section-msgtext / "MIME" */
export function sectionSpec(spec: string, scanner: Scanner): Section {
  const parts = /^((?:[1-9]\d{0,9})(?:\.[1-9]\d{0,9})*)?(?:(^|\.)([A-Z.]+))?$/.exec(spec);
  const numbers = parts?.[1];
  const text = parts?.[3] ?? null;
  if (!parts || (text !== null && (numbers === undefined) !== (parts[2] === ''))) throw bad('A section is not one');
  if (text === 'MIME' && numbers === undefined) throw bad('MIME needs a part number');
  const part = numbers === undefined ? [] : numbers.split('.').map(Number);
  if (part.length > LIMIT.listDepth) throw bad('A section is too deep');
  switch (text) {
    case null:
    case 'HEADER':
    case 'TEXT':
    case 'MIME':
      return { part, text, fields: [] };
    case 'HEADER.FIELDS':
    case 'HEADER.FIELDS.NOT': {
      scanner.space();
      const fields = scanner.list(() => scanner.astring().toString('latin1'));
      if (fields.length === 0) throw bad('A section names no header fields');
      return { part, text, fields };
    }
    default:
      throw bad('A section is not one');
  }
}

/** partial = "<" number64 "." nz-number64 ">" (RFC 9051 §9); the bracket is open already. */
function partialRange(scanner: Scanner): { offset: number; length: number } {
  const offset = scanner.number64();
  scanner.expect('.');
  const length = scanner.nzNumber64();
  scanner.expect('>');
  return { offset, length };
}

/** header-fld-name = astring. What is not ASCII comes back in a literal, as it came. */
function fieldText(name: string): string {
  // ASTRING-CHAR, without the braces and brackets that would be hard on simple parsers.
  return /^[!#$&'+\-./0-9:;<=>?@A-Z^_`a-z|~]+$/.test(name) ? name.toUpperCase() : imapString(name);
}
