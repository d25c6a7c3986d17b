// The accounts of a store in memory: the part of Store that the directory uses, publishing as the contract says (before
// the command resolves, reads later). For tests of the directory's own rules.

import type { CommandKind, CommandOf, Results } from '../../src/store/commands.ts';
import type { AccountId, AccountRow, Commit } from '../../src/store/rows.ts';
import { type Change, type Reads, type Store, StoreError } from '../../src/store/store.ts';

export interface AccountStore extends Pick<Store, 'execute' | 'follow' | 'read'> {
  /** Commands that were executed. */
  readonly commands: CommandKind[];
  readonly followers: number;
  /** How often its epoch was asked for. */
  readonly epochs: number;
}

export function accountStore(options: { readonly namesAccount: boolean } = { namesAccount: true }): AccountStore {
  const rows = new Map<number, AccountRow>();
  const followers = new Set<(change: Change) => void>();
  const commands: CommandKind[] = [];
  let commit = 0;
  let epochs = 0;
  const publish = (account: AccountId) => {
    commit++;
    const change: Change = {
      kind: 'directory',
      commit: commit as Commit,
      ...(options.namesAccount ? { account } : {}),
    };
    for (const follower of followers) follower(change);
  };
  const putAccount = (command: CommandOf<'put-account'>): Results['put-account'] => {
    const old = [...rows.values()].find((row) => row.address === command.address);
    if (old !== undefined && command.existing === 'keep') return { account: old.id, created: false };
    const taken = [...rows.values()].some(
      (row) =>
        row.id !== old?.id &&
        [row.address, ...row.aliases].some((text) => text === command.address || command.aliases.includes(text)),
    );
    if (taken) throw new StoreError('exists', 'an address is another account’s');
    const id = old?.id ?? ((rows.size + 1) as AccountId);
    const { address, aliases, quota, password, seeded } = command;
    rows.set(id, { id, address, aliases, quota, password, seeded, usedOctets: 0, usedMessages: 0 });
    publish(id);
    return { account: id, created: old === undefined };
  };
  const run = (command: CommandOf<CommandKind>): unknown => {
    if (command.kind === 'put-account') return putAccount(command);
    if (command.kind === 'set-password') {
      const row = rows.get(command.account);
      if (row !== undefined) rows.set(row.id, { ...row, password: command.password });
    } else if (command.kind === 'remove-account') rows.delete(command.account);
    else throw new Error(`not here: ${command.kind}`);
    publish(command.account);
    return undefined;
  };
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  return {
    commands,
    get followers() {
      return followers.size;
    },
    get epochs() {
      return epochs;
    },
    // A store of accounts answers nothing else: a test that asks fails.
    read: {
      epoch: async () => {
        epochs++;
        await turn();
        return '0123456789abcdef';
      },
      accounts: async () => {
        await turn();
        return [...rows.values()];
      },
      account: async (id: AccountId) => {
        await turn();
        return rows.get(id);
      },
    } as unknown as Reads,
    // Each command is answered as its kind wants it; the compiler cannot follow that through one function.
    execute: (async (command: CommandOf<CommandKind>) => {
      await turn();
      commands.push(command.kind);
      return run(command);
    }) as Store['execute'],
    follow(_topic, listener) {
      followers.add(listener);
      return () => followers.delete(listener);
    },
  };
}
