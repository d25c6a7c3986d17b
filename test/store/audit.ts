// What must hold in every mail.db whatever was done to it and however it ended: counters that agree with rows, bodies
// that are whole and held by as many as refer to them, numbers above all that were given out.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Connection } from '../../src/store/engine.ts';

const RULES: Readonly<Record<string, string>> = {
  'a body is held by those who refer to it': `SELECT body.id FROM body WHERE refs <>
    (SELECT count(*) FROM message WHERE message.body = body.id) +
    (SELECT count(*) FROM transit WHERE transit.body = body.id)`,
  'what refers to a body has one': `SELECT message.id FROM message LEFT JOIN body ON body.id = message.body
    WHERE body.id IS NULL UNION ALL
    SELECT transit.id FROM transit LEFT JOIN body ON body.id = transit.body WHERE body.id IS NULL`,
  'a body is whole': `SELECT id FROM body WHERE refs > 0 AND size <> (SELECT coalesce(sum(length(octets)), 0)
    FROM body_chunk WHERE body_chunk.id BETWEEN (body.id << 16) AND (body.id << 16) | 0xffff)`,
  'a chunk has a body': `SELECT id FROM body_chunk WHERE NOT EXISTS (SELECT 1 FROM body WHERE id = body_chunk.id >> 16)`,
  'a mailbox knows what it holds': `SELECT id FROM mailbox WHERE (messages, unseen, deleted, octets) <>
    (SELECT count(*), coalesce(sum(flags & 1 = 0), 0), coalesce(sum(flags & 8 <> 0), 0), coalesce(sum(size), 0)
     FROM message WHERE message.mailbox = mailbox.id AND expunged = 0)`,
  'a UID or MODSEQ is below the next': `SELECT mailbox.id FROM mailbox JOIN message ON message.mailbox = mailbox.id
    WHERE uid >= uid_next OR (modseq > highest_modseq AND expunged = 0)`,
  'numbers are above those given out': `SELECT 1 FROM meta WHERE modseq < (SELECT coalesce(max(highest_modseq), 0)
    FROM mailbox) OR body < (SELECT coalesce(max(id), 0) FROM body) OR entry < (SELECT coalesce(max(id), 0) FROM entry)
    OR transit < (SELECT coalesce(max(id), 0) FROM transit) OR mailbox < (SELECT coalesce(max(id), 0) FROM mailbox)
    OR uid_validity < (SELECT coalesce(max(uid_validity), 0) FROM mailbox)`,
  'a message is in a mailbox that is, or is doomed': `SELECT DISTINCT message.mailbox FROM message WHERE
    NOT EXISTS (SELECT 1 FROM mailbox WHERE id = message.mailbox) AND
    NOT EXISTS (SELECT 1 FROM doomed WHERE kind = 'mailbox' AND doomed.id = message.mailbox)`,
  'what vanished does not stand': `SELECT message.id FROM vanished JOIN message ON message.id
    BETWEEN (vanished.mailbox << 32) | first AND (vanished.mailbox << 32) | last WHERE expunged = 0
    -- A log that was shortened says too much.
    AND vanished.mailbox NOT IN (SELECT mailbox FROM vanished GROUP BY mailbox HAVING count(*) > 5000)`,
  'a transit knows its entries': `SELECT id FROM transit WHERE entries <>
    (SELECT count(*) FROM entry WHERE entry.transit = transit.id) OR entries = 0`,
  'an entry has a transit': `SELECT id FROM entry WHERE NOT EXISTS (SELECT 1 FROM transit WHERE id = entry.transit)`,
  'an entry is due when the first of its times is': `SELECT id FROM entry WHERE due_at IS NOT CASE state WHEN 'waiting'
    THEN min(next_at, expires_at, coalesce(warn_at, expires_at)) END`,
  'what is suspended has a destination that is': `SELECT id FROM entry WHERE state = 'suspended' AND
    NOT EXISTS (SELECT 1 FROM suspension WHERE domain = destination)`,
  'an attempt has an entry': `SELECT entry FROM attempt WHERE NOT EXISTS (SELECT 1 FROM entry WHERE id = attempt.entry)`,
  'an address has an account': `SELECT address FROM address WHERE NOT EXISTS (SELECT 1 FROM account WHERE id = account)`,
};

/** The rules that a store at rest breaks, with up to three offenders each. */
export function audit(folder: string): readonly string[] {
  const path = join(folder, 'mail.db');
  if (!existsSync(path)) return [];
  const db = new Connection(path);
  try {
    const broken = Object.entries(RULES).flatMap(([rule, sql]) => {
      const rows = db.all(`${sql} LIMIT 3`);
      return rows.length === 0 ? [] : [`${rule}: ${JSON.stringify(rows)}`];
    });
    const { integrity_check: whole } = db.get<{ integrity_check: string }>('PRAGMA integrity_check') ?? {};
    return whole === 'ok' ? broken : [...broken, `integrity: ${whole}`];
  } finally {
    db.close();
  }
}
