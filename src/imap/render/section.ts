// BODY[section] (RFC 3501 §6.4.5) as a range of a message's octets. A message is the prefix that its recipient has
// (Return-Path, Delivered-To) and the shared body behind it; offsets of the structure count from the body. Reading is
// somebody else's.

import { parseHeaderText } from '../../formats/header.ts';
import { asBuffer } from '../../formats/octets.ts';
import type { Section } from '../grammar/fetch-items.ts';

/** Where an entity lies: what the sections of a message need of its structure. `Entity` is one. */
export interface Place {
  readonly start: number;
  readonly bodyStart: number;
  readonly end: number;
  readonly parts: readonly Place[] | null;
  readonly message: Place | null;
}

/** Octets `[from, to)` of a message, prefix and body counted as one. */
export interface SectionRange {
  readonly from: number;
  readonly to: number;
  /** These octets are a header of which only some fields are wanted: see headerFields. */
  readonly filtered: boolean;
}

/**
 * Finds a section. `prefix` is the length of the message's prefix in octets.
 * @returns null where the message has no such part, or the part no such half
 */
export function resolveSection(root: Place, prefix: number, section: Section): SectionRange | null {
  const filtered = section.text === 'HEADER.FIELDS' || section.text === 'HEADER.FIELDS.NOT';
  const [from, to] = bounds(root, section) ?? [];
  if (from === undefined || to === undefined) return null;
  // The prefix stands in front of the message's own header and moves all the rest.
  const whole = section.part.length === 0 ? section.text !== 'TEXT' : section.text === 'MIME' && from === root.start;
  return { from: whole ? 0 : from + prefix, to: to + prefix, filtered };
}

function bounds(root: Place, { part, text }: Section): readonly [from: number, to: number] | null {
  const place = partOf(root, part);
  if (place === null) return null;
  if (text === null) return [part.length === 0 ? place.start : place.bodyStart, place.end];
  if (text === 'MIME') return [place.start, place.bodyStart];
  // HEADER and TEXT are those of a message: the whole one, or what a message/rfc822 part holds.
  const message = part.length === 0 ? place : place.message;
  if (message === null) return null;
  return text === 'TEXT' ? [message.bodyStart, message.end] : [message.start, message.bodyStart];
}

/** Part numbers lead from the outside in; the body of a message that is no multipart is its part 1. */
export function partOf(root: Place, numbers: readonly number[]): Place | null {
  let place = root;
  let message: Place | null = root;
  for (const number of numbers) {
    const parts: readonly Place[] = place.parts ?? message?.parts ?? (message === null ? [] : [message]);
    const next = parts[number - 1];
    if (next === undefined) return null;
    place = next;
    message = next.message;
  }
  return place;
}

/**
 * HEADER.FIELDS and HEADER.FIELDS.NOT: the fields of these names (`not`: all others) as they stand, and the empty line
 * where the header has one. Case does not matter.
 */
export function headerFields(header: Uint8Array, names: readonly string[], not: boolean): Uint8Array {
  const wanted = new Set(names.map((name) => name.toLowerCase()));
  const text = asBuffer(header).toString('latin1');
  const { fields } = parseHeaderText(text);
  let chosen = '';
  for (const field of fields) {
    if (wanted.has(field.name.toLowerCase()) === not) continue;
    const raw = text.slice(field.offset, field.offset + field.length);
    chosen += raw.endsWith('\n') ? raw : `${raw}\r\n`;
  }
  return Buffer.from(endsEmpty(text) ? `${chosen}\r\n` : chosen, 'latin1');
}

/** RFC 3501 §6.4.5: a message without a body may have no empty line, and then none is shown. */
function endsEmpty(header: string): boolean {
  return header === '\r\n' || header === '\n' || header.endsWith('\n\r\n') || header.endsWith('\n\n');
}
