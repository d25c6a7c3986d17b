// What APPEND says of messages (RFC 3502, RFC 4466 §2.5), a stretch at a time: up to the next literal that streams into the
// store, or up to the end of the command. Pure: what a stretch asks for is commands/append.ts's.

import { dateTime, type ZonedTime } from './date-time.ts';
import { type Flags, flags } from './flags.ts';
import type { Scanner } from './scanner.ts';

/** One after another. `octets`: those of the literal that ends the stretch. */
export type AppendStep =
  | { readonly step: 'begin'; readonly flags: Flags; readonly date: ZonedTime | null }
  | { readonly step: 'octets' }
  | { readonly step: 'complete' };

/** What the literal is that ends a stretch. */
export type Behind = 'message';

export interface AppendStretch {
  readonly steps: readonly AppendStep[];
  /** null: that was the end of the command. */
  readonly behind: Behind | null;
}

/** 1*append-message of
 * append = "APPEND" SP mailbox 1*append-message; append-message = [SP flag-list] [SP date-time] SP literal
 * @param behind the literal that stands in front; null: the mailbox does */
export function appendStretch(scanner: Scanner, behind: Behind | null): AppendStretch {
  const steps: AppendStep[] = [];
  if (behind === 'message') {
    steps.push({ step: 'complete' });
    if (scanner.peek() === -1) return { steps, behind: null };
  }
  scanner.space();
  steps.push(appendOptions(scanner));
  scanner.streamedLiteral();
  steps.push({ step: 'octets' });
  return { steps, behind: 'message' };
}

/** [SP flag-list] [SP date-time] SP; the first space is taken already. */
function appendOptions(scanner: Scanner): AppendStep {
  const given = scanner.atList ? flags(scanner) : null;
  if (given) scanner.space();
  const date = scanner.atQuote ? dateTime(scanner) : null;
  if (date) scanner.space();
  return { step: 'begin', flags: given ?? { bits: 0, keywords: [] }, date };
}
