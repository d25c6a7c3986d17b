// The messages of one APPEND on their way into the store (RFC 3501 §6.3.11, RFC 3502): staged one after another, none of
// them ever in memory whole, bounded one by one and together. They become the store's all at once, or nobody's.

import { HeaderBlock } from '../formats/header.ts';
import type { Appended, FlagScope } from '../store/commands.ts';
import { bodyFacts } from '../store/facts.ts';
import type { BodyFacts } from '../store/rows.ts';
import type { Staging, Store } from '../store/store.ts';
import { no } from './completion.ts';
import type { ZonedTime } from './grammar/date-time.ts';
import type { Flags } from './grammar/flags.ts';
import { type ImapLimits, LIMIT } from './limits.ts';

/** What the client says of a message. */
interface Label {
  readonly flags: Flags;
  /** null: it came when it is appended. */
  readonly date: ZonedTime | null;
}

interface UnderWay {
  readonly label: Label;
  readonly staging: Staging;
  readonly header: HeaderBlock;
}

export class ArrivingMessages {
  readonly #store: Store;
  readonly #limits: ImapLimits;
  readonly #room: number;
  readonly #scope: FlagScope;
  readonly #whole: { readonly label: Label; readonly staging: Staging; readonly facts: BodyFacts }[] = [];
  #current: UnderWay | null = null;
  /** Of all messages. */
  #octets = 0;

  /** @param room octets that the account may still take
   * @param scope flags that the user may set: others are left out (RFC 4314 §4) */
  constructor(store: Store, limits: ImapLimits, room: number, scope: FlagScope) {
    this.#store = store;
    this.#limits = limits;
    this.#room = room;
    this.#scope = scope;
  }

  /** A message begins. @throws ImapRefusal NO [LIMIT] if it is one too many */
  begin(label: Label): void {
    if (this.#whole.length >= LIMIT.appendedMessages) throw no('These are too many messages for one command', 'LIMIT');
    this.#current = { label, staging: this.#store.stage(), header: new HeaderBlock(this.#limits.header) };
  }

  /** So many octets more are to come of the message: refused, if they are, before they do. @throws ImapRefusal NO */
  admit(octets: number): void {
    const { staging } = this.#underWay();
    if (staging.size + octets > this.#limits.message) throw no('The message is too large', 'TOOBIG');
    if (this.#octets + octets > this.#room) throw no('The account has no room for it', 'OVERQUOTA');
    if (this.#octets + octets > LIMIT.appendedOctets) throw no('The messages are too large for one command', 'TOOBIG');
  }

  /** Octets of the message. @throws ImapRefusal NO, StoreError */
  async write(octets: Uint8Array): Promise<void> {
    this.admit(octets.length);
    const { staging, header } = this.#underWay();
    this.#octets += octets.length;
    if (!header.complete) header.push(octets);
    if (header.overflow) throw no('The header of the message is too large', 'TOOBIG');
    await staging.write(octets);
  }

  /** The message is whole. RFC 3502 §6.3.11: with an empty one a client takes all of them back.
   * @throws ImapRefusal NO, StoreError */
  async complete(): Promise<void> {
    const { label, staging, header } = this.#underWay();
    if (staging.size === 0) throw no('The message is empty', 'CANNOT');
    this.#whole.push({ label, staging, facts: bodyFacts(header.bytes) });
    this.#current = null;
    await staging.rest();
  }

  /** All of them, for one command of the store. @param now ms */
  take(now: number): readonly Appended[] {
    return this.#whole.map(({ label: { flags, date }, staging, facts }) => ({
      body: staging.finish(),
      facts,
      flags: flags.bits & this.#scope.flags,
      keywords: this.#scope.keywords ? flags.keywords : [],
      internalDate: date?.at ?? now,
      internalZone: date?.zone ?? 0,
    }));
  }

  /** Forgets them. */
  discard(): void {
    for (const { staging } of this.#whole) staging.discard();
    this.#current?.staging.discard();
  }

  #underWay(): UnderWay {
    if (!this.#current) throw new Error('no message has begun');
    return this.#current;
  }
}
