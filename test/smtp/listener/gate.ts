// One real listener with a recording Receiver behind it, for the tests of this folder: loopback, any free port,
// certificates made for the run, the log kept as values.

import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { KeyUsagesExtension, SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509';
import { type Address, formatAddress, type ReversePath } from '../../../src/formats/address.ts';
import type { MailParameters, RcptParameters } from '../../../src/formats/envelope.ts';
import { Refusal, type Reply } from '../../../src/formats/refusal.ts';
import { type Clock, systemClock } from '../../../src/platform/clock.ts';
import type { Connection, TlsMode } from '../../../src/platform/listener.ts';
import { type Identity as Certificate, makeContext, type TlsKeeper } from '../../../src/platform/tls.ts';
import type { PasswordClaim } from '../../../src/sasl/mechanism.ts';
import type { SmtpOptions } from '../../../src/smtp/listener/options.ts';
import { createSmtp, type Smtp } from '../../../src/smtp/listener/smtp.ts';
import { busyLine, cleartextOnImplicit } from '../../../src/smtp/listener/wrong-door.ts';
import type { Authentication, Receiver, SmtpSession, Transaction } from '../../../src/smtp/receiver.ts';
import { openDoor } from '../../door.ts';
import { recordingLog } from '../../recording-log.ts';

/** What the Receiver saw of one transaction. */
export interface Seen {
  readonly reversePath: ReversePath;
  readonly parameters: MailParameters;
  readonly recipients: { readonly address: Address; readonly parameters: RcptParameters }[];
  /** Octets of the content so far, as latin1. */
  content: string;
  /** The content came whole and was answered 250. */
  taken: boolean;
  /** What the iteration threw, if it did. */
  threw: unknown;
  abandoned: number;
  readonly session: SmtpSession;
}

/** A Receiver that keeps all it sees. By the local part of an address: `unknown…` is refused, `broken…` is an error of
 * ours, `early…` refuses the content at its first octet, `deaf…` never reads it. */
class RecordingReceiver implements Receiver {
  readonly transactions: Seen[] = [];
  readonly claims: PasswordClaim[] = [];
  authentication?: Authentication;
  /** Awaited before a content is answered. */
  hold: Promise<void> = Promise.resolve();
  /** Contents under way. */
  receiving = 0;

  constructor(submission: boolean) {
    if (!submission) return;
    this.authentication = {
      // Without verifiers no mechanism is offered that needs them.
      verifier: null,
      tokens: null,
      certified: () => Promise.reject(new Error('no certificates here')),
      authenticate: async (claim) => {
        if (claim.kind !== 'password') throw new Error('nothing is proven here');
        this.claims.push(claim);
        if (claim.username === 'busy') throw new Refusal(454, '4.7.0', 'Busy');
        if (claim.password !== 'wonderland') throw new Refusal(535, '5.7.8', 'No', 'wrong password');
        return { accountId: 1, address: claim.username, mechanism: claim.mechanism };
      },
    };
  }

  async sender(reversePath: ReversePath, parameters: MailParameters, session: SmtpSession): Promise<Transaction> {
    judge(reversePath);
    const seen: Seen = {
      reversePath,
      parameters,
      recipients: [],
      content: '',
      taken: false,
      threw: null,
      abandoned: 0,
      session: { ...session },
    };
    this.transactions.push(seen);
    return {
      recipient: async (address, rcpt) => {
        judge(address);
        seen.recipients.push({ address, parameters: rcpt });
      },
      message: (content) => this.#message(seen, content),
      abandon: () => {
        seen.abandoned++;
      },
    };
  }

  async #message(seen: Seen, content: AsyncIterable<Uint8Array>): Promise<Reply> {
    const name = seen.recipients[0]?.address.localPart ?? '';
    if (name.startsWith('deaf')) return { code: 250, status: '2.6.0', text: 'OK' };
    this.receiving++;
    try {
      for await (const piece of content) {
        if (name.startsWith('early')) throw new Refusal(554, '5.7.1', 'Not wanted');
        seen.content += Buffer.from(piece).toString('latin1');
      }
    } catch (error) {
      seen.threw = error;
      throw error;
    } finally {
      this.receiving--;
    }
    await this.hold;
    if (name.startsWith('fail')) throw new Error('the store is broken');
    seen.taken = true;
    return { code: 250, status: '2.6.0', text: 'Accepted\nand stored' };
  }
}

function judge(address: Address | null): void {
  const name = address?.localPart ?? '';
  if (name.startsWith('unknown')) throw new Refusal(550, '5.1.1', 'No such mailbox', `private: ${name}`);
  if (name.startsWith('broken')) throw new Error('the directory is broken');
}

export interface Gate extends AsyncDisposable {
  readonly port: number;
  readonly smtp: Smtp;
  readonly receiver: RecordingReceiver;
  /** Lines of the log as values. */
  readonly log: Record<string, unknown>[];
  /** The log as text, to look for what must not be in it. */
  logText(): string;
  /** Drops all that was recorded, for runs that are long. */
  forget(): void;
  /** Resolves with the next line of the log, or one there is, that satisfies. */
  logged(test: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>>;
}

export interface GateOptions {
  readonly role?: SmtpOptions['role'];
  readonly tls?: TlsMode;
  readonly clock?: Clock;
  readonly messageSize?: number;
  readonly recipients?: number;
  readonly earlyTalkerWait?: number;
  readonly maxHold?: number;
  readonly wrap?: (connection: Connection) => Connection;
  /** From one source and in all. */
  readonly connections?: number;
  /** Connections are handed over only after this. */
  readonly late?: Promise<void>;
}

/** Ports that the texts of the wrong door name in these tests. */
const PORTS = { implicit: 465, starttls: 587 } as const;

export async function openGate(options: GateOptions = {}): Promise<Gate> {
  const { role = 'transfer', tls = 'offered', clock = systemClock } = options;
  const floor = role === 'transfer' ? 'lenient' : 'strict';
  const lines: Record<string, unknown>[] = [];
  const waiting = new Set<() => void>();
  let text = '';
  const log = recordingLog(lines, 'trace', (line) => {
    text += line;
    for (const look of waiting) look();
  });
  const keeper = await testKeeper();
  const receiver = new RecordingReceiver(role === 'submission');
  const smtp = createSmtp({
    role,
    tls,
    floor,
    keeper,
    receiver,
    channelBinding: false,
    clock,
    log,
    hostname: 'mail.example.test',
    limits: { messageSize: options.messageSize ?? 1_000_000, recipients: options.recipients ?? 100 },
    maxHold: options.maxHold ?? 86_400_000,
    earlyTalkerWait: options.earlyTalkerWait ?? 0,
    submissionPorts: PORTS,
  });
  const door = await openDoor(
    {
      role,
      tls,
      floor,
      keeper,
      log,
      connections: options.connections,
      busyLine: busyLine('mail.example.test'),
      wrongDoorLine: cleartextOnImplicit('mail.example.test', PORTS),
    },
    (connection) => {
      const wrapped = options.wrap?.(connection) ?? connection;
      if (options.late === undefined) smtp.handle(wrapped);
      else void options.late.then(() => smtp.handle(wrapped));
    },
  );
  return {
    port: door.port,
    smtp,
    receiver,
    log: lines,
    logText: () => text,
    forget() {
      lines.length = 0;
      text = '';
      receiver.transactions.length = 0;
      receiver.claims.length = 0;
    },
    logged(test) {
      return new Promise((resolve) => {
        const look = () => {
          const found = lines.find(test);
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      });
    },
    async [Symbol.asyncDispose]() {
      await door.close();
      await smtp.close(0);
    },
  };
}

let certificates: Promise<readonly Certificate[]> | undefined;

/** Both kinds of key, as a listener has them. */
export async function testKeeper(): Promise<TlsKeeper> {
  certificates ??= Promise.all([selfSigned('EC'), selfSigned('RSA')]);
  const identities = await certificates;
  return { context: (floor) => makeContext(identities, floor), asksClients: false, reload: async () => {} };
}

async function selfSigned(kind: 'EC' | 'RSA'): Promise<Certificate> {
  const algorithm =
    kind === 'EC'
      ? { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
      : {
          name: 'RSASSA-PKCS1-v1_5',
          hash: 'SHA-256',
          publicExponent: new Uint8Array([1, 0, 1]),
          modulusLength: 2048,
        };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: '01',
      name: 'CN=localhost',
      keys,
      signingAlgorithm: algorithm,
      extensions: [
        new SubjectAlternativeNameExtension([{ type: 'dns', value: 'localhost' }]),
        // digitalSignature, and keyEncipherment for the RSA key exchange of old senders.
        new KeyUsagesExtension(kind === 'EC' ? 1 : 5),
      ],
    },
    webcrypto as Crypto,
  );
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  return {
    certificate: certificate.toString('pem'),
    key: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n`,
  };
}

export function dial(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(socket));
    socket.once('error', reject);
  });
}

/** Recipients as addresses, for comparisons. */
export function addressed(seen: Seen | undefined): string[] {
  return (seen?.recipients ?? []).map(({ address }) => formatAddress(address));
}
