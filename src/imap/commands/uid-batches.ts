// UIDBATCHES (RFC 10022): the mailbox cut into batches of so many messages, as ranges of UIDs, from the highest down. The
// ranges touch each other, so that whatever is in the mailbox is in one of them.

import { bad, no, ok } from '../completion.ts';
import type { Scanner } from '../grammar/scanner.ts';
import { LIMIT } from '../limits.ts';
import type { View } from '../view.ts';
import { command, SELECTED } from './command.ts';

/** RFC 10022 §3.1: smaller ones would be sequence numbers by another name. */
const SMALLEST = 500;

/** uidbatches = "UIDBATCHES" SP nz-number [SP nz-number ":" nz-number] */
function batchArguments(scanner: Scanner) {
  scanner.space();
  const size = scanner.number();
  if (!scanner.accept(' ')) return { size, first: 1, last: Number.POSITIVE_INFINITY };
  const first = scanner.nzNumber();
  scanner.expect(':');
  const last = scanner.nzNumber();
  if (first > last) throw bad('The range of batches runs backwards', 'CLIENTBUG');
  return { size, first, last };
}

export const uidBatches = command({
  name: 'UIDBATCHES',
  states: SELECTED,
  grammar: batchArguments,
  async run({ mailbox, writer, tag }, { size, first, last }) {
    if (size < SMALLEST) throw no(`A batch has at least ${SMALLEST} messages`, 'TOOFEW');
    const ranges = batches(mailbox.view, size, first, last);
    writer.text(`* UIDBATCHES (TAG "${tag}")`);
    for (let at = 0; at < ranges.length; at += LIMIT.page) {
      writer.text(`${at === 0 ? ' ' : ','}${ranges.slice(at, at + LIMIT.page).join()}`);
      await writer.ready();
    }
    writer.text('\r\n');
    return ok('These are the batches');
  },
});

/** Each reaches down to where the next one begins, the last one to UID 1. */
function batches(view: View, size: number, first: number, last: number): string[] {
  const ranges: string[] = [];
  const { exists } = view;
  const count = Math.min(last, Math.ceil(exists / size));
  for (let batch = first; batch <= count; batch++) {
    const high = exists - (batch - 1) * size;
    const low = high - size;
    ranges.push(`${view.uidOf(high)}:${low > 0 ? view.uidOf(low) + 1 : 1}`);
  }
  return ranges;
}
