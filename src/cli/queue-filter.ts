// Which entries of the queue a verb is about: its options as the filter that the store understands.

import { formatAddress, normalizeDomain, parseMailbox } from '../formats/address.ts';
import { systemClock } from '../platform/clock.ts';
import type { EntryId, EntryState } from '../store/rows.ts';
import type { QueueFilter } from '../store/store.ts';
import { EXIT, Failure } from './context.ts';

/** As the command line gives them. */
export interface FilterOptions {
  readonly domain?: string;
  readonly sender?: string;
  readonly recipient?: string;
  readonly state?: string;
  readonly older?: string;
  readonly message?: string;
}

const STATES: readonly EntryState[] = ['waiting', 'held', 'suspended'];
const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** @throws Failure with exit code 2 */
export function filterOf({ domain, sender, recipient, state, older, message }: FilterOptions): QueueFilter {
  return {
    ...(domain === undefined ? {} : { destination: domainOf(domain) }),
    ...(sender === undefined ? {} : { sender: sender === '<>' ? sender : addressOf('--sender', sender) }),
    ...(recipient === undefined ? {} : { recipient: addressOf('--recipient', recipient) }),
    ...(state === undefined ? {} : { state: stateOf(state) }),
    ...(message === undefined ? {} : { message }),
    ...(older === undefined ? {} : { until: systemClock.now() - spanOf(older) }),
  };
}

/** A domain as the queue knows it. @throws Failure */
export function domainOf(text: string): string {
  const destination = normalizeDomain(text);
  if (destination === '') throw new Failure(`"${text}" is no domain like example.org`, EXIT.usage);
  return destination;
}

/** @throws Failure */
export function idOf(name: string): EntryId {
  if (!/^[1-9]\d{0,14}$/.test(name)) throw new Failure(`"${name}" is no id: see "postern queue list"`, EXIT.usage);
  return Number(name) as EntryId;
}

/** A mailbox, or `@domain`. */
function addressOf(option: string, text: string): string {
  const bare = /^<(.*)>$/.exec(text)?.[1] ?? text;
  if (bare.startsWith('@') && normalizeDomain(bare.slice(1)) !== '') return `@${normalizeDomain(bare.slice(1))}`;
  const address = parseMailbox(bare);
  if (address !== null) return formatAddress(address);
  throw new Failure(`${option} ${text}: write an address, or "@example.org" for all of a domain`, EXIT.usage);
}

function stateOf(text: string): EntryState {
  const state = STATES.find((each) => each === text);
  if (state === undefined) throw new Failure(`--state ${text}: write ${STATES.join(', ')}`, EXIT.usage);
  return state;
}

function spanOf(text: string): number {
  const match = /^(\d{1,6}) ?([smhdw])$/.exec(text);
  if (match === null) throw new Failure(`--older ${text}: write a time such as "30m", "4h" or "2d"`, EXIT.usage);
  return Number(match[1]) * UNITS[match[2] as keyof typeof UNITS]; // the pattern names no other
}
