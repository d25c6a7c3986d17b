// What a session is told unasked, in one place: annotations (RFC 5464 §4.4.2), what NOTIFY wants (RFC 5465), and the
// selected mailbox. The session says when.

import { StoreError } from '../store/store.ts';
import { AnnotationNews } from './annotation-news.ts';
import { Farewell, ownView, type Session } from './commands/command.ts';
import { fetchMessages, unasked } from './commands/fetch.ts';
import type { FetchItem } from './grammar/fetch-items.ts';
import { NOTHING, type NotifyRequest } from './grammar/notify-request.ts';
import { Notifications } from './notifications.ts';
import type { SelectedMailbox, Wanted } from './selected-mailbox.ts';

/** What a client is told that has never said NOTIFY, and one that says NOTIFY SET. */
const USUAL: Wanted = { messages: true, flags: true, withUid: false };
const ACCUMULATED: Wanted = { messages: true, flags: true, withUid: true };

interface Listener extends Session {
  dismiss(text: string): void;
}

export class Announcements {
  readonly #session: Listener;
  readonly #news: () => void;
  #annotations: AnnotationNews | null = null;
  #notifications: Notifications | null = null;
  /** NOTIFY was said: IDLE and completions tell what it wants, and nothing else. */
  #request: NotifyRequest | null = null;
  /** All that has happened in the selected mailbox is to be told, whatever is wanted from now on (RFC 5465 §3.1). */
  #accumulated = false;

  /** @param news something is to be told, to a session that waits */
  constructor(session: Listener, news: () => void) {
    this.#session = session;
    this.#news = news;
  }

  /** Something may be told though no command is under way. */
  get always(): boolean {
    return this.#notifications !== null;
  }

  tellAnnotations(): void {
    this.#session.enabled.metadata = true;
    this.#annotations ??= new AnnotationNews(this.#session, this.#news);
  }

  /** From now on tells what this request wants. @returns what is to be told at once */
  async notify(request: NotifyRequest): Promise<readonly string[]> {
    this.#notifications?.close();
    this.#notifications = null;
    this.#request = request;
    this.#accumulated = request !== NOTHING;
    const { enabled } = this.#session;
    const wanted = request.groups.length > 0 || request.selected !== null;
    if (
      request.groups.some(({ events }) => events.has('MailboxMetadataChange') || events.has('ServerMetadataChange'))
    ) {
      this.#annotations ??= new AnnotationNews(this.#session, this.#news);
    } else if (!enabled.metadata) this.#endAnnotations();
    if (!wanted) return [];
    this.#notifications = await Notifications.open(this.#session, request, this.#news, () => ownView(this.#session));
    return this.#notifications.begin(this.#selectedId);
  }

  /** Nobody is logged in any more, or nobody is there. */
  close(): void {
    this.#endAnnotations();
    this.#notifications?.close();
    this.#notifications = null;
    this.#request = null;
  }

  /** Tells while the client says nothing, what NOTIFY has asked for. */
  async tellBetweenCommands(selected: SelectedMailbox | null): Promise<void> {
    if (!this.#notifications) return;
    await this.#guarded(async () => {
      await this.#tellOthers();
      const wanted = this.#request?.selected;
      // RFC 5465 §6.1.2
      if (selected && wanted && !wanted.delayed) await this.#tellSelected(selected, true);
    });
  }

  /** Tells what there is to tell. @param expunges whether EXPUNGE may be told now (RFC 3501 §7.4.1) */
  async tell(selected: SelectedMailbox | null, expunges: boolean): Promise<void> {
    await this.#guarded(async () => {
      await this.#tellOthers();
      if (selected) await this.#tellSelected(selected, expunges);
      this.#accumulated = false;
    });
  }

  async #tellOthers(): Promise<void> {
    const { writer, enabled } = this.#session;
    const notifications = this.#notifications;
    const subscribed = new Set<string>();
    if (this.#annotations?.waiting && notifications && !enabled.metadata) {
      const { store, account } = this.#session;
      for (const name of await store.read.subscriptions(account)) subscribed.add(name);
    }
    const wants = (name: string | null) =>
      enabled.metadata ||
      (name === null
        ? notifications?.wantsOfServer('ServerMetadataChange')
        : notifications?.wants('MailboxMetadataChange', name, subscribed)) === true;
    for (const line of (await this.#annotations?.take(wants)) ?? []) writer.line(line);
    if (!notifications) return;
    const lines = await notifications.take(this.#selectedId);
    for (const line of lines ?? []) writer.line(line);
    if (lines !== null) return;
    writer.line('* OK [NOTIFICATIONOVERFLOW] Too much has changed: nothing more will be told');
    notifications.close();
    this.#notifications = null;
    this.#request = { status: false, selected: null, groups: [] };
  }

  async #tellSelected(selected: SelectedMailbox, expunges: boolean): Promise<void> {
    const asked = this.#request === null ? undefined : this.#request.selected;
    const wanted = asked === undefined ? USUAL : wantedOf(asked);
    const arrived = await selected.announce(expunges, this.#accumulated ? ACCUMULATED : wanted);
    selected.view.withholdsFlags = !wanted.flags;
    // RFC 5465 §5.2: behind EXISTS and ESEARCH, and what two have asked for at once.
    const fetches = new Map<number, readonly FetchItem[]>(selected.contexts.takeFetches());
    const all = asked?.fetch ?? [];
    if (all.length > 0) for (const uid of arrived) fetches.set(uid, [...all, ...(fetches.get(uid) ?? [])]);
    const { enabled } = this.#session;
    for (const [uid, items] of fetches) {
      await fetchMessages(this.#session, Uint32Array.of(uid), unasked(distinct(items), enabled));
    }
  }

  /** A store that fails meanwhile spoils only the telling. */
  async #guarded(tell: () => Promise<void>): Promise<void> {
    try {
      await tell();
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#session.log.error({ session: this.#session.id, err: error }, 'imap: changes could not be told');
      if (error.kind === 'closed') throw new Farewell('[UNAVAILABLE] The server is shutting down');
    }
  }

  get #selectedId() {
    return this.#session.state === 'selected' ? this.#session.mailbox.id : null;
  }

  #endAnnotations(): void {
    this.#annotations?.close();
    this.#annotations = null;
  }
}

function wantedOf(asked: NotifyRequest['selected']): Wanted {
  const events = asked?.events;
  return { messages: events?.has('MessageNew') === true, flags: events?.has('FlagChange') === true, withUid: true };
}

/** Each once. */
function distinct(items: readonly FetchItem[]): readonly FetchItem[] {
  return [...new Map(items.map((item) => [JSON.stringify(item), item])).values()];
}
