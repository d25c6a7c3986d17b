// Bodies in the writer's hands: staged in chunks, completed by a command, freed when nothing refers to them. A body is
// stored once and never changed.

import { runsOf } from '../ascending.ts';
import type { StagedBody } from '../commands.ts';
import { Limit } from '../limits.ts';
import type { BodyId } from '../rows.ts';
import { StoreError } from '../store.ts';
import type { Work } from './work.ts';

/** Stores one staged chunk. All but a body's last one, which mostly travels with its command, have the full size. */
export function stageChunk(work: Work, stage: number, place: number, octets: Uint8Array): void {
  let known = work.stages.get(stage);
  if (known === undefined) {
    known = { body: work.numbers.next('body'), chunks: 0, last: 0, broken: false };
    work.stages.set(stage, known);
  }
  if (known.broken || place > known.chunks) {
    throw new StoreError('full', 'An earlier part of this body could not be stored');
  }
  // A chunk may come again when its transaction was lost through another command.
  if (place === 0) work.db.run('INSERT OR REPLACE INTO body (id, size, refs) VALUES (?, 0, 0)', known.body);
  putChunk(work, known.body, place, octets);
  known.chunks = place + 1;
  known.last = octets.length;
}

/** A chunk was not committed, be it the first: no command may use its body, nor may later chunks make it look whole. */
export function breakStage(work: Pick<Work, 'stages' | 'numbers'>, stage: number): void {
  const known = work.stages.get(stage);
  if (known !== undefined) known.broken = true;
  else work.stages.set(stage, { body: work.numbers.next('body'), chunks: 0, last: 0, broken: true });
}

/**
 * Makes a body of what was staged and what came with the command. @param refs how many rows refer to it
 * @throws StoreError full, if a part is missing
 */
export function completeBody(work: Work, staged: StagedBody, refs: number): BodyId {
  const stage = staged.stage === null ? undefined : work.stages.get(staged.stage);
  if (staged.stage !== null && stage === undefined) throw new StoreError('failed', 'This body is not staged');
  if (stage?.broken) throw new StoreError('full', 'A part of this body could not be stored');
  const chunks = stage?.chunks ?? 0;
  const ahead = stage === undefined ? 0 : (chunks - 1) * Limit.chunkOctets + stage.last;
  const full = stage === undefined || stage.last === Limit.chunkOctets;
  if (ahead + staged.tail.length !== staged.size || (staged.tail.length > 0 && !full)) {
    throw new StoreError('failed', 'This body is not whole');
  }
  const body = stage?.body ?? work.numbers.next('body');
  if (stage === undefined) {
    work.db.run('INSERT INTO body (id, size, refs) VALUES (?, ?, ?)', body, staged.size, refs);
  } else {
    work.db.run('UPDATE body SET size = ?, refs = ? WHERE id = ?', staged.size, refs, body);
    const number = staged.stage;
    work.after(() => number !== null && work.stages.delete(number));
  }
  for (let at = 0; at < staged.tail.length; at += Limit.chunkOctets) {
    const end = Math.min(at + Limit.chunkOctets, staged.tail.length);
    putChunk(work, body, chunks + at / Limit.chunkOctets, staged.tail.subarray(at, end));
  }
  return body;
}

function putChunk(work: Work, body: BodyId, place: number, octets: Uint8Array): void {
  if (place >= Limit.chunksPerBody) throw new StoreError('refused', 'The body is too large');
  work.db.run('INSERT OR REPLACE INTO body_chunk (id, octets) VALUES ((? << 16) | ?, ?)', body, place, octets);
}

/** One more row refers to each of these bodies; to one that is named twice, two. What came together lies together. */
export function holdBodies(work: Work, bodies: readonly BodyId[]): void {
  for (const { first, last } of runsOf(bodies)) {
    work.db.run('UPDATE OR FAIL body SET refs = refs + 1 WHERE id BETWEEN ? AND ?', first, last);
  }
}

/** One row less refers to a body; one without any is freed later. */
export function releaseBody(work: Pick<Work, 'db' | 'unused'>, body: BodyId): void {
  const left = work.db.get<{ refs: number }>('UPDATE body SET refs = refs - 1 WHERE id = ? RETURNING refs', body);
  if (left?.refs === 0) work.unused(body);
}

/** As `releaseBody`, for what is mostly small and mostly referred to once: such a body goes at once, since to free it
 * later would cost a transaction more. */
export function dropBody(work: Work, body: BodyId): void {
  const gone = work.db.run('DELETE FROM body WHERE id = ? AND refs = 1 AND size <= ?', body, Limit.chunkOctets);
  if (gone === 0) {
    releaseBody(work, body);
    return;
  }
  work.db.run('DELETE FROM body_chunk WHERE id = (? << 16)', body);
  work.freed(body);
}

/** Forgets a stage that no command will use. */
export function discardStage(work: Pick<Work, 'stages' | 'unused'>, stage: number): void {
  const known = work.stages.get(stage);
  if (known === undefined) return;
  work.stages.delete(stage);
  work.unused(known.body);
}
