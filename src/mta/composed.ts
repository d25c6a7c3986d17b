// Messages that this server writes itself: staged to be accepted, and signed where they leave this machine (RFC 6376), so
// that a receiver who asks for signatures takes reports as it takes users' mail.

import type { Address } from '../formats/address.ts';
import { asBuffer, parseHeaderText } from '../formats/header.ts';
import type { Log } from '../platform/log.ts';
import { bodyFacts } from '../store/facts.ts';
import type { Staging, Store } from '../store/store.ts';
import type { DkimSigner } from '../trust/dkim/signer.ts';
import type { Arrival } from './accept.ts';

export interface ComposerOptions {
  readonly store: Pick<Store, 'stage'>;
  /** null: mail goes out unsigned. */
  readonly dkim: DkimSigner | null;
  readonly log: Log;
}

/** A message of our own, and the staging that holds it until it is accepted. */
export interface StagedReport {
  readonly arrival: Arrival;
  readonly staging: Staging;
}

/**
 * Stages a report.
 * @param pieces its octets in order; the first has the whole header with its empty line
 * @throws StoreError, with nothing kept
 */
export async function stageReport(
  { store, dkim, log }: ComposerOptions,
  from: Address,
  pieces: readonly Uint8Array[],
  arrival: Omit<Arrival, 'content' | 'front' | 'once'>,
): Promise<StagedReport> {
  const signer = arrival.remotes.length === 0 ? null : dkim;
  let front: Uint8Array | null = null;
  try {
    front = signer === null ? null : await composedSignature(signer, from, pieces);
  } catch (error) {
    // What it tells of happens in the same transaction, and is not to wait for a key.
    log.error({ err: error, message: arrival.messageId }, 'a report goes out unsigned');
  }
  const staging = store.stage();
  try {
    for (const piece of pieces) await staging.write(piece);
    const content = { body: staging.finish(), facts: bodyFacts(pieces[0] ?? new Uint8Array(0)) };
    return { staging, arrival: { ...arrival, content, ...(front === null ? {} : { front }) } };
  } catch (error) {
    staging.discard();
    throw error;
  }
}

/**
 * The DKIM-Signature fields of a message that this server has written, whole lines, to stand in front of it.
 * @param from the address in its From field
 * @param pieces its octets in order; the first has the whole header with its empty line
 * @throws DkimKeyError
 */
export async function composedSignature(
  dkim: DkimSigner,
  from: Address,
  pieces: readonly Uint8Array[],
): Promise<Uint8Array> {
  const [first = new Uint8Array(0), ...others] = pieces;
  const { fields, end } = parseHeaderText(asBuffer(first).toString('latin1'));
  const signature = dkim.begin();
  signature.body(first.subarray(end));
  for (const piece of others) signature.body(piece);
  const header = { octets: first.subarray(0, end), fields };
  return Buffer.from(await signature.fields(signingDomain(dkim, from.domain), header), 'latin1');
}

/** The domain of From, or the nearest above it, which DMARC takes for the same (RFC 7489 §3.1.1): a host is seldom a domain
 * that has keys. */
function signingDomain(dkim: DkimSigner, domain: string): string {
  for (let name = domain.toLowerCase(); name.includes('.'); name = name.slice(name.indexOf('.') + 1)) {
    if (dkim.signsFor(name)) return name;
  }
  return dkim.firstDomain;
}
