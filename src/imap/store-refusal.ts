// What a client reads of a command that failed: of a store that did not do it, the response codes of RFC 5530 §3.

import type { Log } from '../platform/log.ts';
import { Disconnected } from '../platform/socket-writer.ts';
import { StoreError } from '../store/store.ts';
import { Farewell } from './commands/command.ts';
import { ImapRefusal, no } from './completion.ts';

const ANSWERS: Readonly<Record<StoreError['kind'], readonly [code: string, text: string]>> = {
  full: ['UNAVAILABLE', 'There is no room for it now'],
  quota: ['OVERQUOTA', 'The account has no room for it'],
  missing: ['NONEXISTENT', 'There is no such mailbox'],
  exists: ['ALREADYEXISTS', 'There is such a mailbox already'],
  busy: ['INUSE', 'Too much is under way, try again'],
  limit: ['LIMIT', 'There are too many of these already'],
  refused: ['CANNOT', 'That cannot be done'],
  closed: ['UNAVAILABLE', 'The server is shutting down'],
  failed: ['SERVERBUG', 'Something went wrong here'],
};

/** The answer to a store's error, which stays as the private reason. */
function refusalOf(error: StoreError): ImapRefusal {
  const [code, text] = ANSWERS[error.kind];
  return no(text, code, error.message);
}

/** What the client reads of an error; what is our mistake is logged. @throws what is no answer but an end */
export function refusalFor(error: unknown, session: { readonly id: string; readonly log: Log }): ImapRefusal {
  if (error instanceof Farewell || error instanceof Disconnected) throw error;
  if (error instanceof ImapRefusal) return error;
  const refusal = error instanceof StoreError ? refusalOf(error) : null;
  if (refusal?.completion.code === 'SERVERBUG' || !refusal) {
    session.log.error({ session: session.id, err: error }, 'imap: a command failed by an error of ours');
  }
  return refusal ?? no('Something went wrong here', 'SERVERBUG');
}
