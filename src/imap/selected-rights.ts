// What a user may do with the mailbox that he has selected (RFC 4314 §4): the rights that he has now, which others may
// change meanwhile, and nothing at all by EXAMINE.

import type { FlagScope } from '../store/commands.ts';
import { Limit } from '../store/limits.ts';
import { Flag, type RightRow } from '../store/rows.ts';
import type { SeenMailbox } from './access.ts';
import { no } from './completion.ts';
import { type Flags, namesOfFlags } from './grammar/flags.ts';
import { allows, flagScope, type Operation, type Rights, rightsOf } from './rights.ts';

/** Every system flag: what FLAGS without a sign may change. */
const ALL_FLAGS = Object.values(Flag).reduce((all, flag) => all | flag, 0);

export class SelectedRights {
  readonly #readOnly: boolean;
  readonly #address: string;
  readonly #own: boolean;
  #held: Rights;
  #flagsChanged = false;

  /** @param address the user's primary one */
  constructor({ rights, own }: SeenMailbox, readOnly: boolean, address: string) {
    this.#held = rights;
    this.#own = own;
    this.#readOnly = readOnly;
    this.#address = address;
  }

  /** As they are now. */
  get held(): Rights {
    return this.#held;
  }

  /** Takes the mailbox's list as it has become. */
  change(list: readonly RightRow[]): void {
    const before = flagScope(this.#held);
    this.#held = rightsOf(list, this.#address, this.#own);
    const after = flagScope(this.#held);
    this.#flagsChanged ||= before.flags !== after.flags || before.keywords !== after.keywords;
  }

  /** May other flags be changed than when this was last asked? */
  takeFlagsChanged(): boolean {
    const changed = this.#flagsChanged;
    this.#flagsChanged = false;
    return changed;
  }

  /** Refuses what EXAMINE, or the user's rights, do not allow. @throws ImapRefusal NO */
  require(operation: Operation): void {
    this.#requireWritable();
    if (!allows(this.#held, operation)) throw no('You have no right to do that', 'NOPERM');
  }

  /** May this flag be changed? */
  mayChange(flag: number): boolean {
    return !this.#readOnly && (flagScope(this.#held).flags & flag) !== 0;
  }

  /** What of a STORE may be done: RFC 4314 §4 has it succeed if that is anything. @throws ImapRefusal NO */
  requireFlags(mode: 'add' | 'remove' | 'replace', { bits, keywords }: Flags): FlagScope {
    this.#requireWritable();
    const scope = flagScope(this.#held);
    const named = mode === 'replace' ? ALL_FLAGS : bits;
    const some = (scope.flags & named) !== 0 || (scope.keywords && keywords.length > 0);
    const nothing = mode !== 'replace' && bits === 0 && keywords.length === 0;
    if (!some && !nothing) throw no('You have no right to change these flags', 'NOPERM');
    return scope;
  }

  /** PERMANENTFLAGS (RFC 3501 §7.1): those that this user may change (RFC 4314 §5.1.1), with `\*` while the mailbox has
   * room for new keywords. @param keywords of the mailbox */
  permanentFlags(keywords: readonly string[]): readonly string[] {
    if (this.#readOnly) return [];
    const scope = flagScope(this.#held);
    const names = namesOfFlags(scope.flags);
    if (!scope.keywords) return names;
    return [...names, ...keywords, ...(keywords.length < Limit.keywords ? ['\\*'] : [])];
  }

  #requireWritable(): void {
    if (this.#readOnly) throw no('The mailbox is open read-only', 'READ-ONLY');
  }
}
