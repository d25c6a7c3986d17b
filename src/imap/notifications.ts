// What NOTIFY tells of mailboxes that are not selected, and of names (RFC 5465 §5): gathered from the store's feed, told
// where something may be said, of what the user has the rights to.

import type { Turn } from '../platform/turn.ts';
import type { AccountId, MailboxId, ViewId } from '../store/rows.ts';
import type { Change } from '../store/store.ts';
import { mailboxNamed, mailboxSeen, type SeenMailbox, type User, visibleMailboxes } from './access.ts';
import type { Enabled } from './enabled.ts';
import { DELIMITER, namesAbove, nameText } from './grammar/mailbox-name.ts';
import type { Event, Filter, NotifyRequest } from './grammar/notify-request.ts';
import { LIMIT } from './limits.ts';
import { nameForOthers, othersName } from './namespace.ts';
import { ANYONE, allows } from './rights.ts';

/** What it costs of a turn to ask one group about one mailbox. */
const GROUP_COST = 64;

/** Whose session it is. */
interface Notified extends User {
  readonly turn: Turn;
  readonly id: string;
  readonly enabled: Readonly<Enabled>;
}

/** `Access`: the user may know of it, or read it, who could not, or the other way round (RFC 5465 §5.9). */
type NameEvent = 'MailboxName' | 'SubscriptionChange' | 'Access';

/** What has become of a name, as the user knows it: a client creates a mailbox and subscribes it in one go. */
interface NameNews {
  readonly events: ReadonlySet<NameEvent>;
  readonly oldName: string | null;
}

export class Notifications {
  readonly request: NotifyRequest;
  readonly #user: Notified;
  readonly #news: () => void;
  readonly #ownView: () => ViewId | null;
  readonly #unfollow: (() => void)[] = [];
  /** Accounts that are followed, with their addresses. */
  readonly #owners = new Map<AccountId, string>();
  /** Mailboxes of others that the user may look up. */
  #visible = new Map<MailboxId, string>();
  /** Names that the client has been told to be `\NoAccess`. */
  readonly #denied = new Set<string>();
  #messages = new Map<MailboxId, Set<Event>>();
  #names = new Map<string, NameNews>();
  /** Rights have changed: what is visible is to be looked at anew. */
  #stale = false;
  /** It is being looked at. */
  #looking = true;
  #overflown = false;

  private constructor(user: Notified, request: NotifyRequest, news: () => void, ownView: () => ViewId | null) {
    this.#user = user;
    this.request = request;
    this.#news = news;
    this.#ownView = ownView;
  }

  /** @param ownView the view of the user's selected mailbox, if there is one */
  static async open(
    user: Notified,
    request: NotifyRequest,
    news: () => void,
    ownView: () => ViewId | null,
  ): Promise<Notifications> {
    const { store, account, address } = user;
    const opened = new Notifications(user, request, news, ownView);
    opened.#follow(account, address);
    opened.#unfollow.push(
      store.follow({ kind: 'rights' }, (change) => {
        if (change.kind !== 'rights' || change.account === account) return;
        opened.#stale = true;
        news();
      }),
    );
    await opened.#look();
    return opened;
  }

  close(): void {
    for (const stop of this.#unfollow) stop();
  }

  /** Is an event of a mailbox of this name wanted? @param subscribed names that are */
  wants(event: Event, name: string, subscribed: ReadonlySet<string>): boolean {
    return this.request.groups.some(({ filter, events }) => events.has(event) && covers(filter, name, subscribed));
  }

  /** Is it wanted of the server, which no filter names? */
  wantsOfServer(event: Event): boolean {
    return this.request.groups.some(({ events }) => events.has(event));
  }

  /** Is anything of this mailbox wanted? */
  #watches(name: string, subscribed: ReadonlySet<string>): boolean {
    return this.request.groups.some(({ filter, events }) => events.size > 0 && covers(filter, name, subscribed));
  }

  /** STATUS responses of all that is watched (RFC 5465 §3.1), and `\NoAccess` where that cannot be. */
  async begin(selected: MailboxId | null): Promise<string[]> {
    const lines: string[] = [];
    const subscribed = await this.#subscribed();
    const { turn } = this.#user;
    for (const mailbox of await visibleMailboxes(this.#user)) {
      turn.spend(GROUP_COST * this.request.groups.length);
      await turn.pass();
      // RFC 5465 §5: every event takes the right to read.
      if (!allows(mailbox.rights, 'read')) {
        if (!this.#watches(mailbox.name, subscribed)) continue;
        this.#denied.add(mailbox.name);
        lines.push(`* LIST (\\NoAccess) "${DELIMITER}" ${nameText(mailbox.name, this.#user.enabled)}`);
        continue;
      }
      const events = new Set<Event>();
      for (const event of ['MessageNew', 'FlagChange'] as const) {
        if (mailbox.selectable && this.wants(event, mailbox.name, subscribed)) events.add(event);
      }
      if (events.size > 0 && this.request.status && mailbox.id !== selected)
        lines.push(await this.#status(mailbox, events));
    }
    return lines;
  }

  /** What there is to tell; told once. Null: it was too much, and nothing will be told any more (RFC 5465 §5.8). */
  async take(selected: MailboxId | null): Promise<string[] | null> {
    if (this.#overflown) return null;
    if (this.#stale) await this.#look();
    if (this.#messages.size === 0 && this.#names.size === 0) return [];
    const messages = this.#messages;
    const names = this.#names;
    this.#messages = new Map();
    this.#names = new Map();
    const subscribed = await this.#subscribed();
    const lines = names.size === 0 ? [] : await this.#nameLines(names, subscribed);
    for (const [id, happened] of messages) {
      if (id === selected) continue;
      const mailbox = await mailboxSeen(this.#user, id);
      if (!mailbox || !allows(mailbox.rights, 'list') || !allows(mailbox.rights, 'read')) continue;
      const events = new Set([...happened].filter((event) => this.wants(event, mailbox.name, subscribed)));
      if (events.size > 0) lines.push(await this.#status(mailbox, events));
    }
    return lines;
  }

  /** RFC 5465 §5.1 to §5.3 */
  async #status(mailbox: SeenMailbox, events: ReadonlySet<Event>): Promise<string> {
    // In another's mailbox \Seen is this user's own, and what lacks it is counted by its name.
    const counted = events.has('FlagChange') && !mailbox.own ? await mailboxNamed(this.#user, mailbox.name) : mailbox;
    const { name, ...row } = counted ?? mailbox;
    const items = [`UIDVALIDITY ${row.uidValidity}`];
    if (events.has('MessageNew') || events.has('MessageExpunge')) {
      items.push(`UIDNEXT ${row.uidNext}`, `MESSAGES ${row.messages}`);
    }
    // Not there: it has been taken away since, and the owner's number is nobody else's business.
    if (events.has('FlagChange') && counted) items.push(`UNSEEN ${row.unseen}`);
    if (this.#user.enabled.condstore || events.has('FlagChange')) items.push(`HIGHESTMODSEQ ${row.highestModSeq}`);
    return `* STATUS ${nameText(name, this.#user.enabled)} (${items.join(' ')})`;
  }

  async #nameLines(names: ReadonlyMap<string, NameNews>, subscribed: ReadonlySet<string>): Promise<string[]> {
    const visible = new Map((await visibleMailboxes(this.#user)).map((mailbox) => [mailbox.name, mailbox]));
    const parents = new Set([...visible.keys()].flatMap((name) => [...namesAbove(name)]));
    const lines: string[] = [];
    for (const [name, { events, oldName }] of names) {
      const known = oldName === null ? [name] : [name, oldName];
      const wants = (event: NameEvent, one: string) =>
        event === 'Access' ? this.#watches(one, subscribed) : this.wants(event, one, subscribed);
      if (![...events].some((event) => known.some((one) => wants(event, one)))) continue;
      const mailbox = visible.get(name);
      const attributes = [parents.has(name) ? '\\HasChildren' : '\\HasNoChildren'];
      if (!mailbox) attributes.unshift('\\NonExistent');
      else if (!mailbox.selectable || !allows(mailbox.rights, 'read')) attributes.unshift('\\Noselect');
      if (mailbox?.specialUse) attributes.push(`\\${mailbox.specialUse}`);
      if (this.#denied.has(name)) attributes.push('\\NoAccess');
      if (subscribed.has(name)) attributes.push('\\Subscribed');
      const item = oldName === null ? '' : ` ("OLDNAME" (${nameText(oldName, this.#user.enabled)}))`;
      lines.push(`* LIST (${attributes.join(' ')}) "${DELIMITER}" ${nameText(name, this.#user.enabled)}${item}`);
    }
    return lines;
  }

  async #subscribed(): Promise<ReadonlySet<string>> {
    return new Set(await this.#user.store.read.subscriptions(this.#user.account));
  }

  /** Who shares what with the user now: RFC 5465 §5.4 takes the right to look up for the name itself. */
  async #look(): Promise<void> {
    const known = this.#visible;
    const first = this.#owners.size === 1 && !this.#stale;
    this.#stale = false;
    this.#looking = true;
    const { store, account, address } = this.#user;
    for (const { mailbox, owner } of await store.read.sharedWith(account, [ANYONE, address])) {
      if (!this.#owners.has(mailbox.account)) this.#follow(mailbox.account, owner);
    }
    const others = (await visibleMailboxes(this.#user)).filter(({ own }) => !own);
    this.#visible = new Map(others.map(({ id, name }) => [id, name]));
    this.#looking = false;
    if (first) return;
    // RFC 5465 §5.4: the right to look up makes and unmakes a mailbox.
    for (const [id, name] of this.#visible) if (!known.has(id)) this.#noteTree(name);
    for (const [id, name] of known) {
      if (this.#visible.has(id)) continue;
      this.#noteTree(name);
      this.#noteAccess(name, false);
    }
    for (const { name, rights } of others) this.#noteAccess(name, allows(rights, 'read'));
  }

  /** RFC 5465 §5.9: tells once that it is lost, and once that it is there again. */
  #noteAccess(name: string, given: boolean): void {
    if (this.#denied.has(name) !== given) return;
    if (given) this.#denied.delete(name);
    else this.#denied.add(name);
    // Names that come and go for ever must not be kept for ever.
    if (this.#denied.size > this.#visible.size + LIMIT.notifications) this.#overflown = true;
    this.#noteName(name, 'Access', null);
  }

  #follow(owner: AccountId, address: string): void {
    this.#owners.set(owner, address);
    this.#unfollow.push(this.#user.store.follow({ account: owner }, (change) => this.#note(change, owner, address)));
  }

  #note(change: Change, owner: AccountId, address: string): void {
    // RFC 5465 §5: what the client does itself is no news.
    if ('origin' in change && change.origin === this.#user.id) return;
    if ('view' in change && change.view !== null && change.view === this.#ownView()) return;
    const named = (name: string) => (owner === this.#user.account ? name : nameForOthers(address, name));
    switch (change.kind) {
      case 'added':
        this.#noteMessages(change.mailbox, 'MessageNew', owner);
        break;
      case 'expunged':
        this.#noteMessages(change.mailbox, 'MessageExpunge', owner);
        break;
      case 'flags':
        this.#noteMessages(change.mailbox, 'FlagChange', owner);
        break;
      case 'seen':
        if (change.by === this.#user.account) this.#noteMessages(change.mailbox, 'FlagChange', owner);
        break;
      case 'mailbox-created':
      case 'mailbox-deleted':
        this.#noteTree(named(change.name), change.mailbox, owner);
        // It is gone, and not taken away.
        if (change.kind === 'mailbox-deleted' && change.mailbox !== null) this.#visible.delete(change.mailbox);
        break;
      case 'mailbox-renamed':
        // RFC 5465 §5.1: the new name may bring another UIDVALIDITY.
        if (change.mailbox !== null) this.#noteMessages(change.mailbox, 'FlagChange', owner);
        if (change.oldName !== undefined) {
          this.#noteName(named(change.name), 'MailboxName', named(change.oldName), change.mailbox, owner);
        }
        break;
      case 'subscription':
        if (owner === this.#user.account) this.#noteName(change.name, 'SubscriptionChange', null);
        break;
    }
  }

  #noteMessages(mailbox: MailboxId, event: Event, owner: AccountId): void {
    // What happens where the user may not look is not kept either: it could become too much.
    const known = !this.#stale && !this.#looking;
    if (owner !== this.#user.account && known && !this.#visible.has(mailbox)) return;
    const events = this.#messages.get(mailbox);
    if (events) events.add(event);
    else this.#messages.set(mailbox, new Set([event]));
    this.#noted();
  }

  /** RFC 5465 §5.4: the name above is affected, too. */
  #noteTree(name: string, mailbox: MailboxId | null = null, owner: AccountId | null = null): void {
    this.#noteName(name, 'MailboxName', null, mailbox, owner);
    const [above] = namesAbove(name);
    if (above !== undefined) this.#noteName(above, 'MailboxName', null, mailbox, owner);
  }

  /** @param mailbox of another's account: one that the user may not look up is not told of */
  #noteName(
    name: string,
    event: NameEvent,
    oldName: string | null,
    mailbox: MailboxId | null = null,
    owner: AccountId | null = null,
  ): void {
    if (owner !== null && owner !== this.#user.account) {
      // What is new may be visible, too: it has the rights of what is above it.
      this.#stale = true;
      if (mailbox === null || !this.#visible.has(mailbox)) {
        this.#news();
        return;
      }
    }
    const before = this.#names.get(name);
    this.#names.set(name, {
      events: new Set([...(before?.events ?? []), event]),
      oldName: oldName ?? before?.oldName ?? null,
    });
    this.#noted();
  }

  #noted(): void {
    if (this.#messages.size + this.#names.size > LIMIT.notifications) this.#overflown = true;
    this.#news();
  }
}

function covers(filter: Filter, name: string, subscribed: ReadonlySet<string>): boolean {
  switch (filter.kind) {
    case 'personal':
      return othersName(name) === null;
    case 'subscribed':
      return subscribed.has(name);
    case 'mailboxes':
      return filter.names.has(name);
    case 'subtree':
      return filter.names.has(name) || namesAbove(name).some((above) => filter.names.has(above));
  }
}
