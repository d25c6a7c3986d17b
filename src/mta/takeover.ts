// One message from a session into our hands (RFC 5321 §6.1): staged, judged, accepted, answered. What port 25 and
// submission have in common; what they think of a header is theirs.

import type { Directory } from '../directory/directory.ts';
import type { ReversePath } from '../formats/address.ts';
import type { MailParameters } from '../formats/envelope.ts';
import type { HeaderField } from '../formats/header.ts';
import type { Reply } from '../formats/refusal.ts';
import { refuseDeliveryLoop } from '../mda/deliver.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { SmtpSession } from '../smtp/receiver.ts';
import type { TransitOrigin } from '../store/rows.ts';
import type { Store } from '../store/store.ts';
import type { DkimSigner } from '../trust/dkim/signer.ts';
import { accept, type QueueTimes } from './accept.ts';
import type { StagedReport } from './composed.ts';
import { type ArrivedHeader, type ContentLimits, stageContent, type Witness } from './content.ts';
import { deliveredReport } from './delivered.ts';
import type { RecipientList } from './recipients.ts';
import type { Room } from './room.ts';
import { storeRefusal } from './store-refusal.ts';
import { sessionOrigin } from './transaction-facts.ts';

/** What an agent that takes mail works with. */
export interface TakeoverOptions {
  readonly store: Pick<Store, 'execute' | 'read' | 'stage'>;
  readonly directory: Directory;
  readonly hostname: string;
  readonly limits: ContentLimits;
  readonly queue: QueueTimes;
  readonly room: Room;
  /** null: mail goes out unsigned. */
  readonly dkim: DkimSigner | null;
  readonly clock: Clock;
  readonly log: Log;
}

/** Puts fields in front of a message that it has seen whole: a signature. */
export interface Seal extends Witness {
  /** The fields, whole lines with CRLF. Once, when the body is over; what it throws refuses the message. */
  fields(): Promise<Uint8Array>;
}

/** Sees a message whole before it is taken over. */
export interface Inspection extends Witness {
  /** Once, when the body is over; what it throws refuses the message. @param alone nobody else gets it */
  done(alone: boolean): Promise<void>;
  /** Nothing more comes of it. Always, however it ended. */
  end(): void;
}

/** The transaction that a message ends, and the agent's word on its header. */
export interface Incoming {
  readonly messageId: string;
  readonly role: TransitOrigin['role'];
  readonly session: SmtpSession;
  readonly reversePath: ReversePath;
  readonly parameters: MailParameters;
  readonly recipients: RecipientList;
  /** The header to store, of the one that arrived. May throw a Refusal. `now` in ms since the epoch. */
  header(arrived: ArrivedHeader, now: number): Uint8Array;
  readonly seal?: Seal | null;
  /** In the place of a seal. */
  readonly inspection?: Inspection | null;
}

/**
 * Takes a message over. Resolves with the reply once it is durable.
 * @throws Refusal, and whatever `content` throws; then nothing is kept
 */
export async function takeOver(
  options: TakeoverOptions,
  incoming: Incoming,
  content: AsyncIterable<Uint8Array>,
): Promise<Reply> {
  const { store, limits, queue, clock, log } = options;
  const { messageId, session, reversePath, seal = null, inspection = null } = incoming;
  const { locals, named, remotes } = incoming.recipients;
  const now = clock.now();
  // RFC 4865 §4.2: until then it is in no mailbox either, so it waits for all in the queue.
  const { holdUntil = now } = incoming.parameters;
  const held = holdUntil > now;
  const ready = held ? { locals: [], remotes: [...named, ...remotes] } : { locals, remotes };
  const staging = store.stage();
  let report: StagedReport | null = null;
  try {
    let header: Uint8Array = new Uint8Array(0);
    let optional = false;
    const replace = (arrived: ArrivedHeader): Uint8Array => {
      refuseDeliveryLoop(arrived.fields, locals);
      optional = tlsOptional(arrived.fields);
      header = incoming.header(arrived, now);
      return header;
    };
    const staged = await stageContent(content, staging, limits, replace, seal ?? inspection);
    await inspection?.done(locals.length + remotes.length === 0);
    const sealed = seal === null ? {} : { front: await seal.fields() };
    if (sealed.front !== undefined) header = Buffer.concat([sealed.front, header]);
    const origin = sessionOrigin(session, incoming.role);
    // Asked for now: what the content has turned out to be is among them.
    const said = incoming.parameters;
    const parameters = optional ? { ...said, tlsOptional: true } : said;
    const arrival = { messageId, origin, reversePath, parameters, ...ready, content: staged, now, ...sealed };
    report = held ? null : await deliveredReport(options, arrival, named, header);
    await accept(store, log, arrival, queue, report === null ? [] : [report.arrival]);
  } catch (error) {
    staging.discard();
    report?.staging.discard();
    throw storeRefusal(error);
  } finally {
    inspection?.end();
  }
  return { code: 250, status: '2.0.0', text: `OK ${messageId}` };
}

/** RFC 8689 §3: `TLS-Required: No`; the field can only stand once, and means nothing with another value. */
function tlsOptional(fields: readonly HeaderField[]): boolean {
  const [only, ...more] = fields.filter((field) => field.is('tls-required'));
  return only !== undefined && more.length === 0 && only.value.toLowerCase() === 'no';
}
