// kill -9 at random moments of a load on the store: what was acknowledged is there once and whole, in mailboxes and in
// the queue, nothing is there twice, and no number is given out again. CRASH_RUNS says how often.

import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import type { AccountId, MessageRow } from '../../src/store/rows.ts';
import type { Store } from '../../src/store/store.ts';
import { audit } from '../store/audit.ts';
import { bodyOctets, deliver, letter, mailboxOf } from '../store/mail.ts';
import { storeFolder } from '../store/open-folder.ts';
import { after, described, type Held, heldIn, nothingHeld, type Step } from './store-actor.ts';

const RUNS = Number(process.env.CRASH_RUNS ?? 10);
const CHILD = fileURLToPath(new URL('./store-child.ts', import.meta.url));

type Line =
  | { readonly number: number; readonly uid: number }
  | { readonly actor: string; readonly about: 'begin' | 'done'; readonly step: Step; readonly uids: readonly number[] };

function startChild(folder: string, from: number) {
  return spawn(process.execPath, [CHILD, folder, String(from)], { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** Lets a child work, and kills it behind a random line. @returns what it said */
async function killedRun(folder: string, from: number): Promise<readonly Line[]> {
  const child = startChild(folder, from);
  // Often among the first lines, sometimes far into them.
  const killAfter = randomInt(1, 25) ** 2;
  let output = '';
  let lines = 0;
  child.stdout.setEncoding('latin1').on('data', (text: string) => {
    output += text;
    lines += text.split('\n').length - 1;
    if (lines >= killAfter) child.kill('SIGKILL');
  });
  const [, signal] = await once(child, 'close');
  expect(signal).toBe('SIGKILL');
  // A line that was cut is no acknowledgement.
  const whole = output.split('\n').slice(0, -1);
  return whole.map((line): Line => JSON.parse(line));
}

/** What actors have said: what was acknowledged, and the step of which nobody knows. */
class Expected {
  readonly actors = new Map<string, { held: Held; pending: Step | null }>();
  /** By mailbox and UID: which message has it. */
  readonly #given = new Map<string, string>();

  hear(line: Line): void {
    if ('number' in line) {
      this.#give('INBOX', line.uid, `${line.number}`);
      return;
    }
    const actor = this.actors.get(line.actor) ?? { held: nothingHeld(), pending: null };
    if (line.about === 'begin') {
      this.actors.set(line.actor, { held: actor.held, pending: line.step });
      return;
    }
    this.actors.set(line.actor, { held: after(actor.held, line.step), pending: null });
    for (const uid of line.uids) this.#give(line.actor, uid, `${line.step.kind} ${line.step.key}`);
  }

  /** No UID is two messages'. */
  #give(mailbox: string, uid: number, key: string): void {
    const place = `${mailbox} ${uid}`;
    expect(this.#given.get(place)).toBeUndefined();
    this.#given.set(place, key);
  }

  /** Compares with a store; the step under way was done or not, and is known from then on.
   * @param run those that worked in it; null: all */
  async check(store: Store, account: AccountId, run: string | null): Promise<void> {
    for (const [name, { held, pending }] of this.actors) {
      if (run !== null && !name.startsWith(`${run}-`)) continue;
      const found = await heldIn(store, account, name);
      const allowed = pending === null ? [held] : [held, after(held, pending)];
      expect(allowed.map(described)).toContain(described(found));
      this.actors.set(name, { held: found, pending: null });
    }
  }
}

async function subjectOf(store: Store, row: MessageRow): Promise<number> {
  const text = Buffer.from(await bodyOctets(store, row.body, row.size)).toString('latin1');
  expect(text.endsWith('end')).toBe(true);
  expect(text).toHaveLength(row.size);
  return Number(/^Subject: (\d+)\r\n/.exec(text)?.[1]);
}

/** Which messages are in INBOX. @param known those that were looked at after an earlier kill, by their UIDs */
async function delivered(store: Store, account: AccountId, known: Map<number, number>): Promise<readonly number[]> {
  const inbox = await mailboxOf(store, account);
  const { uids } = await store.read.uids(inbox.id);
  expect(inbox.messages).toBe(uids.length);
  const unknown = uids.filter((uid) => !known.has(uid));
  for (let at = 0; at < unknown.length; at += 500) {
    const { rows } = await store.read.messages(inbox.id, unknown.slice(at, at + 500));
    for (const row of rows) known.set(row.uid, await subjectOf(store, row));
  }
  expect(known.size).toBe(uids.length);
  return [...known.values()];
}

async function queued(store: Store): Promise<readonly number[]> {
  const numbers: number[] = [];
  for (let from = 0; ; ) {
    const page = await store.read.queue.list({ destination: 'remote.test', after: from as never, limit: 500 });
    for (const { entry } of page) numbers.push(Number(entry.recipient.localPart.slice(1)));
    const last = page.at(-1);
    if (last === undefined) return numbers;
    from = last.entry.id;
  }
}

const sorted = (numbers: readonly number[]) => [...numbers].sort((one, other) => one - other);

it(`loses and doubles nothing in ${RUNS} kills`, { timeout: 120_000 + RUNS * 20_000 }, async () => {
  await using place = await storeFolder();
  const expected = new Expected();
  const acknowledged: number[] = [];
  const known = new Map<number, number>();
  let modSeq = 0;
  for (let run = 0; run < RUNS; run++) {
    const lines = await killedRun(place.folder, run * 1_000_000);
    for (const line of lines) {
      expected.hear(line);
      if ('number' in line) acknowledged.push(line.number);
    }
    const store = await place.open();
    const [alice] = await store.read.accounts();
    // Killed before anything: there is nothing to look at.
    if (alice !== undefined) {
      const found = sorted(await delivered(store, alice.id, known));
      expect(found).toEqual([...new Set(found)]);
      expect(sorted(await queued(store))).toEqual(found);
      const there = new Set(found);
      expect(acknowledged.filter((number) => !there.has(number))).toEqual([]);
      await expected.check(store, alice.id, run === RUNS - 1 ? null : `r${run * 1_000_000}`);
      // MODSEQs go on above all that there were, in whatever mailbox.
      const before = Math.max(...(await store.read.mailboxes(alice.id)).map((mailbox) => mailbox.highestModSeq));
      const { mailbox, uid } = await deliver(store, alice.id, letter('later'), { mailbox: 'Junk' });
      const [row] = (await store.read.messages(mailbox, [uid])).rows;
      expect(before).toBeGreaterThanOrEqual(modSeq);
      expect(row?.modSeq).toBeGreaterThan(before);
      expect(uid).toBe(run + 1);
      modSeq = row?.modSeq ?? 0;
    }
    await store.close();
    expect(audit(place.folder)).toEqual([]);
  }
  expect(acknowledged.length).toBeGreaterThanOrEqual(RUNS);
});

it('is one server for a store, and gives it free with the last breath', async () => {
  await using place = await storeFolder();
  const child = startChild(place.folder, 0);
  const gone = once(child, 'close');
  await once(child.stdout, 'data');
  // Whoever is refused learns which store it is about.
  const refused = { kind: 'refused', message: expect.stringContaining(place.folder) };
  await expect(place.open()).rejects.toMatchObject(refused);
  child.kill('SIGKILL');
  await gone;
  const store = await place.open();
  expect(await store.read.accounts()).toHaveLength(1);
});
