// The change feed on the thread of the sessions: who follows what, and how far it has come.

import type { AccountId, Commit, MailboxId } from '../rows.ts';
import type { Change, Topic } from '../store.ts';

type Listener = (change: Change) => void;

export class Feed {
  readonly #byMailbox = new Map<MailboxId, Set<Listener>>();
  readonly #byAccount = new Map<AccountId, Set<Listener>>();
  readonly #byKind = new Map<'annotated' | 'rights' | 'directory' | 'queue', Set<Listener>>();
  readonly #waiting: { readonly commit: Commit; readonly resolve: () => void }[] = [];
  #commit: Commit;
  #closed = false;

  constructor(commit: Commit) {
    this.#commit = commit;
  }

  /** The last one that was published. */
  get commit(): Commit {
    return this.#commit;
  }

  follow(topic: Topic, listener: Listener): () => void {
    if ('mailbox' in topic) return join(this.#byMailbox, topic.mailbox, listener);
    if ('account' in topic) return join(this.#byAccount, topic.account, listener);
    return join(this.#byKind, topic.kind, listener);
  }

  /** Tells the followers what a transaction did. A listener that throws is reported, and harms nobody else. */
  publish(commit: Commit, changes: readonly Change[], report: (error: unknown) => void): void {
    for (const change of changes) this.#tell(change, report);
    if (commit > this.#commit) this.#commit = commit;
    const ready = this.#waiting.filter((waiter) => waiter.commit <= this.#commit);
    if (ready.length === 0) return;
    this.#waiting.splice(0, this.#waiting.length, ...this.#waiting.filter((waiter) => waiter.commit > this.#commit));
    for (const { resolve } of ready) resolve();
  }

  /** Resolves when the changes of a commit have been published; undefined: they have been. */
  reached(commit: Commit): Promise<void> | undefined {
    if (commit <= this.#commit || this.#closed) return undefined;
    return new Promise((resolve) => {
      this.#waiting.push({ commit, resolve });
    });
  }

  /** Nothing more will come: nobody waits any longer. */
  close(): void {
    this.#closed = true;
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  #tell(change: Change, report: (error: unknown) => void): void {
    if (change.kind === 'directory' || change.kind === 'queue') {
      tellAll(this.#byKind.get(change.kind), change, report);
      return;
    }
    if (change.kind === 'annotated' || change.kind === 'rights') tellAll(this.#byKind.get(change.kind), change, report);
    if (change.mailbox !== null) tellAll(this.#byMailbox.get(change.mailbox), change, report);
    tellAll(this.#byAccount.get(change.account), change, report);
  }
}

function join<K>(map: Map<K, Set<Listener>>, key: K, listener: Listener): () => void {
  // A function of its own for each call, so that one listener may follow twice.
  const entry: Listener = (change) => listener(change);
  const listeners = map.get(key);
  if (listeners === undefined) map.set(key, new Set([entry]));
  else listeners.add(entry);
  return () => {
    const joined = map.get(key);
    joined?.delete(entry);
    if (joined?.size === 0) map.delete(key);
  };
}

function tellAll(listeners: Set<Listener> | undefined, change: Change, report: (error: unknown) => void): void {
  if (listeners === undefined) return;
  for (const listener of listeners) {
    try {
      listener(change);
    } catch (error) {
      report(error);
    }
  }
}
