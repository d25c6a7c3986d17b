// Handing one message to the next hop over SMTP (RFC 5321 §3.6, §5.1): host after host until each recipient has an answer
// that stands. Results are told as they come, so that what was acknowledged can be settled before anything else is tried.

import { formatAddress } from '../formats/address.ts';
import type { Envelope, Recipient } from '../formats/envelope.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { ConnectionFailure } from '../smtp/client/channel.ts';
import type { SmtpConnection } from '../smtp/client/connection.ts';
import type { Content } from '../smtp/client/content.ts';
import { deferred, failed, type Outcome } from '../smtp/client/outcome.ts';
import type { Attempt, EntryRow, HopSecurity, TransitRow } from '../store/rows.ts';
import type { Store } from '../store/store.ts';
import type { Place } from './connections.ts';
import type { Hops, ProtectedHop } from './hops.ts';
import { CONNECTS, type NextHop } from './route.ts';
import { decide } from './security/decision.ts';
import { factsOf, promises, wishesOf } from './security/facts.ts';
import type { Journal } from './security/journal.ts';
import { securityOf, unpromised, unprotected } from './security/outcome.ts';
import type { Demand } from './security/rung.ts';

/** Entries of one transit for one destination: what can go in one transaction. */
export interface Task {
  readonly transit: TransitRow;
  readonly entries: readonly EntryRow[];
}

/** What came of trying one entry. */
export interface Result {
  readonly task: Task;
  readonly entry: EntryRow;
  readonly outcome: Outcome;
  readonly attempt: Attempt;
  /** The next hop reports on its own (RFC 3461 §5.2.2); otherwise a success that was asked for is ours to tell. */
  readonly dsn: boolean;
  /** The next hop knows by when the message is to be there (RFC 2852). */
  readonly deliverBy: boolean;
}

/** `reached`: some host took part; if not, others for the same destination would fare the same now. `busy`: a host was not
 * reached that has connections of ours, for whatever destination: it is well, and takes no more of them. */
export interface Delivered {
  readonly results: readonly Result[];
  readonly reached: boolean;
  readonly busy: boolean;
}

export interface RelayOptions {
  readonly hops: Hops;
  readonly journal: Journal;
  readonly store: Pick<Store, 'read'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Hosts that get to answer for one message before it waits: a 4yz of the first sends it to a second, and no further. */
const SESSIONS = 2;
/** Octets of one read of a body. */
const CHUNK = 256 * 1024;

/**
 * Tries the entries of a task at these hosts. Every entry comes back in exactly one result.
 * @param place shows how far it is, and may be taken away
 * @param settled tells when all is durable that was told until now, or, by false, that it will not be: no content is
 *   ended before
 */
export async function* deliver(
  { hops, journal, store, clock, log }: RelayOptions,
  task: Task,
  hosts: readonly NextHop[],
  settled: () => Promise<boolean>,
  place: Place,
): AsyncGenerator<Delivered> {
  const content = endingAfter(settled, contentOf(store, task.transit));
  let pending = task.entries;
  let sessions = 0;
  const wishes = wishesOf(task.transit);
  let busy = false;
  /** The result that will stand if no other host does better. */
  const waiting = new Map<EntryRow, Result>();
  try {
    for (const host of hosts.slice(0, CONNECTS)) {
      if (pending.length === 0 || sessions === SESSIONS || place.isCut) break;
      const decision = decide(factsOf(host), wishes);
      const tell = ({ security, came }: Tried): void => {
        // What one sender asked for says nothing of the receiver.
        if (!wishes.requireTls && !wishes.tlsOptional) journal.note(host, decision, security, came);
      };
      const wait = (outcome: Outcome, came: ConnectionFailure | SmtpConnection | null): void => {
        const tried: Tried = { host, security: securityOf(host, decision, came, undefined), came };
        tell(tried);
        // A host that answered has said more than one that did not.
        if (sessions > 0) return;
        for (const entry of pending) {
          const before = waiting.get(entry)?.outcome;
          // As above: what stands is an answer, if there was one.
          const answered = before?.kind === 'deferred' && before.reply !== undefined && outcome.reply === undefined;
          if (answered || (outcome.kind === 'failed' && before !== undefined)) continue;
          const result = resultOf(task, entry, outcome, tried, clock);
          waiting.set(entry, came === null ? result : withTranscript(result, transcriptOf(came, entry)));
        }
      };
      if (decision.kind === 'refused') {
        wait(deferred(decision.status, decision.text), null);
        continue;
      }
      const hop: ProtectedHop = { ...host, demand: decision };
      let session: Session;
      try {
        session = await begin(hops, hop, envelopeOf(task.transit, pending), content, place);
      } catch (error) {
        if (!(error instanceof ConnectionFailure)) throw error;
        if (hops.isBusy(hop, error)) busy = true;
        wait(refusal(host, decision, error), error);
        continue;
      }
      const { connection } = session;
      if (session.outcomes === null) {
        wait(unpromised(host), connection);
        place.uses(null);
        hops.keep(hop, connection);
        continue;
      }
      const security = securityOf(
        host,
        decision,
        connection,
        connection.tls === null ? hops.brokenTls(hop) : undefined,
      );
      const tried: Tried = { host, security, came: connection };
      sessions++;
      tell(tried);
      const later: EntryRow[] = [];
      for (
        let outcomes = session.outcomes;
        ;
        outcomes = await connection.send(envelopeOf(task.transit, pending), content)
      ) {
        const settled: Result[] = [];
        const unsaid: EntryRow[] = [];
        for (const [index, entry] of pending.entries()) {
          const said = outcomes[index] ?? null;
          const outcome = said === null ? null : judged(said, host);
          if (outcome === null) {
            unsaid.push(entry);
            continue;
          }
          const result = resultOf(task, entry, outcome, tried, clock);
          if (outcome.kind !== 'deferred') {
            settled.push(result);
          } else {
            waiting.set(entry, withTranscript(result, transcriptOf(connection, entry)));
            later.push(entry);
          }
        }
        pending = unsaid;
        if (settled.length > 0) yield { results: settled, reached: true, busy };
        if (pending.length === 0 || !connection.usable) break;
      }
      place.uses(null);
      hops.keep(hop, connection);
      pending = [...later, ...pending];
    }
  } catch (error) {
    // Reading the content failed, which is our affair and no fault of any host.
    log.error({ err: error, message: task.transit.messageId }, 'a queued message cannot be sent');
    const outcome = deferred('4.3.0', 'an error in this server');
    yield { results: pending.map((entry) => resultOf(task, entry, outcome, null, clock)), reached: true, busy };
    return;
  }
  if (pending.length === 0) return;
  const untried = deferred('4.4.1', 'no host was tried');
  const results = pending.map((entry) => waiting.get(entry) ?? resultOf(task, entry, untried, null, clock));
  // What one message asks for says nothing of how others would fare.
  yield { results, reached: sessions > 0 || wishes.requireTls || wishes.tlsOptional, busy };
}

/** A connection, and what came of the first transaction on it; null: none was begun, since the host does not promise what
 * the message asks for. */
interface Session {
  readonly connection: SmtpConnection;
  readonly outcomes: readonly (Outcome | null)[] | null;
}

/** A host that was tried: the connection, or what kept it from coming about; null: it was not even called. */
interface Tried {
  readonly host: NextHop;
  readonly security: HopSecurity;
  readonly came: SmtpConnection | ConnectionFailure | null;
}

/** The first transaction, on an idle connection if there is one. A peer may close such a one at any time, which says
 * nothing about this message: then it goes over a new one. @throws ConnectionFailure; whatever reading throws */
async function begin(
  hops: Hops,
  hop: ProtectedHop,
  envelope: Envelope,
  content: Content,
  place: Place,
): Promise<Session> {
  const idle = hops.reuse(hop);
  if (idle !== undefined && promises(hop.demand, idle)) {
    place.uses(idle);
    const outcomes = await idle.send(envelope, content);
    if (idle.alive || outcomes.some((outcome) => outcome?.kind !== 'deferred')) return { connection: idle, outcomes };
  }
  const connection = idle?.usable ? idle : await hops.connect(hop, place.opening());
  place.uses(connection);
  if (!promises(hop.demand, connection)) return { connection, outcomes: null };
  return { connection, outcomes: await connection.send(envelope, content) };
}

/** The results where there is no host to try, or where another message's attempt has just shown that none is reached. */
export function withoutTrying(task: Task, outcome: Outcome, like: Attempt | null, clock: Clock): Result[] {
  return task.entries.map((entry) => {
    const result = resultOf(task, entry, outcome, null, clock);
    // What was said was said for one of them only.
    return like === null ? result : { ...result, attempt: { ...like, transcript: [] } };
  });
}

/** H1: one line for each recipient of each attempt. */
export function logResult(log: Log, { task, entry, outcome, attempt }: Result): void {
  log.info(
    {
      message: task.transit.messageId,
      hop: 'MTA→MTA',
      recipient: formatAddress(entry.recipient),
      host: attempt.host,
      address: attempt.address,
      tls: attempt.tls,
      rung: attempt.security?.rung,
      certificate: attempt.security?.certificate ?? undefined,
      status: outcome.status,
      reply: attempt.reply?.code ?? null,
      text: outcome.text,
    },
    outcome.kind,
  );
}

function resultOf(task: Task, entry: EntryRow, outcome: Outcome, tried: Tried | null, clock: Clock): Result {
  const came = tried?.came ?? null;
  const connection = came instanceof ConnectionFailure ? null : came;
  const tls = connection?.tls ?? null;
  const attempt: Attempt = {
    at: clock.now(),
    host: tried?.host.name ?? null,
    address: tried?.host.address ?? null,
    tls: tls === null ? null : `${tls.protocol} ${tls.cipher}`,
    ...(tried === null ? {} : { security: tried.security }),
    reply: outcome.reply ?? (came instanceof ConnectionFailure ? came.reply : undefined) ?? null,
    text: outcome.text,
  };
  const { dsn = false, deliverBy = null } = connection?.extensions ?? {};
  return { task, entry, outcome, attempt, dsn, deliverBy: deliverBy !== null };
}

/** A connection that did not come about. Only a host that says that it never takes mail ends the matter (RFC 7504 §3):
 * any other 5yz before MAIL may be about us, now. */
function refusal(host: NextHop, demand: Demand, failure: ConnectionFailure): Outcome {
  const { reply, message, kind } = failure;
  const insecure = unprotected(host, demand, failure);
  if (insecure !== null) return insecure;
  // RFC 4954 §6 has 5.7.8, but the operator can put it right, and the message waits for that.
  if (kind === 'login') return { ...deferred('4.7.8', message), ...(reply === undefined ? {} : { reply }) };
  if (reply === undefined) return deferred('4.4.1', message);
  if (reply.code === 521 || reply.code === 556) return { ...failed('5.3.2', message), reply };
  return { ...deferred('4.4.1', message), reply };
}

/** RFC 4954 §6: 530, authentication required. Of a host that the operator has named, that is about its configuration, and
 * the message waits until it is put right. */
function judged(outcome: Outcome, host: NextHop): Outcome {
  const { kind, reply, text } = outcome;
  if (kind !== 'failed' || reply?.code !== 530 || host.configured !== true) return outcome;
  return { ...deferred('4.7.0', text), reply };
}

function envelopeOf({ reversePath, parameters }: TransitRow, entries: readonly EntryRow[]): Envelope {
  return {
    reversePath,
    parameters,
    recipients: entries.map(recipientOf),
  };
}

function recipientOf({ recipient, parameters }: EntryRow): Recipient {
  return { address: recipient, parameters };
}

/** What was said until a connection failed, or on it as it concerned this entry. */
function transcriptOf(came: SmtpConnection | ConnectionFailure, entry: EntryRow): readonly string[] {
  return came instanceof ConnectionFailure ? came.transcript : came.transcript(recipientOf(entry));
}

function withTranscript(result: Result, transcript: readonly string[]): Result {
  return { ...result, attempt: { ...result.attempt, transcript } };
}

/** The same content, which ends only when what is being settled is settled: all but the final dot can go ahead of that, and
 * still a kill can double one message of a connection at most. */
function endingAfter(settled: () => Promise<boolean>, content: Content): Content {
  return {
    ...content,
    async *open() {
      const before = settled();
      yield* content.open();
      if (!(await before)) throw new Error('what became of the messages before this one cannot be stored');
    },
  };
}

/** Prefix and body as they stand in the store, a chunk at a time. */
export function contentOf({ read }: Pick<Store, 'read'>, transit: TransitRow): Content {
  const { body, prefix, size } = transit;
  return {
    size,
    async *open() {
      if (prefix.length > 0) yield prefix;
      const octets = size - prefix.length;
      for (let offset = 0; offset < octets; ) {
        const chunk = await read.body(body, offset, Math.min(CHUNK, octets - offset));
        if (chunk.length === 0) throw new Error(`body ${body} ends ${octets - offset} octets early`);
        offset += chunk.length;
        yield chunk;
      }
    },
  };
}
