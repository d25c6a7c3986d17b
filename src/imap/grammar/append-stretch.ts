// What APPEND says of messages (RFC 3502, RFC 4469 §5), a stretch at a time: up to the next literal that streams into the
// store, or up to the end of the command. Pure: what a stretch asks for is commands/append.ts's.

import { dateTime, type ZonedTime } from './date-time.ts';
import { type Flags, flags } from './flags.ts';
import type { Scanner } from './scanner.ts';

/** One after another. `octets`: those of the literal that ends the stretch, a whole message or a part of one. */
export type AppendStep =
  | { readonly step: 'begin'; readonly flags: Flags; readonly date: ZonedTime | null }
  | { readonly step: 'octets'; readonly of: 'message' | 'part' }
  | { readonly step: 'url'; readonly url: string }
  | { readonly step: 'complete' };

/** What the literal is that ends a stretch. */
type Behind = 'message' | 'UTF8 message' | 'part';

export interface AppendStretch {
  readonly steps: readonly AppendStep[];
  /** null: that was the end of the command. */
  readonly behind: Behind | null;
}

/** 1*append-message of
 * append = "APPEND" SP mailbox 1*append-message; append-message = append-opts SP append-data
 * append-data = literal / literal8 / "UTF8" SP "(" literal8 ")" (RFC 9755 §4) / "CATENATE" SP "(" cat-part *(SP cat-part) ")"
 * @param behind the literal that stands in front; null: the mailbox does
 * @param most `one`: a single append-message (RFC 8508 §5) */
export function appendStretch(scanner: Scanner, behind: Behind | null, most: 'one' | 'any' = 'any'): AppendStretch {
  const steps: AppendStep[] = [];
  if (behind === 'UTF8 message') scanner.expect(')');
  if (behind === 'message' || behind === 'UTF8 message') steps.push({ step: 'complete' });
  if (behind === 'part' && catenated(scanner, steps, true)) return { steps, behind: 'part' };
  for (let first = behind === null; ; first = false) {
    if (!first && (most === 'one' || scanner.peek() === -1)) return { steps, behind: null };
    scanner.space();
    steps.push(appendOptions(scanner));
    if (scanner.peekWord() !== 'CATENATE') {
      const utf8 = scanner.acceptText('UTF8 (');
      const { literal8 } = scanner.streamedLiteral();
      if (utf8 && !literal8) throw scanner.problem('"~{", for a message in UTF8');
      steps.push({ step: 'octets', of: 'message' });
      return { steps, behind: utf8 ? 'UTF8 message' : 'message' };
    }
    scanner.word('CATENATE');
    scanner.space();
    scanner.expect('(');
    if (catenated(scanner, steps, false)) return { steps, behind: 'part' };
  }
}

/** cat-part *(SP cat-part) ")"; cat-part = text-literal / url; text-literal = "TEXT" SP literal; url = "URL" SP astring
 * @param begun a part stands in front @returns whether it ended in a literal, with more to come */
function catenated(scanner: Scanner, steps: AppendStep[], begun: boolean): boolean {
  for (let first = !begun; ; first = false) {
    if (!first) {
      if (scanner.accept(')')) break;
      scanner.space();
    }
    const kind = scanner.word('TEXT or URL');
    scanner.space();
    if (kind === 'TEXT') {
      scanner.streamedLiteral();
      steps.push({ step: 'octets', of: 'part' });
      return true;
    }
    if (kind !== 'URL') throw scanner.problem('TEXT or URL');
    steps.push({ step: 'url', url: scanner.astring().toString('latin1') });
  }
  steps.push({ step: 'complete' });
  return false;
}

/** append-opts = [SP flag-list] [SP date-time], and SP; the first space is taken already. */
function appendOptions(scanner: Scanner): AppendStep {
  const given = scanner.atList ? flags(scanner) : null;
  if (given) scanner.space();
  const date = scanner.atQuote ? dateTime(scanner) : null;
  if (date) scanner.space();
  return { step: 'begin', flags: given ?? { bits: 0, keywords: [] }, date };
}
