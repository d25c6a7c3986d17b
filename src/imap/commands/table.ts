// Every command that this server understands, by its name. Each says for itself in which states it may be said, whether
// it has a UID form, and whether EXPUNGE may be told while it runs.

import { capability, enable, id, logout, noop } from './any-state.ts';
import { append } from './append.ts';
import { authenticate, login, starttls } from './authenticate.ts';
import type { Command } from './command.ts';
import { copy, move } from './copy.ts';
import { expunge } from './expunge.ts';
import { fetch } from './fetch.ts';
import { idle } from './idle.ts';
import { list, lsub, namespace } from './list.ts';
import { create, remove, rename, subscribe, unsubscribe } from './mailboxes.ts';
import { check, close, examine, select, unselect } from './select.ts';
import { status } from './status.ts';
import { store } from './store.ts';

export const COMMANDS: readonly Command[] = [
  // Any state
  capability,
  noop,
  logout,
  id,
  // Not authenticated
  starttls,
  authenticate,
  login,
  // Authenticated
  enable,
  select,
  examine,
  create,
  remove,
  rename,
  subscribe,
  unsubscribe,
  list,
  lsub,
  namespace,
  status,
  append,
  idle,
  // Selected
  check,
  close,
  unselect,
  expunge,
  fetch,
  store,
  copy,
  move,
];

const BY_NAME: ReadonlyMap<string, Command> = new Map(COMMANDS.map((command) => [command.name, command]));

/** @param name in upper case */
export function commandNamed(name: string): Command | undefined {
  return BY_NAME.get(name);
}
