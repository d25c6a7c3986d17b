// What a client keeps of a mailbox while it is away, and how it comes up to date with that (RFC 7162 §3.2.5, §3.2.6): what
// vanished meanwhile is told to the last UID, and no other.

import { must } from './mailbox.ts';
import type { Player } from './player.ts';

export interface Memory {
  readonly uidValidity: number;
  readonly modSeq: number;
  readonly uids: readonly number[];
  /** When all that the client knew was all that there was; null: there was more, and HIGHESTMODSEQ said so. */
  readonly time: number | null;
}

/** Leaves with what there is; or in the middle of things, having heard a part. */
export async function remember(player: Player): Promise<Memory> {
  const { belief, mailbox, client, random } = player;
  const early = belief.qresync && belief.slots.some(({ uid }) => mailbox.dead.has(uid ?? 0)) && random.once(2);
  if (early) {
    belief.hear(await client.done('FETCH 1:* (UID FLAGS MODSEQ)'), { command: 'FETCH', exact: true });
  } else await player.noop();
  const modSeq = belief.highest;
  const uids = belief.slots.map(({ uid }) => uid ?? 0);
  const responses = await client.done('STATUS INBOX (UIDVALIDITY HIGHESTMODSEQ)');
  belief.condstore = true;
  const [, validity, highest] =
    /UIDVALIDITY (\d+) HIGHESTMODSEQ (\d+)/.exec(responses.map(({ text }) => text).join('\n')) ?? [];
  const status = { uidValidity: Number(validity), uids };
  if (early) return { ...status, modSeq, time: null };
  must(Number(highest) >= mailbox.highest, () => `HIGHESTMODSEQ ${highest} after ${mailbox.highest} was told`);
  mailbox.learnHighest(Number(highest));
  return { ...status, modSeq: Number(highest), time: mailbox.time };
}

/** Comes back. The connection knows QRESYNC. */
export async function resume(player: Player, memory: Memory): Promise<void> {
  const { random, mailbox } = player;
  const known = random.once(3) ? memory.uids.filter(() => !random.once(4)) : [];
  const pairs = random.once(2) ? memory.uids.map((uid, at) => [at + 1, uid] as const).filter(() => random.once(3)) : [];
  const list = known.length > 0 ? ` ${known.join()}` : '';
  const match = pairs.length > 0 ? ` (${pairs.map(([at]) => at).join()} ${pairs.map(([, uid]) => uid).join()})` : '';
  const parameters = ` (QRESYNC (${memory.uidValidity} ${memory.modSeq}${list}${match}))`;
  const matching = pairs.filter(([at, uid]) => mailbox.living[at - 1]?.uid === uid);
  const asked = (uid: number) => (known.length === 0 || known.includes(uid)) && uid > (matching.at(-1)?.[1] ?? 0);
  const { earlier, fetched } = await player.select(parameters);
  const what = `SELECT${parameters}`;
  judge(what, memory, earlier, player, asked);
  const told = new Set(fetched.map(({ uid }) => uid ?? 0));
  const due = mailbox.living.filter(({ uid, changed }) => {
    return changed > (memory.time ?? Number.POSITIVE_INFINITY) && (known.length === 0 || known.includes(uid));
  });
  for (const { uid } of due) must(told.has(uid), () => `${what} does not tell of UID ${uid}, which has changed`);
  if (memory.time !== null) must(told.size === due.length, () => `${what} tells of ${[...told]}`);
  if (!random.once(3)) return;
  const fetch = `UID FETCH 1:* (FLAGS) (CHANGEDSINCE ${memory.modSeq} VANISHED)`;
  const again = player.belief.hear(await player.client.done(fetch), { command: fetch, exact: true });
  judge(fetch, memory, again.earlier, player, () => true);
}

function judge(
  what: string,
  memory: Memory,
  earlier: ReadonlySet<number>,
  { mailbox }: Player,
  asked: (uid: number) => boolean,
): void {
  for (const uid of earlier) {
    must(mailbox.dead.has(uid) && asked(uid), () => `${what} says that UID ${uid} vanished`);
  }
  const gone =
    memory.time === null ? memory.uids.filter((uid) => mailbox.dead.has(uid)) : mailbox.goneSince(memory.time);
  const due = gone.filter(asked);
  for (const uid of due) must(earlier.has(uid), () => `${what} does not say that UID ${uid} vanished`);
  if (memory.time !== null)
    must(due.length === earlier.size, () => `${what} says too much: ${[...earlier]}, not ${due}`);
}

/** What a witness sees: all that there is. */
export async function witness(player: Player): Promise<void> {
  const { client, mailbox } = player;
  await client.done('NOOP');
  const seen = new Map<number, { flags: ReadonlySet<string>; modSeq: number; text: string }>();
  for (const { text } of await client.done('UID FETCH 1:* (FLAGS MODSEQ)')) {
    const uid = /UID (\d+)/.exec(text)?.[1];
    const modSeq = /MODSEQ \((\d+)\)/.exec(text)?.[1];
    if (uid === undefined) continue;
    const list = /FLAGS \(([^)]*)\)/.exec(text)?.[1] ?? '';
    const flags = new Set(list.split(' ').filter((flag) => flag && flag !== '\\Recent'));
    seen.set(Number(uid), { flags, modSeq: Number(modSeq), text: mailbox.find(Number(uid))?.text ?? '' });
  }
  for (const { text, literals } of await client.done(`UID FETCH ${mailbox.uidNext}:* (BODY.PEEK[TEXT])`)) {
    const uid = Number(/UID (\d+)/.exec(text)?.[1]);
    const known = seen.get(uid);
    if (known) seen.set(uid, { ...known, text: literals[0]?.toString() ?? '' });
  }
  const [status] = await client.done('STATUS INBOX (UIDNEXT)');
  mailbox.adopt(seen, Number(/UIDNEXT (\d+)/.exec(`${status?.text}`)?.[1]));
}
