// Reads of accounts.

import type { Connection } from '../engine.ts';
import type { AccountId, AccountRow, PasswordRecord } from '../rows.ts';

interface Row {
  readonly id: AccountId;
  readonly quota: number | null;
  readonly password: string | null;
  readonly seeded: 0 | 1;
  readonly addresses: string;
  readonly octets: number;
  readonly messages: number;
}

const ACCOUNTS = `SELECT id, quota, password, seeded,
  (SELECT json_group_array(address ORDER BY position) FROM address WHERE account = account.id) AS addresses,
  (SELECT coalesce(sum(octets), 0) FROM mailbox WHERE mailbox.account = account.id) AS octets,
  (SELECT coalesce(sum(messages), 0) FROM mailbox WHERE mailbox.account = account.id) AS messages
  FROM account`;

export function accounts(db: Connection): readonly AccountRow[] {
  return db.all<Row>(`${ACCOUNTS} ORDER BY id`).map(accountRow);
}

export function account(db: Connection, id: AccountId): AccountRow | undefined {
  const row = db.get<Row>(`${ACCOUNTS} WHERE id = ?`, id);
  return row === undefined ? undefined : accountRow(row);
}

function accountRow(row: Row): AccountRow {
  const addresses: readonly string[] = JSON.parse(row.addresses);
  const password: PasswordRecord | null = row.password === null ? null : JSON.parse(row.password);
  return {
    id: row.id,
    address: addresses[0] ?? '',
    aliases: addresses.slice(1),
    password,
    quota: row.quota,
    usedOctets: row.octets,
    usedMessages: row.messages,
    seeded: row.seeded === 1,
  };
}
