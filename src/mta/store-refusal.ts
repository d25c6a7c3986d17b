// What a client is told when the store could not do its part (RFC 5321 §4.2.2, RFC 3463 §3.4): always to come back.

import { type EnhancedStatus, Refusal } from '../formats/refusal.ts';
import { StoreError } from '../store/store.ts';

const REPLIES: Readonly<Record<StoreError['kind'], readonly [number, EnhancedStatus, string]>> = {
  full: [452, '4.3.1', 'Insufficient system storage'],
  busy: [452, '4.3.1', 'Too much mail is arriving at once'],
  quota: [452, '4.2.2', 'Mailbox is full'],
  closed: [421, '4.3.2', 'Shutting down'],
  failed: [451, '4.3.0', 'Local error in processing'],
  // An account went away since RCPT: at the next try it is refused by itself.
  missing: [451, '4.3.0', 'Local error in processing'],
  exists: [451, '4.3.0', 'Local error in processing'],
  limit: [451, '4.3.0', 'Local error in processing'],
  refused: [451, '4.3.0', 'Local error in processing'],
};

/** A store's error as the reply that it means; anything else as it is. */
export function storeRefusal(error: unknown): unknown {
  if (!(error instanceof StoreError)) return error;
  const [code, status, text] = REPLIES[error.kind];
  const refusal = new Refusal(code, status, text, `store: ${error.kind}: ${error.message}`);
  refusal.cause = error;
  return refusal;
}
