// One real IMAP listener over a real store, for the tests of this folder: loopback, any free port, a temporary folder, a
// certificate made for the run, the log kept as values. The directory is a short list: its own tests are elsewhere.

import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Account, AuthenticationFailure, type Directory } from '../../src/directory/directory.ts';
import { createImap, type Imap } from '../../src/imap/imap.ts';
import type { ImapLimits } from '../../src/imap/limits.ts';
import { busyLine, cleartextOnImplicit } from '../../src/imap/wrong-door.ts';
import type { Clock } from '../../src/platform/clock.ts';
import type { TlsMode } from '../../src/platform/listener.ts';
import type { Log } from '../../src/platform/log.ts';
import type { Sessions } from '../../src/platform/sessions.ts';
import { makeContext, type TlsKeeper } from '../../src/platform/tls.ts';
import { bodyFacts } from '../../src/store/facts.ts';
import { openStore } from '../../src/store/open.ts';
import type { AccountId, MailboxId, Uid } from '../../src/store/rows.ts';
import type { Store } from '../../src/store/store.ts';
import { openDoor } from '../door.ts';
import { FakeClock } from '../fake-clock.ts';
import { recordingLog } from '../recording-log.ts';
import { makeTestIdentity } from '../smtp/test-identity.ts';

export const PASSWORD = 'wonderland';
/** Ports that the texts of the wrong door name in these tests. */
const PORTS = { imap: { implicit: 993, starttls: 143 }, submission: { implicit: 465, starttls: 587 } } as const;

const HOSTNAME = 'mail.example.test';
/** That of RFC 7628 §4.1. */
const TOKEN = 'vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==';

export interface GateOptions {
  readonly tls?: TlsMode;
  /** Is a token of OAuth taken: TOKEN, which is alice's under whatever name? */
  readonly tokens?: boolean;
  readonly clock?: Clock;
  readonly quota?: number;
  /** Can users log out and stay connected? */
  readonly unauthenticate?: boolean;
  readonly limits?: Partial<ImapLimits>;
  /** Octets of the store's write-ahead log. */
  readonly walCap?: number;
}

export interface Gate extends AsyncDisposable {
  readonly port: number;
  /** The store's. */
  readonly folder: string;
  readonly imap: Imap;
  readonly store: Store;
  readonly clock: Clock;
  /** Where all of it is written. */
  readonly logger: Log;
  readonly alice: AccountId;
  readonly directory: Directory;
  readonly keeper: TlsKeeper;
  /** Lines of the log as values. */
  readonly log: Record<string, unknown>[];
  /** Everything that was logged, to look for what must not be in it. */
  logText(): string;
  /** Drops what was logged, for runs that are long. */
  forget(): void;
  /** Makes both accounts anew, with nothing in them: cheaper than a new gate. */
  renew(): Promise<void>;
  /** Puts messages into a mailbox of alice's, which is made if it is missing. */
  fill(mailbox: string, messages: readonly (string | Uint8Array)[]): Promise<readonly Uid[]>;
}

export async function openGate(options: GateOptions = {}): Promise<Gate> {
  const { tls = 'none', clock = new FakeClock() } = options;
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'postern-imap-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const lines: Record<string, unknown>[] = [];
  let text = '';
  const log = recordingLog(lines, 'trace', (line) => {
    text += line;
  });
  const deriver = new URL('../../src/imap/render/summary.ts', import.meta.url);
  const { walCap } = options;
  const store = await openStore({ folder, log, clock, deriver, ...(walCap === undefined ? {} : { walCap }) });
  stack.defer(() => store.close());
  const account = (address: string) =>
    store.execute({
      kind: 'put-account',
      address,
      aliases: [],
      quota: options.quota ?? null,
      password: null,
      seeded: true,
      existing: 'fail',
    });
  const accounts = new Map<string, AccountId>();
  const putAccounts = async () => {
    for (const address of ['alice@example.test', 'bob@example.test']) {
      accounts.set(address, (await account(address)).account);
    }
  };
  await putAccounts();
  const alice = (): AccountId => {
    const id = accounts.get('alice@example.test');
    if (id === undefined) throw new Error('there is no alice');
    return id;
  };
  keeper ??= makeKeeper();
  const tlsKeeper = await keeper;
  const directory = listed(accounts, options.tokens ?? false);
  const imap = createImap({
    hostname: HOSTNAME,
    tls,
    floor: 'strict',
    keeper: tlsKeeper,
    store,
    directory,
    channelBinding: false,
    unauthenticate: options.unauthenticate ?? true,
    limits: { literal: 65_536, message: 60 * 1024 * 1024, header: 256 * 1024, ...options.limits },
    clock,
    log,
    ports: PORTS,
  });
  const door = await openDoor(
    {
      role: 'imap',
      tls,
      floor: 'strict',
      keeper: tlsKeeper,
      log,
      busyLine: busyLine(HOSTNAME),
      wrongDoorLine: cleartextOnImplicit(PORTS.imap),
    },
    (connection) => imap.handle(connection),
  );
  stack.defer(() => closed(door, imap, clock));
  const opened = stack.move();
  return {
    port: door.port,
    folder,
    imap,
    store,
    clock,
    get alice() {
      return alice();
    },
    directory,
    keeper: tlsKeeper,
    logger: log,
    log: lines,
    logText: () => text,
    forget() {
      lines.length = 0;
      text = '';
    },
    async renew() {
      for (const id of accounts.values()) await store.execute({ kind: 'remove-account', account: id });
      await putAccounts();
    },
    async fill(name, messages) {
      const row = await store.read.mailboxByName(alice(), name);
      const make = { kind: 'create-mailbox', account: alice(), name, specialUse: null } as const;
      const id = row?.id ?? (await store.execute(make)).mailbox;
      return appendTo(store, id, clock.now(), messages);
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** Closes a door and the sessions behind it, which end by the clock. */
export async function closed(door: { close(): Promise<void> }, sessions: Sessions, clock: Clock): Promise<void> {
  await door.close();
  const ended = sessions.close(0);
  if (clock instanceof FakeClock) clock.advance(1);
  await ended;
}

/** Puts messages into a mailbox, by one command. */
async function appendTo(
  store: Store,
  mailbox: MailboxId,
  now: number,
  messages: readonly (string | Uint8Array)[],
): Promise<readonly Uid[]> {
  const appended = [];
  for (const message of messages) {
    const octets = typeof message === 'string' ? Buffer.from(message) : message;
    const staging = store.stage();
    await staging.write(octets);
    appended.push({
      body: staging.finish(),
      facts: bodyFacts(octets),
      flags: 0,
      keywords: [],
      internalDate: now,
      internalZone: 0,
    });
  }
  const { uids } = await store.execute({ kind: 'append', mailbox, now, messages: appended, view: null });
  return uids;
}

/** Messages that say their number. */
export function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `Subject: message ${i + 1}\r\n\r\nBody ${i + 1}\r\n`);
}

/** A directory of these accounts and one password, without the cost of hashing. */
function listed(accounts: ReadonlyMap<string, AccountId>, takesTokens: boolean): Directory {
  const account = (address: string, id: number): Account => ({ id, address, aliases: [], quota: null });
  return {
    isLocalDomain: (domain) => domain === 'example.test',
    firstDomain: 'example.test',
    resolve: async () => ({ kind: 'unknown' }),
    owns: () => false,
    account: () => undefined,
    async authenticate(username, password) {
      if (username === 'busy') throw new AuthenticationFailure('busy', 'too many at once');
      const id = accounts.get(username);
      if (id === undefined || password !== PASSWORD) throw new AuthenticationFailure('rejected', 'wrong');
      return account(username, id);
    },
    // Without a hash there is nothing to prove.
    checksPasswords: false,
    verifier: () => Promise.reject(new Error('no verifiers here')),
    certified: () => Promise.reject(new Error('no certificates here')),
    tokens: takesTokens
      ? {
          scope: 'example_scope',
          configuration: 'https://example.com/.well-known/openid-configuration',
          async check(token) {
            const id = accounts.get('alice@example.test');
            if (token === TOKEN && id !== undefined) return { kind: 'account', account: id };
            return { kind: 'refused', error: 'invalid_token', reason: 'another token' };
          },
        }
      : null,
    async admit(shown) {
      if (shown.kind === 'account') return account('alice@example.test', shown.account);
      if (shown.kind !== 'password') throw new Error('no proofs here');
      return await this.authenticate(shown.username, shown.password, '');
    },
  };
}

let keeper: Promise<TlsKeeper> | undefined;

/** One certificate, and one context, for all that is opened here. */
async function makeKeeper(): Promise<TlsKeeper> {
  const context = makeContext([await makeTestIdentity('localhost')], 'strict');
  return { context: () => context, asksClients: false, reload: async () => {} };
}

export function dial(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(socket));
    socket.once('error', reject);
  });
}
