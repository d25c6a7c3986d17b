// One message out of the spool into our hands: its envelope read, its header completed, taken over in one transaction with
// the report on those that were refused where nobody waits for the answer.

import { isAscii } from 'node:buffer';
import type { Address, ReversePath } from '../formats/address.ts';
import { formatAddress, isAscii as isAsciiAddress, parseMailbox } from '../formats/address.ts';
import { formatDate } from '../formats/date.ts';
import type { MailParameters, RcptParameters } from '../formats/envelope.ts';
import { messageId as makeMessageId } from '../formats/message-id.ts';
import { Refusal, type Reply } from '../formats/refusal.ts';
import { receivedField } from '../formats/trace.ts';
import { accept } from '../mta/accept.ts';
import type { StagedReport } from '../mta/composed.ts';
import { type ArrivedHeader, stageContent } from '../mta/content.ts';
import { deliveredReport, wantsFailure } from '../mta/delivered.ts';
import { RecipientList } from '../mta/recipients.ts';
import { type Rejected, rejectionReport } from '../mta/rejected.ts';
import { storeRefusal } from '../mta/store-refusal.ts';
import type { TakeoverOptions } from '../mta/takeover.ts';
import { zoneAt } from '../mta/transaction-facts.ts';
import { completeLocalHeader } from './local-header.ts';
import { type Submitter, sealOf } from './seal.ts';
import { SevenBitContent } from './seven-bit-content.ts';
import { SpoolDamage, type Spooled, type SpoolPlace } from './spool.ts';

/** `kept`: not now, but it stays in the spool and is tried again. */
export type Taken =
  | { readonly kind: 'taken' }
  | { readonly kind: 'kept'; readonly text: string }
  | { readonly kind: 'refused'; readonly replies: readonly Reply[] };

export interface LocalSubmissionOptions extends TakeoverOptions {
  readonly spool: SpoolPlace;
  /** The domain of addresses that have none. */
  readonly origin: string;
}

/** The status of a mailbox that is full (RFC 3463 §3.3), which says nothing of the others. */
const FULL = '4.2.2';

/** The keys of a message, and of the reports on who was refused and on who has it. */
export function keysOf(id: string): [string, string, string] {
  return [`spool ${id}`, `spool ${id} report`, `spool ${id} delivered`];
}

/**
 * Takes the message over.
 * @param heard somebody waits for the answer
 * @throws SpoolDamage; any other error is ours
 */
export async function submit(
  options: LocalSubmissionOptions,
  id: string,
  spooled: Spooled,
  heard: boolean,
): Promise<Taken> {
  const { store, directory, hostname, limits, queue, clock, log } = options;
  const { envelope } = spooled;
  const { reversePath, addresses, parameters: said, rcpt } = readPaths(spooled);
  const now = clock.now();
  const expired = now >= envelope.createdAt + queue.expire;
  const recipients = new RecipientList(directory, store, undefined);
  const rejected: Rejected[] = [];
  const full: Rejected[] = [];
  for (const address of addresses) {
    try {
      await recipients.add(address, rcpt, () => options.room.remote());
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { code, status } = error.reply;
      const refused = { address, parameters: rcpt, refusal: error };
      if (code >= 500 || expired) rejected.push(refused);
      else if (status === FULL) full.push(refused);
      else return { kind: 'kept', text: error.message };
    }
  }
  // All or nobody: who hears it puts the address right, and sends to all of them.
  if (heard && rejected.length > 0) return { kind: 'refused', replies: rejected.map(named) };
  const [first] = full;
  if (first !== undefined && full.length + rejected.length === addresses.length) {
    return { kind: 'kept', text: first.refusal.message };
  }
  // One mailbox that is full keeps nobody else's mail waiting.
  rejected.push(...full);

  const messageId = `${id}-1`;
  const { locals, remotes } = recipients;
  const seal = options.dkim === null ? null : sealOf(options.dkim, submitterOf(options, spooled), reversePath);
  const sent = remotes.length > 0 ? new SevenBitContent(spooled.content(), said, limits) : null;
  const staging = store.stage();
  const reports: StagedReport[] = [];
  try {
    let header: Uint8Array = new Uint8Array(0);
    const replace = (arrived: ArrivedHeader): Uint8Array => {
      header = completeLocalHeader(arrived, {
        origin: options.origin,
        received: receivedField({
          hello: null,
          remoteAddress: null,
          by: hostname,
          protocol: null,
          id: messageId,
          tls: null,
          recipient: recipients.only,
          time: now,
          zone: zoneAt(now),
        }),
        // When it was handed over, however long it lay.
        date: formatDate(envelope.createdAt, zoneAt(envelope.createdAt)),
        messageId: makeMessageId(`${envelope.createdAt.toString(36)}.${messageId}`, hostname),
        from: reversePath ?? { localPart: envelope.user, domain: options.origin },
        fullName: envelope.fullName,
      });
      return header;
    };
    const content = await stageContent(sent ?? spooled.content(), staging, sent?.limits ?? limits, replace, seal);
    const sealed = seal === null ? {} : { front: await seal.fields() };
    const origin = {
      role: 'local',
      session: id,
      remoteAddress: null,
      localPort: null,
      account: null,
      tls: null,
    } as const;
    const told = sent === null ? said : sent.parameters;
    const paths = reversePath === null ? addresses : [reversePath, ...addresses];
    const parameters = isAscii(header) && paths.every(isAsciiAddress) ? told : { ...told, smtputf8: true };
    const [once, rejectedOnce, deliveredOnce] = keysOf(id);
    const arrival = { messageId, origin, reversePath, parameters, locals, remotes, content, now, once, ...sealed };
    if (rejected.length > 0 && wantsFailure(rcpt)) {
      const known = { messageId, reversePath, parameters, header, arrival: envelope.createdAt, now };
      reports.push(withKey(await rejectionReport(options, known, rejected), rejectedOnce));
    }
    const stored = sealed.front === undefined ? header : Buffer.concat([sealed.front, header]);
    const delivered = await deliveredReport(options, arrival, recipients.named, stored);
    if (delivered !== null) reports.push(withKey(delivered, deliveredOnce));
    const from = reversePath === null ? '<>' : formatAddress(reversePath);
    log.info(
      { message: messageId, hop: 'MUA→MSA', from, user: envelope.user, uid: spooled.uid, size: content.body.size },
      'received',
    );
    log.info({ message: messageId, hop: 'MSA→MTA', local: locals.length, queued: remotes.length }, 'handed over');
    const others = reports.map((report) => report.arrival);
    await accept(store, log, arrival, queue, others);
    return { kind: 'taken' };
  } catch (error) {
    staging.discard();
    for (const report of reports) report.staging.discard();
    const refusal = storeRefusal(error);
    if (!(refusal instanceof Refusal)) throw error;
    if (refusal.reply.code < 500) return { kind: 'kept', text: refusal.message };
    if (heard) return { kind: 'refused', replies: [refusal.reply] };
    return await bounceAll(options, id, spooled, refusal);
  }
}

/** The content itself is refused, and nobody waits for the answer. */
async function bounceAll(
  options: LocalSubmissionOptions,
  id: string,
  spooled: Spooled,
  refusal: Refusal,
): Promise<Taken> {
  const { store, queue, clock, log } = options;
  const { reversePath, addresses, parameters, rcpt } = readPaths(spooled);
  const now = clock.now();
  if (!wantsFailure(rcpt)) {
    log.warn({ message: `${id}-1`, reason: refusal.message }, 'refused, and nobody wants to hear of it');
    return { kind: 'taken' };
  }
  const known = { messageId: `${id}-1`, reversePath, parameters, header: new Uint8Array(0), now };
  const rejected = addresses.map((address) => ({ address, parameters: rcpt, refusal }));
  const report = await rejectionReport(options, { ...known, arrival: spooled.envelope.createdAt }, rejected);
  try {
    await accept(store, log, { ...report.arrival, once: keysOf(id)[1] }, queue);
  } catch (error) {
    report.staging.discard();
    throw error;
  }
  return { kind: 'taken' };
}

function withKey({ arrival, staging }: StagedReport, once: string): StagedReport {
  return { arrival: { ...arrival, once }, staging };
}

interface Paths {
  readonly reversePath: ReversePath;
  readonly addresses: readonly Address[];
  readonly parameters: MailParameters;
  readonly rcpt: RcptParameters;
}

/** @throws SpoolDamage */
function readPaths({ envelope }: Spooled): Paths {
  const { from, recipients, body, ret, envid, notify } = envelope;
  const read = (text: string): Address => {
    const address = parseMailbox(text);
    if (address === null) throw new SpoolDamage('a spooled message with an address that is none');
    return address;
  };
  return {
    reversePath: from === null ? null : read(from),
    addresses: recipients.map(read),
    parameters: {
      body,
      ...(ret === undefined ? {} : { ret }),
      ...(envid === undefined ? {} : { envid }),
    },
    rcpt: notify === undefined ? {} : { notify },
  };
}

/** Whoever may use the spool may send as anybody here. */
function submitterOf({ origin }: LocalSubmissionOptions, { envelope }: Spooled): Submitter {
  return { owns: () => true, address: { localPart: envelope.user, domain: origin } };
}

function named({ address, refusal: { reply } }: Rejected): Reply {
  return { ...reply, text: `${formatAddress(address)}: ${reply.text}` };
}
