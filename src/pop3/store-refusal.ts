// What a client reads of a store that did not do a command: the response codes of RFC 3206 §4, which tell a program whether
// to come back by itself (SYS/TEMP) or to ask for a person (SYS/PERM).

import type { StoreError } from '../store/store.ts';
import { type Pop3Refusal, type ResponseCode, refusal } from './reply.ts';

const ANSWERS: Readonly<Record<StoreError['kind'], readonly [code: ResponseCode, text: string]>> = {
  full: ['SYS/TEMP', 'There is no room for it now'],
  quota: ['SYS/PERM', 'The account has no room for it'],
  missing: ['SYS/PERM', 'The maildrop is gone'],
  exists: ['SYS/TEMP', 'That cannot be done now'],
  busy: ['SYS/TEMP', 'Too much is under way, try again'],
  limit: ['SYS/PERM', 'That cannot be done'],
  refused: ['SYS/PERM', 'That cannot be done'],
  closed: ['SYS/TEMP', 'The server is shutting down'],
  failed: ['SYS/TEMP', 'Something went wrong here'],
};

/** The answer to a store's error, which stays as the private reason. */
export function refusalOf(error: StoreError): Pop3Refusal {
  const [code, text] = ANSWERS[error.kind];
  return refusal(text, code, error.message);
}
