// Reports that this server writes itself (RFC 3464): staged to be accepted, and signed where they leave this machine
// (RFC 6376), so that a receiver who asks for signatures takes them as it takes users' mail. What there is to tell, and
// whether anybody wants to hear it, is said elsewhere.

import type { Address } from '../formats/address.ts';
import { asBuffer, parseHeaderText } from '../formats/header.ts';
import { messageId as makeMessageId } from '../formats/message-id.ts';
import { deliveryReport } from '../formats/report.ts';
import type { ReportedRecipient } from '../formats/report-facts.ts';
import { newIdentifier } from '../platform/identifier.ts';
import type { Log } from '../platform/log.ts';
import { bodyFacts } from '../store/facts.ts';
import type { Staging, Store } from '../store/store.ts';
import type { DkimSigner } from '../trust/dkim/signer.ts';
import type { Arrival } from './accept.ts';
import { zoneAt } from './transaction-facts.ts';

export interface ComposerOptions {
  readonly store: Pick<Store, 'stage'>;
  readonly hostname: string;
  /** null: mail goes out unsigned. */
  readonly dkim: DkimSigner | null;
  readonly log: Log;
}

/** A message of our own, and the staging that holds it until it is accepted. */
export interface StagedReport {
  readonly arrival: Arrival;
  readonly staging: Staging;
}

/** The message that is reported on. */
interface Reported extends Pick<Arrival, 'messageId' | 'parameters'> {
  readonly origin: Omit<Arrival['origin'], 'role' | 'account'>;
  /** ms since the epoch: when it was taken. */
  readonly takenAt: number;
  /** Of its Message-ID field. */
  readonly fieldId: string | null;
  /** What goes back of it: all, or its header. */
  readonly returned: Uint8Array;
  readonly whole?: boolean;
}

/** Who gets the report, and when, ms since the epoch. */
interface Readers extends Pick<Arrival, 'locals' | 'remotes' | 'now'> {
  readonly to: Address;
}

/** The postmaster of a host is somebody (RFC 5321 §4.5.1), so an answer to what they send is read. */
export function postmasterOf(hostname: string): Address {
  return { localPart: 'postmaster', domain: hostname };
}

/** Stages a report of the postmaster's. @throws StoreError, with nothing kept */
export async function stageReport(
  { store, hostname, dkim, log }: ComposerOptions,
  { parameters, origin, takenAt, fieldId, returned, whole = false, ...message }: Reported,
  recipients: readonly ReportedRecipient[],
  { to, locals, remotes, now }: Readers,
): Promise<StagedReport> {
  const from = postmasterOf(hostname);
  const messageId = `${message.messageId}.dsn`;
  const frame = deliveryReport({
    reportingMta: hostname,
    from,
    to,
    messageId: makeMessageId(`${now.toString(36)}.${newIdentifier()}.${messageId}`, hostname),
    sevenBit: remotes.length > 0,
    boundary: `${newIdentifier()}${newIdentifier()}`,
    time: now,
    zone: zoneAt(now),
    original: {
      arrival: takenAt,
      envid: parameters.envid ?? null,
      messageId: fieldId,
      utf8: parameters.smtputf8 === true,
      eightBit: parameters.body === '8BITMIME' || parameters.body === 'BINARYMIME',
      holdUntil: parameters.holdUntil,
      holdRequest: parameters.holdRequest,
      deliverBy: parameters.deliverBy?.at,
      returned: whole ? 'FULL' : 'HDRS',
    },
    recipients,
  });
  const pieces = [frame.before, frame.returned(returned), frame.after];
  const signer = remotes.length === 0 ? null : dkim;
  let front: Uint8Array | null = null;
  try {
    front = signer === null ? null : await composedSignature(signer, from, pieces);
  } catch (error) {
    // What it tells of happens in the same transaction, and is not to wait for a key.
    log.error({ err: error, message: messageId }, 'a report goes out unsigned');
  }
  const staging = store.stage();
  try {
    for (const piece of pieces) await staging.write(piece);
    return {
      staging,
      arrival: {
        messageId,
        origin: { ...origin, role: 'local', account: null },
        reversePath: null,
        parameters: {
          ...(frame.utf8 ? { smtputf8: true } : {}),
          ...(frame.eightBit ? { body: '8BITMIME' } : {}),
          // RFC 8689 §5, RFC 6710 §4.6: as the message.
          ...(parameters.requiretls === true ? { requiretls: true } : {}),
          ...(parameters.priority === undefined ? {} : { priority: parameters.priority }),
        },
        locals,
        remotes,
        content: { body: staging.finish(), facts: bodyFacts(frame.before) },
        ...(front === null ? {} : { front }),
        now,
      },
    };
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
async function composedSignature(dkim: DkimSigner, from: Address, pieces: readonly Uint8Array[]): Promise<Uint8Array> {
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
