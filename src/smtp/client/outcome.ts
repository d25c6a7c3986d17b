// The result of handing a message to the next hop, one a recipient: a value, since it is data for the queue and not an
// error of ours. What is not known is `deferred`.

import type { Reply } from '../../formats/refusal.ts';

/** RFC 5321 §4.2.1: 2yz delivered, 5yz failed, everything else deferred. `reply` is the peer's last answer if it gave
 * one; `text` is for people and never holds a secret. */
export interface Outcome {
  readonly kind: 'delivered' | 'deferred' | 'failed';
  readonly reply?: Reply;
  readonly text: string;
}
