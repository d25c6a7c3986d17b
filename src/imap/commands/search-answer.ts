// How results are told: as SEARCH or SORT always told them, or as the ESEARCH response that RETURN asks for (RFC 4731 §3.1,
// RFC 5267 §3, RFC 6203 §4, RFC 9394 §3.1); and what of them becomes `$` (RFC 5182 §2.4, RFC 9394 §3.2).

import type { SocketWriter } from '../../platform/socket-writer.ts';
import { partOf, type SearchReturn } from '../grammar/search-return.ts';
import { setPieces } from '../grammar/sequence-set.ts';
import { LIMIT } from '../limits.ts';
import type { Found } from '../search/finding.ts';
import type { Session } from './command.ts';

/** mailbox-data =/ "SEARCH" [1*(SP nz-number) SP search-sort-mod-seq] / "SORT" [1*(SP nz-number) SP search-sort-mod-seq]
 * search-sort-mod-seq = "(" "MODSEQ" SP mod-sequence-value ")" (RFC 7162 §7) */
export async function tellNumbers(
  { writer }: Session,
  name: 'SEARCH' | 'SORT',
  numbers: readonly number[],
  { uids, modSeqs }: Found,
): Promise<void> {
  writer.text(`* ${name}`);
  for (let at = 0; at < numbers.length; at += LIMIT.page) {
    writer.text(` ${numbers.slice(at, at + LIMIT.page).join(' ')}`);
    await writer.ready();
  }
  writer.text(modSeqs && numbers.length > 0 ? ` (MODSEQ ${highest(modSeqs, uids)})\r\n` : '\r\n');
}

function highest(modSeqs: ReadonlyMap<number, number>, uids: readonly (number | undefined)[]): number {
  return uids.reduce<number>((most, uid) => Math.max(most, modSeqs.get(uid ?? 0) ?? 0), 0);
}

/** RFC 4731 §3.2: of the messages that are told of. */
function toldModSeq(asked: SearchReturn, modSeqs: ReadonlyMap<number, number>, uids: readonly number[]): number {
  const { all, count, max, min, partial } = asked;
  if (all || count || !(min || max || partial)) return highest(modSeqs, uids);
  const told = [min ? uids[0] : undefined, max ? uids.at(-1) : undefined, ...(partial ? partOf(uids, partial) : [])];
  return highest(modSeqs, told);
}

/** The UIDs, or the sequence numbers that this client has for them now. */
export function numbersOf({ mailbox }: Session, uids: readonly number[], byUid: boolean): readonly number[] {
  return byUid ? uids : uids.map((uid) => mailbox.view.sequenceOf(uid));
}

/**
 * esearch-response = "ESEARCH" [search-correlator] [SP "UID"] *(SP search-return-data) (RFC 4466 §2.6.2)
 * @param correlator what stands within its parentheses. @param numbers what the client calls each result
 */
export async function tellExtended(
  writer: SocketWriter,
  correlator: string,
  byUid: boolean,
  asked: SearchReturn,
  { uids, scores, modSeqs }: Found,
  numbers: readonly number[],
): Promise<void> {
  writer.text(`* ESEARCH (${correlator})${byUid ? ' UID' : ''}`);
  const first = numbers[0];
  const last = numbers.at(-1);
  if (asked.min && first !== undefined) writer.text(` MIN ${first}`);
  if (asked.max && last !== undefined) writer.text(` MAX ${last}`);
  if (asked.all && first !== undefined) await tellSet(writer, ' ALL ', numbers);
  if (asked.partial) {
    const part = partOf(numbers, asked.partial);
    if (part.length === 0) writer.text(` PARTIAL (${asked.partial.text} NIL)`);
    else {
      await tellSet(writer, ` PARTIAL (${asked.partial.text} `, part);
      writer.text(')');
    }
  }
  if (asked.count) writer.text(` COUNT ${numbers.length}`);
  if (asked.relevancy && scores && scores.length > 0) {
    const told = asked.partial ? partOf(scores, asked.partial) : scores;
    writer.text(` RELEVANCY (${told.join(' ')})`);
  }
  if (modSeqs && uids.length > 0) writer.text(` MODSEQ ${toldModSeq(asked, modSeqs, uids)}`);
  writer.text('\r\n');
  await writer.ready();
}

async function tellSet(writer: SocketWriter, name: string, numbers: readonly number[]): Promise<void> {
  writer.text(name);
  for (const piece of setPieces(numbers)) {
    writer.text(piece);
    await writer.ready();
  }
}

/** Is there to be an ESEARCH response? RETURN (SAVE) alone asks for none (RFC 5182 §2.2). */
export function isTold({ min, max, count, all, partial, relevancy, update, save }: SearchReturn): boolean {
  return min || max || count || all || partial !== null || relevancy || update || !save;
}

/** What `$` is to hold. @returns UIDs, ascending */
export function savedOf({ min, max, count, all, partial }: SearchReturn, uids: readonly number[]): Uint32Array {
  const some = (min || max || partial !== null) && !count && !all;
  if (!some) return Uint32Array.from(uids).sort();
  const kept = new Set(partial ? partOf(uids, partial) : []);
  const [first] = uids;
  const last = uids.at(-1);
  if (min && first !== undefined) kept.add(first);
  if (max && last !== undefined) kept.add(last);
  return Uint32Array.from(kept).sort();
}
