// What NOTIFY asks for (RFC 5465 §6, §8). Pure.

import { bad, no } from '../completion.ts';
import { LIMIT } from '../limits.ts';
import { type FetchItem, fetchItems } from './fetch-items.ts';
import { mailbox } from './mailbox-name.ts';
import type { Scanner } from './scanner.ts';

/** Every event that this server can tell of (RFC 5465 §5). Messages have no annotations here. */
const EVENTS = [
  'MessageNew',
  'MessageExpunge',
  'FlagChange',
  'MailboxName',
  'SubscriptionChange',
  'MailboxMetadataChange',
  'ServerMetadataChange',
] as const;

export type Event = (typeof EVENTS)[number];

const BY_NAME: ReadonlyMap<string, Event> = new Map(EVENTS.map((event) => [event.toUpperCase(), event]));
const OF_MESSAGES: ReadonlySet<Event> = new Set(['MessageNew', 'MessageExpunge', 'FlagChange']);

/** filter-mailboxes-other. All mailboxes of the user's own may be delivered to, so that `inboxes` is `personal` (§6.3). */
export type Filter =
  | { readonly kind: 'personal' | 'subscribed' }
  | { readonly kind: 'subtree' | 'mailboxes'; readonly names: ReadonlySet<string> };

export interface NotifyRequest {
  /** STATUS responses are wanted at once. */
  readonly status: boolean;
  /** Of the selected mailbox; null: nothing. */
  readonly selected: {
    readonly delayed: boolean;
    readonly events: ReadonlySet<Event>;
    /** What is to be fetched of new messages. */
    readonly fetch: readonly FetchItem[];
  } | null;
  readonly groups: readonly { readonly filter: Filter; readonly events: ReadonlySet<Event> }[];
}

export const NOTHING: NotifyRequest = { status: false, selected: null, groups: [] };

/** notify = "NOTIFY" SP (notify-set / notify-none); notify-set = "SET" [SP "STATUS"] SP event-group *(SP event-group) */
export function notifyRequest(scanner: Scanner): NotifyRequest {
  scanner.space();
  const form = scanner.word('SET or NONE');
  if (form === 'NONE') return NOTHING;
  if (form !== 'SET') throw scanner.problem('SET or NONE');
  scanner.space();
  const status = scanner.peekWord() === 'STATUS';
  if (status) {
    scanner.word('STATUS');
    scanner.space();
  }
  let selected: NotifyRequest['selected'] = null;
  let specified = false;
  const groups: { filter: Filter; events: ReadonlySet<Event> }[] = [];
  do {
    if (groups.length >= LIMIT.notifyGroups) throw no('Too many groups of events', 'NOTIFICATIONOVERFLOW');
    scanner.expect('(');
    const kind = scanner.word('which mailboxes');
    if (kind === 'SELECTED' || kind === 'SELECTED-DELAYED') {
      // RFC 5465 §6.1
      if (specified) throw bad('There is one selected mailbox');
      specified = true;
      scanner.space();
      const { events, fetch } = eventList(scanner, true);
      if (events.size > 0) selected = { delayed: kind === 'SELECTED-DELAYED', events, fetch };
    } else {
      const filter = otherFilter(scanner, kind);
      scanner.space();
      groups.push({ filter, events: eventList(scanner, false).events });
    }
    scanner.expect(')');
  } while (scanner.accept(' '));
  return { status, selected, groups };
}

/** "inboxes" / "personal" / "subscribed" / ("subtree" / "mailboxes") SP one-or-more-mailbox */
function otherFilter(scanner: Scanner, kind: string): Filter {
  switch (kind) {
    case 'INBOXES':
    case 'PERSONAL':
      return { kind: 'personal' };
    case 'SUBSCRIBED':
      return { kind: 'subscribed' };
    case 'SUBTREE':
    case 'MAILBOXES': {
      scanner.space();
      const names = scanner.atList ? scanner.list(() => mailbox(scanner)) : [mailbox(scanner)];
      if (names.length === 0) throw scanner.problem('a mailbox');
      if (names.length > LIMIT.notifyMailboxes) throw no('Too many mailboxes', 'NOTIFICATIONOVERFLOW');
      return { kind: kind === 'SUBTREE' ? 'subtree' : 'mailboxes', names: new Set(names) };
    }
    default:
      throw bad('NOTIFY names mailboxes in a way that is not known');
  }
}

/** events = "(" event *(SP event) ")" / "NONE"; message-event = "MessageNew" [SP "(" fetch-att *(SP fetch-att) ")"] / … */
function eventList(scanner: Scanner, selected: boolean): { events: ReadonlySet<Event>; fetch: readonly FetchItem[] } {
  const events = new Set<Event>();
  let fetch: readonly FetchItem[] = [];
  if (!scanner.atList) {
    if (scanner.word('events or NONE') !== 'NONE') throw scanner.problem('events or NONE');
    return { events, fetch };
  }
  scanner.expect('(');
  let before: Event | undefined;
  do {
    // The list of what to fetch stands behind its event.
    if (scanner.atList) {
      if (!selected || before !== 'MessageNew' || fetch.length > 0) throw scanner.problem('an event');
      fetch = fetchItems(scanner);
      before = undefined;
      continue;
    }
    const event = BY_NAME.get(scanner.word('an event'));
    // RFC 5465 §3.1: NO, and not BAD.
    if (!event) throw no('There is an event that cannot be told of', `BADEVENT (${EVENTS.join(' ')})`);
    events.add(event);
    before = event;
  } while (scanner.accept(' '));
  scanner.expect(')');
  if (selected && [...events].some((event) => !OF_MESSAGES.has(event))) {
    throw bad('Of the selected mailbox there are only events of messages');
  }
  // RFC 5465 §5
  if (events.has('MessageNew') !== events.has('MessageExpunge')) {
    throw bad('MessageNew and MessageExpunge belong together');
  }
  if (events.has('FlagChange') && !events.has('MessageNew')) throw bad('FlagChange needs MessageNew beside it');
  return { events, fetch };
}
