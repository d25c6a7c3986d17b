// What verbs do to the store: the same requests whether a server runs (they go through its control socket, so that IDLE
// clients and the queue runner see the change at once) or not (the store is opened for the moment, and only a change locks
// it).

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { systemClock } from '../platform/clock.ts';
import { type ControlClient, ControlError, type ControlHandlers, connectControl } from '../platform/control.ts';
import { createLog } from '../platform/log.ts';
import type { CommandOf, Results } from '../store/commands.ts';
import type { AccountRow, Attempt, EntryId, EntryRow, ReceivedTlsPolicyRow, TransitRow } from '../store/rows.ts';
import type { QueueFilter, QueueStatus, Reads, ReceivedTlsFilter, Store } from '../store/store.ts';
import { Failure } from './context.ts';
import { type KeyRecord, keyRecords } from './key-records.ts';
import { becomeOwner } from './owner.ts';
import { type BoundListener, type Gate, gatesOf } from './ports-table.ts';

/** Entries that one request changes. */
export const PAGE = 500;

/** The commands that a verb may send. */
const KINDS = [
  'put-account',
  'set-password',
  'change-account',
  'remove-account',
  'queue-control',
  'suspend-destination',
] as const;
type Kind = (typeof KINDS)[number];

/** An account without its password record, which no verb needs to see. */
export type AccountSummary = Omit<AccountRow, 'password'> & { readonly hasPassword: boolean };

export interface QueueRow {
  readonly entry: EntryRow;
  readonly transit: TransitRow;
}

/** A part of what was asked for, and where the next one begins; null: that was all. */
export interface QueuePage {
  readonly rows: readonly QueueRow[];
  readonly next: EntryId | null;
}

/** `queue` on the control socket. */
interface QueueRequest {
  readonly filter: QueueFilter;
  readonly after: EntryId | null;
}

/** As QueuePage. */
export interface TlsReportPage {
  readonly rows: readonly ReceivedTlsPolicyRow[];
  readonly next: number | null;
}

/** `tls-reports` on the control socket. */
interface TlsReportRequest {
  readonly filter: ReceivedTlsFilter;
  readonly after: number | null;
}

/** What verbs look at. @throws ControlError or StoreError, both with a `kind` */
export interface Inspection {
  accounts(): Promise<readonly AccountSummary[]>;
  /** By id. */
  queue(filter: QueueFilter, after: EntryId | null): Promise<QueuePage>;
  queueStatus(): Promise<QueueStatus>;
  entry(id: EntryId): Promise<(QueueRow & { readonly attempts: readonly Attempt[] }) | undefined>;
  /** The latest first. */
  tlsReports(filter: ReceivedTlsFilter, after: number | null): Promise<TlsReportPage>;
}

/** As Inspection. */
export interface Administration extends Inspection {
  execute<K extends Kind>(command: CommandOf<K>): Promise<Results[K]>;
}

/** Straight to what is read of a store. */
function inspectionOf(read: Reads): Inspection {
  return {
    async accounts() {
      const rows = await read.accounts();
      return rows.map(({ password, ...row }) => ({ ...row, hasPassword: password !== null }));
    },
    queue: (filter, after) => read.queue.find(filter, after),
    queueStatus: () => read.queue.status(),
    entry: (id) => read.queue.entry(id),
    tlsReports: (filter, after) => read.tlsReports.received(filter, after),
  };
}

/** Straight to a store. */
function administrationOf(store: Pick<Store, 'read' | 'execute'>): Administration {
  return {
    ...inspectionOf(store.read),
    // The kind of the command is K's, which the compiler does not carry through the union.
    execute: (command) => store.execute(command as never) as never,
  };
}

/** What a running server answers on its control socket. */
export function controlHandlers(server: {
  readonly config: Config;
  readonly store: Store;
  readonly listeners: readonly BoundListener[];
  /** Looks at the queue at once, and at hosts that were dead a moment ago. */
  readonly kick: () => void;
}): ControlHandlers {
  const administration = administrationOf(server.store);
  return {
    ports: () => gatesOf(server.config, server.listeners),
    // As the other end asks; a domain that is none of ours has none.
    keys: (argument) => keyRecords(server.config, argument as string),
    accounts: () => administration.accounts(),
    // The other end is this program: arguments are what remoteAdministration sends.
    queue: (argument) => {
      const { filter, after } = argument as QueueRequest;
      return administration.queue(filter, after);
    },
    'queue-status': () => administration.queueStatus(),
    entry: (argument) => administration.entry(argument as EntryId),
    // As for the queue.
    'tls-reports': (argument) => {
      const { filter, after } = argument as TlsReportRequest;
      return administration.tlsReports(filter, after);
    },
    async execute(argument) {
      // As above; KINDS is checked all the same.
      const command = argument as CommandOf<Kind>;
      if (!KINDS.includes(command.kind)) throw new ControlError('refused', `"${command.kind}" is not for verbs`);
      const result = await administration.execute(command);
      if (givesWork(command)) server.kick();
      return result;
    },
  };
}

/** May something go out now that could not before? */
function givesWork(command: CommandOf<Kind>): boolean {
  if (command.kind === 'queue-control') return command.action === 'retry' || command.action === 'release';
  return command.kind === 'suspend-destination' && !command.suspended;
}

/** Through the control socket. Casts: the other end is controlHandlers. */
function remoteAdministration(client: ControlClient): Administration {
  return {
    // Each answer is what controlHandlers gives for this name.
    accounts: () => client.request('accounts') as Promise<readonly AccountSummary[]>,
    queue: (filter, after) => client.request('queue', { filter, after } satisfies QueueRequest) as Promise<QueuePage>,
    // As above.
    queueStatus: () => client.request('queue-status') as Promise<QueueStatus>,
    // As above.
    entry: (id) => client.request('entry', id) as ReturnType<Administration['entry']>,
    // As above.
    tlsReports: (filter, after) =>
      client.request('tls-reports', { filter, after } satisfies TlsReportRequest) as Promise<TlsReportPage>,
    // As above.
    execute: (command) => client.request('execute', command) as never,
  };
}

export function controlPath(config: Pick<Config, 'data'>): string {
  return join(config.data, 'postern.sock');
}

/** The gates of the running server; null: none runs on this data folder. @param patience ms, if the caller has less */
export async function runningGates(config: Config, patience?: number): Promise<readonly Gate[] | null> {
  const client = await connectControl(controlPath(config), patience);
  if (client === null) return null;
  await using _ = client;
  return (await client.request('ports')) as readonly Gate[]; // as controlHandlers answers
}

/** The records of a domain's DKIM keys, made by the running server where there are none, since they must be its user's;
 * null: none runs. */
export async function runningKeyRecords(config: Config, domain: string): Promise<readonly KeyRecord[] | null> {
  const client = await connectControl(controlPath(config));
  if (client === null) return null;
  await using _ = client;
  return (await client.request('keys', domain)) as readonly KeyRecord[]; // as controlHandlers answers
}

/**
 * Looks at the store of a configuration, by the running server or without one, and keeps no server from starting meanwhile:
 * whoever reads what `work` writes may take as long as they like.
 * @throws Failure where there is no store to look at
 */
export async function inspect<T>(config: Config, work: (store: Inspection) => Promise<T>): Promise<T> {
  const client = await connectControl(controlPath(config));
  if (client !== null) {
    await using _ = client;
    return await work(remoteAdministration(client));
  }
  await demandStore(config);
  const { openReads } = await import('../store/inspect.ts');
  await using opened = await openReads(config.data);
  return await work(inspectionOf(opened.read));
}

/**
 * Does something to the store of a configuration, by the running server or without one. Until it is done, no server can start:
 * nobody is waited for in it.
 * @param store `make` if there is none yet
 * @throws Failure where there is no store to look at
 */
export async function administer<T>(
  config: Config,
  store: 'existing' | 'make',
  work: (administration: Administration) => Promise<T>,
): Promise<T> {
  const client = await connectControl(controlPath(config));
  if (client !== null) {
    await using _ = client;
    return await work(remoteAdministration(client));
  }
  if (store === 'existing') await demandStore(config);
  const { openStore } = await import('../store/open.ts');
  await becomeOwner(config.data);
  await using opened = await openStore({
    folder: config.data,
    log: createLog({ level: 'silent' }),
    clock: systemClock,
    deriver: new URL('../imap/render/summary.ts', import.meta.url),
  });
  return await work(administrationOf(opened));
}

/** @throws Failure */
async function demandStore({ data }: Config): Promise<void> {
  if ((await stat(join(data, 'mail.db')).catch(() => null)) !== null) return;
  throw new Failure(`there is no store in ${data} yet: start the server, or add an account`);
}
