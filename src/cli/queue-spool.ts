// Messages of programs on this machine that lie in the spool until a server takes them: in no queue yet, and shown
// beside it.

import { openSpooled, SpoolDamage, type SpoolPlace, spooledIds } from '../msa/spool.ts';
import { systemClock } from '../platform/clock.ts';
import { inColumns, octets, span } from './columns.ts';

/** A message in the spool, as the verb shows it. */
export interface SpooledRow {
  readonly spooled: string;
  readonly state: 'spooled';
  /** As it was handed over; null: the null path. */
  readonly reversePath: string | null;
  readonly recipients: readonly string[];
  readonly user: string;
  /** Octets of the content. */
  readonly size: number;
  /** ms since the epoch. */
  readonly createdAt: number;
}

/** Messages that are shown; of more, the number. */
const MOST = 500;
/** Recipients in a row of the table. */
const RECIPIENTS = 3;

/** The oldest first. `more`: how many are not shown. Files that are no messages are passed over: the server sets them aside. */
export async function spooledRows({ folder }: SpoolPlace): Promise<{ rows: readonly SpooledRow[]; more: number }> {
  const ids = await spooledIds(folder).catch((error: NodeJS.ErrnoException) => {
    // Nobody but the server may look into an open spool.
    if (error.code === 'EACCES') return [];
    throw error;
  });
  const rows: SpooledRow[] = [];
  for (const id of ids.slice(0, MOST)) {
    const row = await rowOf(folder, id);
    if (row !== null) rows.push(row);
  }
  return { rows: rows.sort((one, other) => one.createdAt - other.createdAt), more: Math.max(0, ids.length - MOST) };
}

async function rowOf(folder: string, id: string): Promise<SpooledRow | null> {
  try {
    await using spooled = await openSpooled(folder, id);
    if (spooled === null) return null;
    const { from, recipients, user, createdAt } = spooled.envelope;
    return { spooled: id, state: 'spooled', reversePath: from, recipients, user, size: spooled.size, createdAt };
  } catch (error) {
    if (error instanceof SpoolDamage) return null;
    throw error;
  }
}

/** Under a line that says what they wait for. */
export function spoolText(rows: readonly SpooledRow[], more: number): string {
  const now = systemClock.now();
  const cells = rows.map(({ spooled, reversePath, recipients, size, createdAt, user }) => [
    spooled,
    reversePath ?? '<>',
    recipientsText(recipients),
    octets(size),
    span(now - createdAt),
    user,
  ]);
  const count = rows.length + more;
  const lines = [
    `${count} ${count === 1 ? 'message waits' : 'messages wait'} in the spool for a server to run ("postern serve"):`,
    inColumns(['SPOOLED', 'FROM', 'TO', 'SIZE', 'AGE', 'BY'], cells),
    ...(more > 0 ? [`and ${more} more`] : []),
  ];
  return lines.join('\n');
}

function recipientsText(recipients: readonly string[]): string {
  const others = recipients.length - RECIPIENTS;
  return `${recipients.slice(0, RECIPIENTS).join(', ')}${others > 0 ? ` and ${others} more` : ''}`;
}
