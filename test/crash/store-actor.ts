// A user of the crash test, with two mailboxes and a destination of its own: what it does next, and what the store holds
// of it afterwards. The child does the steps, one after another; the test replays those that were acknowledged.

import type { Command } from '../../src/store/commands.ts';
import { bodyFacts } from '../../src/store/facts.ts';
import type { AccountId, EntryId, MailboxId, Uid } from '../../src/store/rows.ts';
import type { Store } from '../../src/store/store.ts';
import { acceptance, bodyOctets, delivery, dispatchTo, octets, stage } from '../store/mail.ts';

const KINDS = ['append', 'accept', 'flags', 'copy', 'move', 'expunge', 'retry', 'done', 'report'] as const;

export interface Step {
  readonly kind: (typeof KINDS)[number];
  /** The message or queue entry that it is about. */
  readonly key: string;
  readonly flags: number;
}

/** What a store holds of an actor: flags of messages, attempts of entries, by their keys. */
export interface Held {
  readonly in: Map<string, number>;
  readonly out: Map<string, number>;
  readonly queue: Map<string, number>;
}

export const nothingHeld = (): Held => ({ in: new Map(), out: new Map(), queue: new Map() });

/** What is held after a step. */
export function after(before: Held, { kind, key, flags }: Step): Held {
  const held = { in: new Map(before.in), out: new Map(before.out), queue: new Map(before.queue) };
  switch (kind) {
    case 'append':
    case 'flags':
      held.in.set(key, flags);
      break;
    case 'accept':
      held.in.set(key, 0);
      held.queue.set(key, 0);
      break;
    case 'copy':
    case 'move':
      held.out.set(key, held.in.get(key) ?? 0);
      if (kind === 'move') held.in.delete(key);
      break;
    case 'expunge':
      held.in.delete(key);
      break;
    case 'retry':
      held.queue.set(key, (held.queue.get(key) ?? 0) + 1);
      break;
    case 'done':
    case 'report':
      held.queue.delete(key);
      if (kind === 'report') held.in.set(`report-${key}`, 0);
      break;
  }
  return held;
}

/** Held things as text that can be compared. */
export function described(held: Held): string {
  const sorted = (map: Map<string, number>) => [...map].sort(([one], [other]) => (one < other ? -1 : 1));
  return JSON.stringify([sorted(held.in), sorted(held.out), sorted(held.queue)]);
}

/** What a store holds of the actor of that name. @throws where anything is there twice or not whole */
export async function heldIn(store: Store, account: AccountId, name: string): Promise<Held> {
  const held = nothingHeld();
  for (const side of ['in', 'out'] as const) {
    const mailbox = await store.read.mailboxByName(account, `${name}/${side}`);
    if (mailbox === undefined) continue;
    const { uids } = await store.read.uids(mailbox.id);
    for (let at = 0; at < uids.length; at += 500) {
      const { rows } = await store.read.messages(mailbox.id, uids.slice(at, at + 500));
      for (const row of rows) {
        const text = Buffer.from(await bodyOctets(store, row.body, row.size)).toString('latin1');
        const key = /^Subject: (\S+)\r\n\r\nx*end$/.exec(text)?.[1];
        if (key === undefined || held[side].has(key)) throw new Error(`${name}: ${key} is cut or there twice`);
        held[side].set(key, row.flags);
      }
    }
  }
  for (let from = 0; ; ) {
    const page = await store.read.queue.list({ destination: `${name}.test`, after: from as EntryId, limit: 500 });
    for (const { entry } of page) held.queue.set(entry.recipient.localPart, entry.attempts);
    const last = page.at(-1);
    if (last === undefined) return held;
    from = last.entry.id;
  }
}

/** The actor at work, in the child. */
export class Actor {
  readonly #store: Store;
  readonly #account: AccountId;
  readonly #name: string;
  readonly #uids = new Map<string, Uid>();
  readonly #entries = new Map<string, EntryId>();
  #held = nothingHeld();
  #last = 0;

  constructor(store: Store, account: AccountId, name: string) {
    this.#store = store;
    this.#account = account;
    this.#name = name;
  }

  /** Does steps without end. @param say told before and after each */
  async run(say: (about: 'begin' | 'done', step: Step, uids: readonly number[]) => void): Promise<never> {
    const inbox = await this.#mailbox('in');
    const archive = await this.#mailbox('out');
    for (;;) {
      const step = this.#next();
      say('begin', step, []);
      const uids = await this.#do(step, inbox, archive);
      this.#held = after(this.#held, step);
      say('done', step, uids);
    }
  }

  async #mailbox(side: 'in' | 'out'): Promise<MailboxId> {
    const name = `${this.#name}/${side}`;
    const made = await this.#store.execute({
      kind: 'create-mailbox',
      account: this.#account,
      name,
      specialUse: null,
    });
    return made.mailbox;
  }

  #next(): Step {
    const kind = KINDS[Math.floor(Math.random() * KINDS.length)] ?? 'append';
    const flags = Math.floor(Math.random() * 32);
    const keys = this.#keysFor(kind);
    const key = keys[Math.floor(Math.random() * keys.length)];
    if (key !== undefined) return { kind, key, flags };
    this.#last += 1;
    return { kind: kind === 'accept' ? kind : 'append', key: `${this.#name}.${this.#last}`, flags };
  }

  #keysFor(kind: Step['kind']): readonly string[] {
    const { in: inbox, out, queue } = this.#held;
    if (kind === 'flags' || kind === 'expunge') return [...inbox.keys()];
    if (kind === 'copy' || kind === 'move') return [...inbox.keys()].filter((key) => !out.has(key));
    return kind === 'append' || kind === 'accept' ? [] : [...queue.keys()];
  }

  /** @returns UIDs that were given out in the first mailbox */
  async #do({ kind, key, flags }: Step, mailbox: MailboxId, archive: MailboxId): Promise<readonly number[]> {
    const store = this.#store;
    const uids = [this.#uids.get(key) ?? (0 as Uid)];
    const view = null;
    switch (kind) {
      case 'append': {
        const content = letterOf(key);
        const body = await stage(store, content);
        const message = { body, facts: bodyFacts(content), flags, keywords: [], internalDate: 0, internalZone: 0 };
        const placed = await store.execute({ kind, mailbox, now: 1, messages: [message], view });
        return this.#noted(key, placed.uids);
      }
      case 'accept': {
        const to = [delivery(this.#account, { mailbox: `${this.#name}/in` })];
        const out = dispatchTo(`${key}@${this.#name}.test`);
        const { placed, entries } = await store.execute(await acceptance(store, letterOf(key), to, out));
        for (const entry of entries) this.#entries.set(key, entry);
        return this.#noted(
          key,
          placed.map(({ uid }) => uid),
        );
      }
      case 'flags':
        await store.execute({ kind, mailbox, uids, mode: 'replace', flags, keywords: [], unchangedSince: null, view });
        return [];
      case 'copy':
      case 'move':
        await store.execute({ kind, from: mailbox, uids, to: archive, now: 1, view });
        return [];
      case 'expunge':
        await store.execute({ kind, mailbox, uids, force: true, view });
        return [];
      default:
        return await this.#settle(kind, key);
    }
  }

  async #settle(kind: 'retry' | 'done' | 'report', key: string): Promise<readonly number[]> {
    const entry = this.#entries.get(key) ?? (0 as EntryId);
    const tried = { at: 1, host: null, address: null, tls: null, reply: null, text: 'later' };
    const then: Extract<Command, { kind: 'settle' }>['settlements'][number]['then'] =
      kind === 'retry' ? { kind, nextAt: 2_000, warnAt: null } : kind === 'done' ? { kind } : { kind: 'failed' };
    const to = [delivery(this.#account, { mailbox: `${this.#name}/in` })];
    const report = `report-${key}`;
    const reports = kind === 'report' ? [await acceptance(this.#store, letterOf(report), to)] : [];
    await this.#store.execute({ kind: 'settle', settlements: [{ entry, attempt: tried, then }], reports });
    return kind === 'report' ? await this.#reported(report) : [];
  }

  /** settle does not say where its reports went: the newest message is this actor's last one. */
  async #reported(key: string): Promise<readonly number[]> {
    const mailbox = await this.#store.read.mailboxByName(this.#account, `${this.#name}/in`);
    const { uids } = await this.#store.read.uids(mailbox?.id ?? (0 as MailboxId));
    return this.#noted(key, uids.slice(-1));
  }

  #noted(key: string, uids: readonly number[] | Uint32Array): readonly number[] {
    // As the store gave them out.
    for (const uid of uids) this.#uids.set(key, uid as Uid);
    return [...uids];
  }
}

/** Every so often a body goes ahead of its command in chunks. */
function letterOf(key: string): Uint8Array {
  const size = Math.random() < 0.05 ? 400_000 : Math.floor(Math.random() * 5_000);
  return octets(`Subject: ${key}\r\n\r\n${'x'.repeat(size)}end`);
}
