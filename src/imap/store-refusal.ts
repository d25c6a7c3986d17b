// What a client reads of a store that did not do a command: the response codes of RFC 5530 §3.

import type { StoreError } from '../store/store.ts';
import { type ImapRefusal, no } from './completion.ts';

const ANSWERS: Readonly<Record<StoreError['kind'], readonly [code: string, text: string]>> = {
  full: ['UNAVAILABLE', 'There is no room for it now'],
  quota: ['OVERQUOTA', 'The account has no room for it'],
  missing: ['NONEXISTENT', 'There is no such mailbox'],
  exists: ['ALREADYEXISTS', 'There is such a mailbox already'],
  busy: ['INUSE', 'Too much is under way, try again'],
  refused: ['CANNOT', 'That cannot be done'],
  closed: ['UNAVAILABLE', 'The server is shutting down'],
  failed: ['SERVERBUG', 'Something went wrong here'],
};

/** The answer to a store's error, which stays as the private reason. */
export function refusalOf(error: StoreError): ImapRefusal {
  const [code, text] = ANSWERS[error.kind];
  return no(text, code, error.message);
}
