// What the queue runner asks of the store, again and again: each finds what it wants by an index, so that it costs the same
// with ten entries and with a million. test/store/query-plans.test.ts holds that.

import { Limit } from '../limits.ts';

export const ENTRIES = `SELECT id, transit, recipient, parameters, destination, state, attempts, created_at, next_at, expires_at,
  warn_at, last FROM entry`;

export const queueSql = {
  transit: `SELECT id, body, prefix, size, header_size, reverse_path, parameters, message_id, origin, created_at
    FROM transit WHERE id = ?`,

  /** The index has the id too, so that what is in hand costs no look at the table. */
  due: `${ENTRIES} WHERE destination = ? AND due_at <= ? AND id NOT IN (SELECT value FROM json_each(?))
    ORDER BY due_at, id LIMIT 0 + ?`,

  /** The destinations among the entries that are due for the longest time; `seen` is how many entries were looked at. */
  longestDue: `SELECT destination, min(due_at) AS due, sum(count(*)) OVER () AS seen FROM
      (SELECT destination, due_at FROM entry WHERE due_at <= ? ORDER BY due_at LIMIT ${Limit.dueWindow})
    GROUP BY destination ORDER BY due`,

  /** One step from destination to destination by the index: a destination costs the same with one entry or 100,000. */
  destinations: `WITH RECURSIVE step (destination) AS (
    SELECT (SELECT min(destination) FROM entry)
    UNION ALL
    SELECT (SELECT min(entry.destination) FROM entry WHERE entry.destination > step.destination)
    FROM step WHERE step.destination IS NOT NULL
  )
  SELECT destination, (SELECT min(due_at) FROM entry WHERE entry.destination = step.destination) AS due
  FROM step WHERE destination IS NOT NULL AND due <= ? ORDER BY due LIMIT 0 + ?`,
  nextAt: 'SELECT min(due_at) AS due FROM entry WHERE due_at > ?',
  attempts: 'SELECT attempt FROM attempt WHERE entry = ? ORDER BY number',
} as const;
