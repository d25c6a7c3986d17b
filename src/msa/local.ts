// Submission by programs on this machine (RFC 6409 §3.1 leaves the way to us): their messages lie in the spool, and are
// completed and taken over as those of users are. The file goes when the store has the message; the key that the store
// keeps with it makes that one message, whenever this program is killed.

import { watch } from 'node:fs';
import { keysOf, type LocalSubmissionOptions, submit, type Taken } from './local-message.ts';
import { clearDrafts, makeSpool, openSpooled, removeSpooled, SpoolDamage, setAside, spooledIds } from './spool.ts';

export interface LocalSubmission {
  /** Forgets what need not be remembered. Before anything is taken. */
  prepare(): Promise<void>;
  /** Takes what lies there now, and from then on what is left. */
  start(): void;
  /** Takes one message for somebody who waits for the answer. @throws Error where that is for nobody to see */
  take(id: string): Promise<Taken>;
  /** Takes nothing any more; resolves when nothing is under way. */
  close(): Promise<void>;
}

/** ms until the spool is looked at again: for what could not be taken, and for who was killed before telling of it. */
const RESCAN = 60_000;

/** ms: nobody writes so long at one message. */
const DRAFT_AGE = 24 * 3_600_000;

export function createLocalSubmission(options: LocalSubmissionOptions): LocalSubmission {
  const { store, clock, log } = options;
  const { folder } = options.spool;
  const underWay = new Map<string, Promise<Taken>>();
  let closing = false;
  let scanning = false;
  let again = false;
  let cancel = (): void => {};
  let deafen = (): void => {};

  /** Whoever comes first says whether somebody hears the answer. */
  function take(id: string, heard: boolean): Promise<Taken> {
    if (closing) return Promise.resolve({ kind: 'kept', text: 'the server is closing' });
    const known = underWay.get(id);
    if (known !== undefined) return known;
    const taking = takeOne(options, id, heard).finally(() => underWay.delete(id));
    underWay.set(id, taking);
    return taking;
  }

  async function scan(): Promise<void> {
    if (closing) return;
    again = true;
    if (scanning) return;
    scanning = true;
    cancel();
    while (again && !closing) {
      again = false;
      await takeAll();
    }
    scanning = false;
    if (!closing) cancel = clock.after(RESCAN, () => void scan());
  }

  /** Never rejects. */
  async function takeAll(): Promise<void> {
    try {
      for (const id of await spooledIds(folder)) {
        if (closing) return;
        const result = await take(id, false).catch((error: unknown) => {
          if (!closing) log.error({ err: error, spooled: id }, 'a spooled message cannot be taken');
          return null;
        });
        if (result?.kind === 'kept') log.warn({ spooled: id, reason: result.text }, 'a spooled message waits');
      }
    } catch (error) {
      log.error({ err: error }, 'the spool cannot be read');
    }
  }

  /** Who may not ask to take a message leaves it and goes: then the folder tells. */
  function listen(): () => void {
    if (!options.spool.open) return () => {};
    const watcher = watch(folder, { persistent: false }, (_, name) => {
      if (name?.endsWith('.mail') && !underWay.has(name.slice(0, -'.mail'.length))) void scan();
    });
    // The next look at the folder finds what was not told.
    watcher.on('error', () => watcher.close());
    return () => watcher.close();
  }

  return {
    async prepare() {
      await makeSpool(options.spool);
      await clearDrafts(folder, clock.now() - DRAFT_AGE);
      const ids = await spooledIds(folder);
      await store.execute<'forget-once'>({ kind: 'forget-once', keys: ids.flatMap(keysOf), but: true });
    },
    start() {
      deafen = listen();
      void scan();
    },
    take: (id) => take(id, true),
    async close() {
      closing = true;
      cancel();
      deafen();
      await Promise.allSettled(underWay.values());
    },
  };
}

async function takeOne(options: LocalSubmissionOptions, id: string, heard: boolean): Promise<Taken> {
  const { store, log } = options;
  const { folder } = options.spool;
  let result: Taken;
  try {
    const spooled = await openSpooled(folder, id);
    // Taken already, or refused: whoever did it has told of it.
    if (spooled === null) return { kind: 'taken' };
    await using message = spooled;
    result = await submit(options, id, message, heard);
  } catch (error) {
    if (!(error instanceof SpoolDamage)) throw error;
    log.warn({ spooled: id, reason: error.message }, 'set aside');
    await setAside(folder, id);
    const reply = { code: 554, status: '5.6.0', text: 'The message cannot be read from the spool' } as const;
    return { kind: 'refused', replies: [reply] };
  }
  if (result.kind === 'kept') return result;
  await removeSpooled(folder, id);
  await store.execute<'forget-once'>({ kind: 'forget-once', keys: keysOf(id), but: false });
  return result;
}
