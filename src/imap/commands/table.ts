// Every command that this server understands, by its name. Each says for itself in which states it may be said, whether
// it has a UID form, and whether EXPUNGE may be told while it runs.

import { bad, type Completion, type ImapRefusal, uidRequired } from '../completion.ts';
import type { Scanner } from '../grammar/scanner.ts';
import { deleteAcl, getAcl, listRights, myRights, setAcl } from './acl.ts';
import { capability, id, logout, noop } from './any-state.ts';
import { append } from './append.ts';
import { authenticate, login, starttls, unauthenticate } from './authenticate.ts';
import type { Command, Session } from './command.ts';
import { compress } from './compress.ts';
import { copy, move } from './copy.ts';
import { enable } from './enable.ts';
import { esearch } from './esearch.ts';
import { expunge } from './expunge.ts';
import { fetch } from './fetch.ts';
import { idle } from './idle.ts';
import { list } from './list.ts';
import { lsub, namespace } from './lsub.ts';
import { create, remove, rename, subscribe, unsubscribe } from './mailboxes.ts';
import { getMetadata, setMetadata } from './metadata.ts';
import { notify } from './notify.ts';
import { getQuota, getQuotaRoot, setQuota } from './quota.ts';
import { replace } from './replace.ts';
import { cancelUpdate, search } from './search.ts';
import { check, close, examine, select, unselect } from './select.ts';
import { sort } from './sort.ts';
import { status } from './status.ts';
import { store } from './store.ts';
import { thread } from './thread.ts';
import { uidBatches } from './uid-batches.ts';
import { genUrlAuth, resetKey } from './urlauth.ts';
import { urlFetch } from './urlfetch.ts';

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
  unauthenticate,
  enable,
  compress,
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
  getQuota,
  getQuotaRoot,
  setQuota,
  getMetadata,
  setMetadata,
  getAcl,
  setAcl,
  deleteAcl,
  listRights,
  myRights,
  notify,
  idle,
  esearch,
  genUrlAuth,
  resetKey,
  urlFetch,
  // Selected
  uidBatches,
  check,
  close,
  unselect,
  expunge,
  fetch,
  search,
  sort,
  thread,
  cancelUpdate,
  store,
  copy,
  move,
  replace,
];

const BY_NAME: ReadonlyMap<string, Command> = new Map(COMMANDS.map((command) => [command.name, command]));

/** A command with its arguments. */
export interface Parsed {
  readonly run: (session: Session) => Promise<Completion>;
  /** EXPUNGE may be told before its completion. */
  readonly tellsExpunge: boolean;
}

/** For a client, or a person, that begins with the command: what is taken for its tag is the name of one. null: it is not. */
export function untagged(tag: string): ImapRefusal | null {
  const name = tag.toUpperCase();
  return BY_NAME.has(name) ? bad(`A command begins with a tag of your choice: "a1 ${name}"`) : null;
}

/** command-any / command-auth / command-nonauth / command-select, or "UID" SP and one that has a UID form; the tag is
 * taken already. @throws ImapRefusal, LiteralWanted */
export function parseCommand(scanner: Scanner, session: Session): Parsed {
  let name = scanner.word('a command');
  const uid = name === 'UID';
  if (uid) {
    scanner.space();
    name = scanner.word('a command');
  }
  const command = BY_NAME.get(name);
  if (!command || (uid && command.uid === 'none')) throw untagged(session.tag) ?? bad('That command is not known');
  if (!command.states.includes(session.state)) throw bad(`${name} cannot be said in the state "${session.state}"`);
  // RFC 9586 §3
  if (command.uid === 'allowed' && !uid && session.enabled.uidOnly) throw uidRequired();
  command.admit(session);
  const { run, numbered } = command.parse(scanner, uid);
  return { run, tellsExpunge: !numbered && (uid || command.expunge === 'told') };
}
