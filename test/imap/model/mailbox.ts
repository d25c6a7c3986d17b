// What a mailbox is, as simply as it can be said: messages in the order in which they came, and those that are gone. The
// truth against which every reply of the server is held. Knows nothing of the server's sources.

export interface Message {
  readonly uid: number;
  readonly text: string;
  flags: ReadonlySet<string>;
  /** When it came, or its flags last changed, by the mailbox's own count of changes. */
  changed: number;
  /** When it went; 0: it is there. */
  died: number;
  /** As somebody was told; null: nobody since it changed. */
  modSeq: number | null;
  /** Its MODSEQ is higher than this one. */
  above: number;
}

export interface Seen {
  readonly flags: ReadonlySet<string>;
  readonly modSeq: number;
  readonly text: string;
}

class Violation extends Error {
  override readonly name = 'Violation';
}

export function must(holds: boolean, what: () => string): asserts holds {
  if (!holds) throw new Violation(what());
}

export class Mailbox {
  /** By UID, ascending. */
  living: Message[] = [];
  readonly dead = new Map<number, Message>();
  /** In the order in which they went. */
  readonly #graves: Message[] = [];
  uidNext = 1;
  /** Changes so far. */
  time = 0;
  /** The highest MODSEQ that anybody was told. */
  highest = 0;

  arrive(uid: number, text: string, flags: Iterable<string>): void {
    must(uid >= this.uidNext, () => `UID ${uid} for a new message, where ${this.uidNext} was the next`);
    this.uidNext = uid + 1;
    const changed = ++this.time;
    this.living.push({ uid, text, flags: new Set(flags), changed, died: 0, modSeq: null, above: this.highest });
  }

  /** @returns undefined: there has never been such a message */
  find(uid: number | null): Message | undefined {
    return this.living.find((message) => message.uid === uid) ?? this.dead.get(uid ?? 0);
  }

  /** Also of what is gone, for whom that has not been told. */
  change(uid: number, flags: Iterable<string>): void {
    const message = this.find(uid);
    const after = new Set(flags);
    if (!message || same(message.flags, after)) return;
    message.flags = after;
    message.changed = ++this.time;
    message.modSeq = null;
    message.above = this.highest;
  }

  expunge(uids: Iterable<number>): void {
    for (const uid of uids) {
      const at = this.living.findIndex((message) => message.uid === uid);
      const message = this.living[at];
      if (!message) continue;
      this.living.splice(at, 1);
      this.#bury(message);
    }
  }

  #bury(message: Message): void {
    message.died = ++this.time;
    this.dead.set(message.uid, message);
    this.#graves.push(message);
  }

  /** Those that went after that time. */
  goneSince(time: number): number[] {
    const gone: number[] = [];
    for (let at = this.#graves.length - 1; at >= 0; at--) {
      const message = this.#graves[at];
      if (!message || message.died <= time) break;
      gone.push(message.uid);
    }
    return gone;
  }

  /** What a witness has seen after several have acted at once, in an order that nobody knows. */
  adopt(seen: ReadonlyMap<number, Seen>, uidNext: number): void {
    must(uidNext >= this.uidNext, () => `UIDNEXT ${uidNext} after ${this.uidNext}`);
    this.expunge(this.living.map(({ uid }) => uid).filter((uid) => !seen.has(uid)));
    for (const message of this.living) {
      const now = seen.get(message.uid);
      if (!now || now.modSeq === message.modSeq) continue;
      if (message.modSeq === null && same(now.flags, message.flags)) {
        this.learn(message.uid, now.modSeq);
        continue;
      }
      must(
        now.modSeq > (message.modSeq ?? message.above),
        () => `MODSEQ of UID ${message.uid} went back to ${now.modSeq}`,
      );
      message.flags = now.flags;
      message.changed = ++this.time;
      message.modSeq = now.modSeq;
    }
    for (const [uid, { text }] of seen)
      must(uid >= this.uidNext || this.find(uid)?.died === 0, () => `UID ${uid} is back: ${text}`);
    for (let uid = this.uidNext; uid < uidNext; uid++) {
      const now = seen.get(uid);
      const { flags = new Set<string>(), modSeq = null, text = '' } = now ?? {};
      const message = { uid, text, flags, changed: ++this.time, died: 0, modSeq, above: this.highest };
      if (now) this.living.push(message);
      else this.#bury(message);
    }
    this.uidNext = uidNext;
    for (const { modSeq, flags, uid } of this.living) {
      if (modSeq !== null) this.learnHighest(modSeq);
      const now = seen.get(uid);
      must(now !== undefined && same(now.flags, flags), () => `UID ${uid} has other flags, and the same MODSEQ`);
    }
  }

  /** Somebody was told the MODSEQ of a message: the one that it has, or one above all that were told before it changed. */
  learn(uid: number, modSeq: number): void {
    const message = this.find(uid);
    must(message !== undefined, () => `MODSEQ of UID ${uid}, which never was`);
    if (message.modSeq !== null) {
      must(message.modSeq === modSeq, () => `MODSEQ ${modSeq} of UID ${uid}, which has ${message.modSeq}`);
    } else must(modSeq > message.above, () => `MODSEQ ${modSeq} of UID ${uid} changed after ${message.above} was told`);
    message.modSeq = modSeq;
    this.learnHighest(modSeq);
  }

  learnHighest(modSeq: number): void {
    this.highest = Math.max(this.highest, modSeq);
  }
}

export function same(some: ReadonlySet<string>, others: ReadonlySet<string>): boolean {
  return some.size === others.size && [...some].every((each) => others.has(each));
}

/** The flags after a STORE of one of its three kinds. */
export function stored(before: ReadonlySet<string>, sign: string, named: readonly string[]): ReadonlySet<string> {
  if (sign === '') return new Set(named);
  if (sign === '+') return new Set([...before, ...named]);
  return new Set([...before].filter((flag) => !named.includes(flag)));
}
