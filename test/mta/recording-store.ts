// A store that remembers what it was asked to accept, with the octets that each account would read. It can be told to
// fail. For tests of what the agents ask of a store; what a store does stands in test/store.

import type { Accept, CommandOf, StagedBody } from '../../src/store/commands.ts';
import type { AccountId, AccountRow, Commit, EntryId, MailboxId, Uid } from '../../src/store/rows.ts';
import type { Reads, Staging, Store, StoreError } from '../../src/store/store.ts';
import { type AccountStore, accountStore } from '../directory/account-store.ts';

export interface RecordingStore extends AccountStore, Pick<Store, 'stage'> {
  readonly accepted: Accept[];
  /** The next accept, or write to staging, fails so. */
  failure: { readonly at: 'accept' | 'stage'; readonly error: StoreError } | null;
  /** Bodies that are staged and neither used nor discarded. */
  readonly staged: number;
  /** Writes to staging in all. */
  readonly writes: number;
  /** Octets that these accounts use. */
  readonly used: Map<string, number>;
  /** The body of an accept, as text with one character for each octet. */
  body(accept: Accept | undefined): string;
}

export function recordingStore(): RecordingStore {
  const accounts = accountStore();
  const bodies = new WeakMap<StagedBody, Buffer>();
  const open = new Set<object>();
  const usedBy = new Map<string, number>();
  const used = (row: AccountRow): AccountRow => ({ ...row, usedOctets: usedBy.get(row.address) ?? 0 });
  let uid = 0;
  let writes = 0;
  const accepted: Accept[] = [];
  const fails = (at: 'accept' | 'stage') => {
    if (store.failure?.at !== at) return;
    const { error } = store.failure;
    store.failure = null;
    throw error;
  };
  const stage = (): Staging => {
    const chunks: Uint8Array[] = [];
    const token = {};
    open.add(token);
    return {
      get size() {
        return chunks.reduce((sum, chunk) => sum + chunk.length, 0);
      },
      async write(chunk) {
        writes++;
        fails('stage');
        chunks.push(chunk);
      },
      rest: async () => {},
      finish() {
        const whole = Buffer.concat(chunks);
        const body: StagedBody = { stage: null, tail: whole, size: whole.length, lacking: 0 };
        bodies.set(body, whole);
        open.delete(token);
        return body;
      },
      discard: () => void open.delete(token),
    };
  };
  const accept = async (command: Accept) => {
    await new Promise((resolve) => setImmediate(resolve));
    fails('accept');
    accepted.push(command);
    return {
      placed: command.deliveries.map(() => ({ mailbox: 1 as MailboxId, uidValidity: 1, uid: ++uid as Uid })),
      entries: (command.dispatch?.entries ?? []).map((_, index) => (index + 1) as EntryId),
      commit: accepted.length as Commit,
    };
  };
  const store: RecordingStore = {
    commands: accounts.commands,
    get followers() {
      return accounts.followers;
    },
    get epochs() {
      return accounts.epochs;
    },
    follow: accounts.follow,
    read: {
      accounts: async () => (await accounts.read.accounts()).map(used),
      account: async (id: AccountId) => {
        const row = await accounts.read.account(id);
        return row && used(row);
      },
      // Nothing else is read by an agent that takes mail: a test that asks fails.
    } as unknown as Reads,
    // Answers by the command's kind, which the compiler cannot follow through one function.
    execute: ((command: Accept | CommandOf<'put-account'>) =>
      command.kind === 'accept' ? accept(command) : accounts.execute(command)) as Store['execute'],
    stage,
    accepted,
    failure: null,
    used: usedBy,
    get staged() {
      return open.size;
    },
    get writes() {
      return writes;
    },
    body: (command) => (command === undefined ? '' : (bodies.get(command.body)?.toString('latin1') ?? '')),
  };
  return store;
}
