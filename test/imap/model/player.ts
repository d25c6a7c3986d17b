// One connection that does, at random, what clients do, and knows by the model how each command must end. Commands of one
// player at a time: what is told is then exactly what is.

import type { ImapClient, Response } from '../../clients/imap.ts';
import type { Random } from '../../fuzz/random.ts';
import { Belief, type Heard } from './belief.ts';
import { type Mailbox, must, same, stored } from './mailbox.ts';

const FLAGS = ['\\Seen', '\\Deleted', '\\Flagged', '\\Answered', 'Work', 'Play'] as const;

/** Messages as a command names them, and which those are. */
interface Chosen {
  readonly set: string;
  readonly uids: readonly number[];
}

export class Player {
  client: ImapClient;
  readonly random: Random;
  readonly mailbox: Mailbox;
  readonly belief: Belief;
  readOnly = false;

  constructor(client: ImapClient, random: Random, mailbox: Mailbox) {
    this.client = client;
    this.random = random;
    this.mailbox = mailbox;
    this.belief = new Belief(mailbox);
  }

  async select(parameters = ''): Promise<Heard> {
    const readOnly = this.random.once(6);
    this.belief.forget();
    const command = `${readOnly ? 'EXAMINE' : 'SELECT'} INBOX${parameters}`;
    const heard = this.belief.hear(await this.client.done(command), { command, exact: true });
    this.readOnly = readOnly;
    this.belief.check(command);
    return heard;
  }

  async enable(): Promise<void> {
    const what = this.random.pick(['CONDSTORE', 'QRESYNC']);
    const untagged = await this.client.done(`ENABLE ${what}`);
    this.belief.condstore = true;
    if (what === 'QRESYNC') this.belief.qresync = true;
    this.#hear(untagged, 'ENABLE');
  }

  /** Waits, while another does one thing. Hears all that there is to hear of it. */
  async idle(other: Player): Promise<void> {
    await this.noop();
    const end = await this.client.idle();
    await other.act();
    while (!this.#knowsAll()) this.belief.hear([await this.client.response()], { command: 'IDLE', exact: true });
    this.#hear(await end(), 'IDLE');
  }

  #knowsAll(): boolean {
    const { slots } = this.belief;
    const { living } = this.mailbox;
    return (
      slots.length === living.length &&
      slots.every(({ uid, flags }, at) => {
        const now = living[at];
        return now?.uid === uid && (flags === null || same(flags, now.flags));
      })
    );
  }

  /** Something while others do something, too: nobody knows in which order. */
  async scramble(): Promise<void> {
    const { belief, random } = this;
    const { set, uids } = this.#choose(false);
    const flags = this.#flags();
    const sign = random.pick(['', '+', '-']);
    const silent = random.once(2);
    const command = this.readOnly
      ? random.pick([`FETCH ${set} (UID FLAGS)`, 'UID FETCH 1:* (UID)', 'SEARCH DELETED'])
      : random.pick([
          `STORE ${set} ${sign}FLAGS${silent ? '.SILENT' : ''} (${flags.join(' ')})`,
          `FETCH ${set} (UID FLAGS)`,
          `COPY ${set} INBOX`,
          `MOVE ${set} ${random.once(3) ? 'INBOX' : 'Trash'}`,
          'EXPUNGE',
          `APPEND INBOX (${flags.join(' ')}) {18+}\r\nSubject: x\r\n\r\ntext`,
          'NOOP',
        ]);
    const { status, text, untagged } = await this.client.command(command);
    must(status === 'OK' || text.startsWith('[EXPUNGEISSUED]'), () => `${command}: ${status} ${text}`);
    if (command.includes('.SILENT') && status === 'OK') belief.believe(uids, sign, flags);
    // It may have been among them under a number whose UID the client has not been told: of that it knows nothing now.
    if (command.includes('.SILENT')) belief.forgetNameless();
    belief.hear(untagged, { command, exact: false });
  }

  /** After that: asks for what it has not been told of, and what it was told must be so. */
  async settle(): Promise<void> {
    const { belief, mailbox, client } = this;
    belief.hear(await client.done('NOOP'), { command: 'NOOP', exact: false });
    for (const uid of belief.claims.splice(0))
      must(mailbox.dead.has(uid), () => `UID ${uid} is there, and was said to be gone`);
    if (belief.slots.length > 0) this.#hear(await client.done('FETCH 1:* (UID)'), 'FETCH');
    else belief.check('NOOP');
  }

  async noop(): Promise<void> {
    this.#hear(await this.client.done('NOOP'), 'NOOP');
  }

  /** Anything but what needs another player. */
  async act(): Promise<void> {
    const { random, belief } = this;
    if (!this.readOnly && (this.mailbox.living.length < 4 || random.once(8))) return await this.append();
    const kind = random.below(20);
    if (belief.slots.length === 0 || kind === 0) return await this.noop();
    if (kind < 8) return await this.read();
    if (kind === 8) return await this.leave();
    if (kind === 9 && random.once(4)) return await this.enable();
    if (kind < 12) return await this.search();
    await this.change();
  }

  async read(): Promise<void> {
    const { random } = this;
    const byUid = random.once(2);
    const { set, uids } = this.#choose(byUid);
    const seen = random.once(8);
    const items = random.pick([
      '(UID FLAGS)',
      '(FLAGS)',
      this.belief.condstore ? '(UID FLAGS MODSEQ)' : '(UID)',
      seen ? '(UID BODY[TEXT])' : '(UID BODY.PEEK[TEXT])',
    ]);
    const command = `${byUid ? 'UID ' : ''}FETCH ${set} ${items}`;
    const untagged = await this.client.done(command);
    if (items.includes('BODY[') && !this.readOnly) {
      for (const uid of uids.filter((each) => !this.mailbox.dead.has(each))) {
        this.mailbox.change(uid, [...(this.mailbox.find(uid)?.flags ?? []), '\\Seen']);
      }
    }
    const { fetched } = this.#hear(untagged, command);
    // What one session has expunged can still be fetched by another that has not been told.
    const wanted = new Set(uids);
    const answered = fetched.filter(({ uid, text, flags }) => {
      if (items.includes('BODY')) return text !== null;
      return wanted.has(uid ?? 0) && (items === '(UID)' || flags !== null);
    });
    const got = new Set(answered.map(({ uid }) => uid));
    must(
      uids.every((uid) => got.has(uid)),
      () => `${command} answered ${[...got]} of ${uids}`,
    );
    if (!items.includes('BODY')) return;
    must(answered.length === uids.length, () => `${command} answered ${answered.map(({ uid }) => uid)}`);
    for (const { uid, text } of answered) {
      must(text === this.mailbox.find(uid)?.text, () => `UID ${uid} has the text ${text}`);
    }
  }

  async search(): Promise<void> {
    const { random, mailbox, belief } = this;
    const byUid = random.once(2);
    const flag = random.pick(FLAGS);
    const key = /^\\/.test(flag) ? flag.slice(1).toUpperCase() : `KEYWORD ${flag}`;
    const not = random.once(2);
    const command = `${byUid ? 'UID ' : ''}SEARCH ${not ? 'NOT ' : ''}${key}`;
    const asked = belief.slots.map(({ uid }) => uid);
    const { numbers } = this.#hear(await this.client.done(command), command);
    const found = new Set((numbers ?? []).map((number) => (byUid ? number : (asked[number - 1] ?? -number))));
    for (const uid of found) must(asked.includes(uid), () => `${command} found ${uid}`);
    for (const { uid, flags } of mailbox.living) {
      if (asked.includes(uid)) must(found.has(uid) === (flags.has(flag) !== not), () => `${command}, of UID ${uid}`);
    }
  }

  async append(): Promise<void> {
    const flags = this.#flags();
    const text = `${this.random.next()}\r\n`;
    const message = `Subject: x\r\n\r\n${text}`;
    const command = `APPEND INBOX (${flags.join(' ')}) {${message.length}+}\r\n${message}`;
    const { untagged, text: end } = await this.#ok(command);
    this.mailbox.arrive(Number(/APPENDUID \d+ (\d+)/.exec(end)?.[1]), text, flags);
    this.#hear(untagged, 'APPEND');
  }

  async change(): Promise<void> {
    if (this.readOnly) return await this.read();
    const kind = this.random.below(10);
    if (kind < 5) return await this.store();
    if (kind === 5) return await this.#storeUnchanged();
    if (kind < 8) return await this.#transfer();
    await this.#expunge();
  }

  async store(): Promise<void> {
    const byUid = this.random.once(2);
    const { set, uids } = this.#choose(byUid);
    const sign = this.random.pick(['', '+', '-']);
    const silent = this.random.once(2);
    const flags = this.#flags();
    const item = `${sign}FLAGS${silent ? '.SILENT' : ''} (${flags.join(' ')})`;
    const command = `${byUid ? 'UID ' : ''}STORE ${set} ${item}`;
    const { untagged } = await this.#ok(command);
    this.#store(uids, sign, flags, silent);
    this.#hear(untagged, command);
  }

  /** As a client does that has looked before: RFC 7162 §3.1.3. */
  async #storeUnchanged(): Promise<void> {
    const { uids } = this.#choose(true);
    // No "*", which may be another message after the first of the two commands.
    const set = uids.join();
    const asked = `UID FETCH ${set} (FLAGS MODSEQ)`;
    const enabling = await this.client.done(asked);
    this.belief.condstore = true;
    this.#hear(enabling, asked);
    const since = this.mailbox.find(this.random.pick(uids))?.modSeq ?? 0;
    const flags = this.#flags();
    const silent = this.random.once(2);
    const command = `UID STORE ${set} (UNCHANGEDSINCE ${since}) +FLAGS${silent ? '.SILENT' : ''} (${flags.join(' ')})`;
    const { untagged, text } = await this.#ok(command);
    const living = uids.filter((uid) => !this.mailbox.dead.has(uid));
    const fresh = (uid: number) => (this.mailbox.find(uid)?.modSeq ?? 0) > since;
    const modified = living.filter(fresh);
    must(
      (text.match(/MODIFIED ([\d:,]+)/)?.[1] ?? '') === spelled(modified),
      () => `${command}: ${text} for ${modified}`,
    );
    this.#store(
      living.filter((uid) => !fresh(uid)),
      '+',
      flags,
      silent,
    );
    this.#hear(untagged, command);
  }

  #store(uids: readonly number[], sign: string, flags: readonly string[], silent: boolean): void {
    for (const uid of uids) {
      const before = this.mailbox.find(uid)?.flags ?? new Set();
      this.mailbox.change(uid, stored(before, sign, flags));
    }
    if (silent) this.belief.believe(uids, sign, flags);
  }

  async #transfer(): Promise<void> {
    const { mailbox, random } = this;
    const byUid = random.once(2);
    const { set, uids } = this.#choose(byUid);
    const kind = random.pick(['COPY', 'MOVE']);
    const target = kind === 'COPY' || random.once(3) ? 'INBOX' : 'Trash';
    const command = `${byUid ? 'UID ' : ''}${kind} ${set} ${target}`;
    const { status, text, untagged } = await this.client.command(command);
    const gone = uids.some((uid) => mailbox.dead.has(uid));
    must(status === (gone && !byUid ? 'NO' : 'OK'), () => `${command}: ${status} ${text}`);
    const code = /COPYUID \d+ (\S+) ([\d:,]+)\]/.exec([text, ...untagged.map((each) => each.text)].join('\n'));
    const from = [...members(code?.[1])];
    const to = [...members(code?.[2])];
    const living = status === 'OK' ? uids.filter((uid) => !mailbox.dead.has(uid)) : [];
    must(same(new Set(from.map(String)), new Set(living.map(String))), () => `${command} took ${from} of ${living}`);
    if (target === 'INBOX') {
      for (const [at, uid] of to.entries()) {
        const source = mailbox.find(from[at] ?? null);
        if (source) mailbox.arrive(uid, source.text, source.flags);
      }
    }
    if (kind === 'MOVE') mailbox.expunge(from);
    this.#hear(untagged, command);
  }

  async #expunge(): Promise<void> {
    const chosen = this.random.once(2) ? this.#choose(true) : null;
    const command = chosen ? `UID EXPUNGE ${chosen.set}` : 'EXPUNGE';
    const { untagged, text } = await this.#ok(command);
    const doomed = this.mailbox.living.filter(({ uid, flags }) => {
      return flags.has('\\Deleted') && (!chosen || chosen.uids.includes(uid));
    });
    this.mailbox.expunge(doomed.map(({ uid }) => uid));
    this.#hear(untagged, command);
    const highest = /HIGHESTMODSEQ (\d+)/.exec(text)?.[1];
    must((highest !== undefined) === (this.belief.condstore && doomed.length > 0), () => `${command}: ${text}`);
    if (highest !== undefined) this.belief.learnHighest(Number(highest));
  }

  /** Half of the messages go. */
  async thin(): Promise<void> {
    await this.noop();
    const half = this.belief.slots.filter(() => this.random.once(2)).map(({ uid }) => uid ?? 0);
    if (half.length === 0) return;
    const command = `UID STORE ${half.join()} +FLAGS.SILENT (\\Deleted)`;
    const { untagged } = await this.#ok(command);
    this.#store(half, '+', ['\\Deleted'], true);
    this.#hear(untagged, command);
    await this.#expunge();
  }

  /** Leaves the mailbox in one of the three ways, and comes back. */
  async leave(): Promise<void> {
    const how = this.random.pick(['CLOSE', 'UNSELECT', '']);
    if (how !== '') await this.client.done(how);
    if (how === 'CLOSE' && !this.readOnly) {
      const doomed = this.mailbox.living.filter(({ flags }) => flags.has('\\Deleted'));
      this.mailbox.expunge(doomed.map(({ uid }) => uid));
    }
    await this.select();
  }

  #choose(byUid: boolean): Chosen {
    const { slots } = this.belief;
    const ranges: string[] = [];
    const uids = new Set<number>();
    for (let more = this.random.between(1, 3); more > 0; more--) {
      const first = this.random.between(1, slots.length);
      const last = this.random.once(8) ? slots.length : Math.min(slots.length, first + this.random.below(4));
      const bound = (at: number) => (byUid ? slots[at - 1]?.uid : at);
      const end = last === slots.length && this.random.once(2) ? '*' : bound(last);
      ranges.push(first === last && end !== '*' ? `${bound(first)}` : `${bound(first)}:${end}`);
      for (const { uid } of slots.slice(first - 1, last)) uids.add(uid ?? 0);
    }
    return { set: ranges.join(','), uids: [...uids].sort((a, b) => a - b) };
  }

  #flags(): string[] {
    return FLAGS.filter(() => this.random.once(3));
  }

  async #ok(command: string) {
    const completion = await this.client.command(command);
    must(completion.status === 'OK', () => `${command}: ${completion.status} ${completion.text}`);
    return completion;
  }

  #hear(untagged: readonly Response[], command: string): Heard {
    const heard = this.belief.hear(untagged, { command, exact: true });
    this.belief.check(command);
    return heard;
  }
}

function* members(set: string | undefined): Generator<number> {
  for (const range of set?.split(',') ?? []) {
    const [first = 0, last = first] = range.split(':').map(Number);
    for (let number = first; number <= last; number++) yield number;
  }
}

/** As a server writes a set of UIDs that ascend. */
function spelled(uids: readonly number[]): string {
  const runs: number[][] = [];
  for (const uid of uids) {
    const run = runs.at(-1);
    if (run?.at(-1) === uid - 1) run.push(uid);
    else runs.push([uid]);
  }
  return runs.map((run) => (run.length === 1 ? `${run[0]}` : `${run[0]}:${run.at(-1)}`)).join();
}
