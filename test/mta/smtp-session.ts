// Sessions, contents and transactions as a listener would bring them, for tests of the agents behind it.

import type { Directory } from '../../src/directory/directory.ts';
import { type OpenDirectory, openDirectory } from '../../src/directory/open.ts';
import { type Address, parseMailbox } from '../../src/formats/address.ts';
import type { MailParameters, RcptParameters } from '../../src/formats/envelope.ts';
import { Refusal, type Reply } from '../../src/formats/refusal.ts';
import type { Room } from '../../src/mta/room.ts';
import type { Receiver, SmtpSession } from '../../src/smtp/receiver.ts';
import { FakeClock } from '../fake-clock.ts';
import { recordingLog } from '../recording-log.ts';
import { type RecordingStore, recordingStore } from './recording-store.ts';

export const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

/** As much as anybody wants. */
export const ROOM: Room = { message: async () => undefined, remote: async () => null };

/** Two accounts of example.test, a log in hand, and what createMta and createMsa want. */
export async function agentWorld(
  test = { catchAll: false, anyPassword: false },
  domains: readonly string[] = ['example.test'],
) {
  const store = recordingStore();
  await put(store, 'alice@example.test', ['postmaster@example.test', 'wonder@example.test']);
  await put(store, 'bob@example.test', [], 10_000);
  const lines: Record<string, unknown>[] = [];
  const log = recordingLog(lines);
  const clock = new FakeClock(NOW);
  const directory: OpenDirectory = await openDirectory({
    store,
    domains,
    hostname: 'mail.example.test',
    test,
    clock,
    log,
  });
  const options = {
    store,
    directory: directory as Directory,
    hostname: 'mail.example.test',
    limits: { messageSize: 200_000, headerSize: 20_000 },
    queue: { expire: 432_000_000, warn: 14_400_000 },
    room: ROOM,
    showClient: true,
    routed: new Set<string>(),
    dkim: null,
    submissionPorts: { implicit: 465, starttls: 587 },
    test,
    clock,
    log,
  };
  return { store, directory, clock, lines, options };
}

export function put(store: RecordingStore, address: string, aliases: string[] = [], quota: number | null = null) {
  return store.execute<'put-account'>({
    kind: 'put-account',
    address,
    aliases,
    quota,
    password: null,
    seeded: false,
    existing: 'replace',
  });
}

export function smtpSession(facts: Partial<SmtpSession> = {}): SmtpSession {
  return {
    id: 'abcdefghijkl',
    remoteAddress: '192.0.2.7',
    remotePort: 40_000,
    localAddress: '192.0.2.1',
    localPort: 25,
    tls: null,
    hello: { verb: 'EHLO', name: 'client.example' },
    identity: null,
    ...facts,
  };
}

export const TLS = { protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', bits: 256 };

export function mailbox(text: string): Address {
  const address = parseMailbox(text);
  if (address === null) throw new Error(`not a mailbox: ${text}`);
  return address;
}

/** A recipient: its address, or with the parameters of RCPT. '' is the bare Postmaster. */
export type To = string | readonly [string, RcptParameters];

/** One whole transaction. Returns the reply to each recipient and to the content, refusals included. */
export async function transact(
  receiver: Receiver,
  mail: {
    readonly from: string;
    readonly to: readonly To[];
    readonly content: string | AsyncIterable<Uint8Array>;
    readonly parameters?: MailParameters;
    readonly session?: SmtpSession;
  },
): Promise<{ readonly sender: string; readonly recipients: readonly string[]; readonly reply: string }> {
  const session = mail.session ?? smtpSession();
  const from = mail.from === '' ? null : mailbox(mail.from);
  let transaction: Awaited<ReturnType<Receiver['sender']>>;
  try {
    transaction = await receiver.sender(from, mail.parameters ?? {}, session);
  } catch (error) {
    return { sender: statusOf(error), recipients: [], reply: '' };
  }
  const recipients: string[] = [];
  for (const to of mail.to) {
    const [text, parameters] = typeof to === 'string' ? [to, {}] : to;
    const address = text === '' ? { localPart: 'Postmaster', domain: '' } : mailbox(text);
    recipients.push(
      await transaction.recipient(address, parameters).then(
        () => '250',
        (error: unknown) => statusOf(error),
      ),
    );
  }
  if (!recipients.includes('250')) {
    transaction.abandon();
    return { sender: '250', recipients, reply: '' };
  }
  const content = typeof mail.content === 'string' ? chunks(mail.content) : mail.content;
  const reply = await transaction.message(content).then(
    ({ code }: Reply) => String(code),
    (error: unknown) => statusOf(error),
  );
  return { sender: '250', recipients, reply };
}

/** `550 5.1.1`, or the error itself if it is none of the peer's. */
export function statusOf(error: unknown): string {
  if (!(error instanceof Refusal)) throw error;
  return `${error.reply.code} ${error.reply.status}`;
}

/** A text in chunks of so many octets. */
export async function* chunks(text: string, size = 16_384): AsyncGenerator<Uint8Array> {
  const octets = Buffer.from(text, 'latin1');
  for (let at = 0; at < octets.length; at += size) yield octets.subarray(at, at + size);
}

/** Lines with CRLF. */
export function lines(...all: string[]): string {
  return all.map((line) => `${line}\r\n`).join('');
}
