// What the client of one connection believes of the mailbox, by nothing but the replies that it got (RFC 3501 §7), and
// whether each reply could be said at all. Knows nothing of the server's sources.

import type { Response } from '../../clients/imap.ts';
import { type Mailbox, must, same, stored } from './mailbox.ts';

/** A message as the client numbers it; null: not known. */
export interface Slot {
  uid: number | null;
  flags: ReadonlySet<string> | null;
}

/** Under which circumstances replies are heard. */
export interface Hearing {
  readonly command: string;
  /** Nothing else happens meanwhile: what is told is what is. */
  readonly exact: boolean;
}

/** A FETCH response as it was heard. */
export interface Fetched {
  readonly uid: number | null;
  readonly flags: ReadonlySet<string> | null;
  readonly modSeq: number | null;
  readonly text: string | null;
}

export interface Heard {
  readonly fetched: readonly Fetched[];
  readonly numbers: readonly number[] | null;
  /** Of VANISHED (EARLIER). */
  readonly earlier: ReadonlySet<number>;
}

export class Belief {
  readonly mailbox: Mailbox;
  slots: Slot[] = [];
  condstore = false;
  qresync = false;
  /** The last HIGHESTMODSEQ. */
  highest = 0;
  /** UIDs that were said to be gone while several acted at once. */
  readonly claims: number[] = [];
  /** The last that was heard, for who wants to know what led to a violation. */
  readonly lines: string[] = [];
  /** The highest UID that the client was ever shown. */
  #shown = 0;

  constructor(mailbox: Mailbox) {
    this.mailbox = mailbox;
  }

  forget(): void {
    this.slots = [];
    this.#shown = 0;
  }

  /** The commands during which numbers hold still (RFC 3501 §7.4.1). */
  static holdsStill(command: string): boolean {
    return /^(?:FETCH|STORE|SEARCH)/.test(command);
  }

  hear(responses: readonly Response[], hearing: Hearing): Heard {
    this.lines.push(`C: ${hearing.command.split('\r')[0]}`, ...responses.map(({ text }) => `S: ${text}`));
    this.lines.splice(0, this.lines.length - 120);
    const fetched: Fetched[] = [];
    let numbers: number[] | null = null;
    const earlier = new Set<number>();
    for (const response of responses) {
      const { text } = response;
      const [, number, what, data = ''] = /^\* (\d+) (EXISTS|EXPUNGE|FETCH) ?(.*)$/s.exec(text) ?? [];
      const found = /^\* SEARCH(.*)$/.exec(text)?.[1];
      const vanished = /^\* VANISHED( \(EARLIER\))? (\S+)$/.exec(text);
      const highest = /\[HIGHESTMODSEQ (\d+)\]/.exec(text)?.[1];
      if (what === 'EXISTS') this.#exists(Number(number), hearing);
      else if (what === 'EXPUNGE') this.#expunge(Number(number), hearing);
      else if (what === 'FETCH') fetched.push(this.#fetch(Number(number), data, response, hearing));
      else if (vanished?.[1]) for (const uid of members(vanished[2] ?? '')) earlier.add(uid);
      else if (vanished) this.#vanished(vanished[2] ?? '', hearing);
      else if (found !== undefined) {
        numbers = (found.replace(/\(.*\)/, '').match(/\d+/g) ?? []).map(Number);
      } else if (highest !== undefined) this.learnHighest(Number(highest), hearing.exact);
      else must(!text.startsWith('* BYE'), () => text);
    }
    return { fetched, numbers, earlier };
  }

  /** After a completion: what the client must have been told by now. */
  check(command: string): void {
    const { dead, living } = this.mailbox;
    const still = Belief.holdsStill(command);
    const standing = still ? this.slots.filter(({ uid }) => !dead.has(uid ?? 0)) : this.slots;
    const uids = standing.map(({ uid }) => uid).join();
    const truth = living.map(({ uid }) => uid).join();
    must(uids === truth, () => `after ${command} the client believes in ${uids}; there are ${truth}`);
    for (const [at, { uid, flags }] of standing.entries()) {
      const now = living[at]?.flags;
      must(!flags || (now !== undefined && same(flags, now)), () => {
        return `after ${command} UID ${uid} has (${[...(now ?? [])]}); the client believes (${[...(flags ?? [])]})`;
      });
    }
  }

  /** What was asked for in silence, and granted, the client believes to be done. */
  believe(uids: Iterable<number>, sign: string, named: readonly string[]): void {
    const asked = new Set(uids);
    for (const slot of this.slots) {
      if (slot.uid === null || !asked.has(slot.uid)) continue;
      if (sign === '' || slot.flags) slot.flags = stored(slot.flags ?? new Set(), sign, named);
    }
  }

  /** Believes nothing of the flags of messages whose UIDs it does not know. */
  forgetNameless(): void {
    for (const slot of this.slots) if (slot.uid === null) slot.flags = null;
  }

  learnHighest(modSeq: number, exact = true): void {
    must(modSeq > 0, () => `HIGHESTMODSEQ ${modSeq}`);
    this.highest = modSeq;
    if (exact) this.mailbox.learnHighest(modSeq);
  }

  #exists(count: number, { command, exact }: Hearing): void {
    const before = this.slots.length;
    must(count >= before, () => `${count} EXISTS during ${command}, where there were ${before}`);
    if (!exact) {
      while (this.slots.length < count) this.slots.push({ uid: null, flags: null });
      return;
    }
    const arrived = this.mailbox.living.filter(({ uid }) => uid > this.#shown);
    must(count === before + arrived.length, () => `${count} EXISTS: ${before} were known, ${arrived.length} came`);
    for (const { uid } of arrived) this.#show(uid);
  }

  #show(uid: number): void {
    this.slots.push({ uid, flags: null });
    this.#shown = Math.max(this.#shown, uid);
  }

  #expunge(number: number, { command, exact }: Hearing): void {
    must(!this.qresync, () => `EXPUNGE where QRESYNC is enabled, during ${command}`);
    must(!Belief.holdsStill(command), () => `EXPUNGE during ${command}`);
    const [slot] = this.slots.splice(number - 1, 1);
    must(slot !== undefined, () => `EXPUNGE of ${number}, during ${command}`);
    if (exact) must(this.mailbox.dead.has(slot.uid ?? 0), () => `EXPUNGE of UID ${slot.uid}, which is there`);
    else if (slot.uid !== null) this.claims.push(slot.uid);
  }

  #vanished(set: string, { command, exact }: Hearing): void {
    must(this.qresync, () => `VANISHED where QRESYNC is not enabled, during ${command}`);
    must(!Belief.holdsStill(command), () => `VANISHED during ${command}`);
    for (const uid of members(set)) {
      let at = this.slots.findIndex((slot) => slot.uid === uid);
      // One of those that the client has no UID of yet.
      if (at === -1 && !exact) at = this.#placeOfUnknown(uid);
      must(at !== -1, () => `VANISHED ${uid} during ${command}, which the client does not know`);
      if (exact) must(this.mailbox.dead.has(uid), () => `VANISHED ${uid}, which is there`);
      else this.claims.push(uid);
      this.slots.splice(at, 1);
    }
  }

  /** One of those that the client has no UID of yet: UIDs ascend, so it stands behind all lower ones. */
  #placeOfUnknown(uid: number): number {
    for (const slot of this.slots) if (slot.uid === null) slot.flags = null;
    const lower = this.slots.findLastIndex((slot) => slot.uid !== null && slot.uid < uid);
    return this.slots.findIndex((slot, at) => at > lower && slot.uid === null);
  }

  #fetch(number: number, data: string, { literals }: Response, { command, exact }: Hearing): Fetched {
    const slot = this.slots[number - 1];
    must(slot !== undefined, () => `FETCH of ${number} during ${command}, where there are ${this.slots.length}`);
    const given = /UID (\d+)/.exec(data)?.[1];
    if (given !== undefined) {
      const uid = Number(given);
      must(slot.uid === null || slot.uid === uid, () => `${number} has UID ${uid} in ${command}; it was ${slot.uid}`);
      slot.uid = uid;
      this.#shown = Math.max(this.#shown, uid);
    }
    const list = /FLAGS \(([^)]*)\)/.exec(data)?.[1];
    const modSeq = /MODSEQ \((\d+)\)/.exec(data)?.[1];
    const flags = list === undefined ? null : new Set(list.split(' ').filter((flag) => flag && flag !== '\\Recent'));
    if (this.condstore && flags && !/FETCH/.test(command)) {
      must(modSeq !== undefined && given !== undefined, () => `flags without MODSEQ or UID during ${command}: ${data}`);
    }
    if (flags) {
      const now = this.mailbox.find(slot.uid)?.flags;
      if (exact)
        must(
          now !== undefined && same(now, flags),
          () => `UID ${slot.uid} is told (${[...flags]}), is (${[...(now ?? [])]})`,
        );
      slot.flags = flags;
    }
    if (exact && modSeq !== undefined && slot.uid !== null) this.mailbox.learn(slot.uid, Number(modSeq));
    return { uid: slot.uid, flags, modSeq: Number(modSeq ?? 0), text: literals[0]?.toString() ?? null };
  }
}

/** The numbers of a set without `*`. */
function* members(set: string): Generator<number> {
  for (const range of set.split(',')) {
    const [first = 0, last = first] = range.split(':').map(Number);
    for (let number = first; number <= last; number++) yield number;
  }
}
