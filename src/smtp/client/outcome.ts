// The result of handing a message to the next hop, one a recipient: a value, since it is data for the queue and not an
// error of ours. What is not known is `deferred`.

import type { EnhancedStatus, Reply } from '../../formats/refusal.ts';

/** RFC 5321 §4.2.1: 2yz delivered, 5yz failed, everything else deferred. `reply` is the peer's last answer if it gave
 * one; `status` is the peer's enhanced status or, where it gave none, ours; `text` is for people and never holds a
 * secret. */
export interface Outcome {
  readonly kind: 'delivered' | 'deferred' | 'failed';
  readonly status: EnhancedStatus;
  readonly reply?: Reply;
  readonly text: string;
}

/** What is kept of a reply's text, in characters: it goes to the log, the queue and the report. */
const MAX_TEXT = 1_000;

/** The outcome that a reply stands for (RFC 5321 §4.2.1), the peer's own enhanced status first (RFC 3463). */
export function outcomeOf(reply: Reply, command: string): Outcome {
  const kind = reply.code >= 500 ? 'failed' : reply.code >= 200 && reply.code < 300 ? 'delivered' : 'deferred';
  const digit = kind === 'failed' ? 5 : kind === 'delivered' ? 2 : 4;
  const kept = clipped(reply);
  return {
    kind,
    status: reply.status?.startsWith(`${digit}`) ? reply.status : `${digit}.0.0`,
    reply: kept,
    text: `${command}: ${reply.code} ${reply.status === undefined ? '' : `${reply.status} `}${kept.text.replaceAll('\n', ' ')}`,
  };
}

/** An outcome that no reply stands behind. */
export function deferred(status: EnhancedStatus, text: string): Outcome {
  return { kind: 'deferred', status, text };
}

/** As `deferred`, for good. */
export function failed(status: EnhancedStatus, text: string): Outcome {
  return { kind: 'failed', status, text };
}

/** A reply with as much of its text as is kept. */
export function clipped(reply: Reply): Reply {
  const text = clip(reply.text);
  return text === reply.text ? reply : { ...reply, text };
}

export function clip(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
}
