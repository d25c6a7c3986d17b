// The reads of the store over one connection: each a short transaction, done when it resolves.

import type { Connection } from '../engine.ts';
import { Limit, MAX_UID } from '../limits.ts';
import type { Commit, MailboxId, MailboxRow } from '../rows.ts';
import { type Reads, StoreError } from '../store.ts';
import { account, accounts } from './accounts.ts';
import { annotation, annotations } from './annotations.ts';
import { readBody } from './bodies.ts';
import { firstUnseenOf, type IndexedMailbox, type MailboxIndex, uidsWith } from './mailbox-index.ts';
import { aboutName, mailbox, mailboxByName, mailboxes, subscriptions } from './mailboxes.ts';
import { changedSince, deletedOctets, lackingOf, messages, outlines, vanishedSince } from './messages.ts';
import { queueReads } from './queue.ts';
import { receiverReads } from './receivers.ts';
import { accessKeyOf, accountNamed, rightsOf, rightsWithin, seenBy, sharedWith } from './rights.ts';
import { Snapshots } from './snapshot.ts';
import type { Summaries } from './summaries.ts';
import { tlsReportReads } from './tls-reports.ts';

/** @param reached when the changes up to a commit have been published; undefined: they have been */
export function createReads(
  connection: Connection,
  index: MailboxIndex,
  summaries: Summaries,
  reached: (commit: Commit) => Promise<void> | undefined,
): Reads {
  const snapshots = new Snapshots(connection, reached);
  const read = async <T>(look: (db: Connection) => T): Promise<T> => snapshots.read(look);
  const look = (db: Connection, id: MailboxId): { row: MailboxRow; indexed: IndexedMailbox } => {
    const row = mailbox(db, id);
    if (row === undefined) throw new StoreError('missing', 'There is no such mailbox');
    return { row, indexed: index.get(db, id, row.highestModSeq) };
  };
  return {
    accounts: () => read(accounts),
    account: (id) => read((db) => account(db, id)),
    mailboxes: (id) => read((db) => mailboxes(db, id)),
    mailbox: (id) => read((db) => mailbox(db, id)),
    mailboxByName: (id, name) => read((db) => mailboxByName(db, id, name)),
    aboutName: (id, name) => read((db) => aboutName(db, id, name)),
    subscriptions: (id) => read((db) => subscriptions(db, id)),
    rights: (id) => read((db) => rightsOf(db, id)),
    rightsWithin: (id) => read((db) => rightsWithin(db, id)),
    sharedWith: (id, identifiers) => read((db) => sharedWith(db, id, identifiers)),
    accountNamed: (name) => read((db) => accountNamed(db, name)),
    accessKey: (id, by) => read((db) => accessKeyOf(db, id, by)),
    // A change of it that is not in here comes later.
    seenBy: (id, by) => snapshots.readTold((db) => seenBy(db, id, by)),
    annotations: (id, by) => read((db) => annotations(db, id, by)),
    annotation: (id, by, entry) => read((db) => annotation(db, id, by, entry)),
    uids: (id) =>
      snapshots.readTold((db, commit) => {
        const { row, indexed } = look(db, id);
        return { uids: indexed.uids, commit, mailbox: row };
      }),
    opening: (id) =>
      snapshots.readTold((db, commit) => {
        const { row, indexed } = look(db, id);
        const firstUnseen = row.unseen === 0 ? null : firstUnseenOf(indexed);
        return { uids: indexed.uids, commit, mailbox: row, firstUnseen };
      }),
    maildrop: (id) =>
      snapshots.readTold((db, commit) => {
        const { row, indexed } = look(db, id);
        return { uids: indexed.uids, commit, mailbox: row, lineOctets: row.octets + lackingOf(db, id) };
      }),
    messages: (id, uids) => snapshots.readTold((db, commit) => ({ rows: messages(db, id, uids), commit })),
    outlines: (id, uids) => snapshots.readTold((db, commit) => ({ rows: outlines(db, id, uids), commit })),
    deletedOctets: (id) => read((db) => deletedOctets(db, id)),
    uidsWith: (id, set, clear) =>
      snapshots.readTold((db, commit) => {
        return { uids: uidsWith(look(db, id).indexed, set, clear), commit };
      }),
    changedSince: (id, since, after = MAX_UID) =>
      snapshots.readTold((db, commit) => ({ rows: changedSince(db, id, since, after), commit })),
    vanishedSince: (id, since) => snapshots.readTold((db, commit) => ({ runs: vanishedSince(db, id, since), commit })),
    // A body never changes: its chunks need no snapshot.
    body: async (id, offset, length) => readBody(connection, id, offset, Math.min(length, Limit.readOctets)),
    summaries: (bodies) => summaries.of(bodies.slice(0, Limit.pageRows)),
    possibleMatches: async (bodies, query) => summaries.possibleMatches(bodies.slice(0, Limit.textQueryBodies), query),
    spare: () =>
      read((db) => {
        const { freelist_count: pages = 0 } = db.get<{ freelist_count: number }>('PRAGMA freelist_count') ?? {};
        const { page_size: octets = 0 } = db.get<{ page_size: number }>('PRAGMA page_size') ?? {};
        return pages * octets;
      }),
    epoch: () => read((db) => db.get<{ epoch: string }>('SELECT epoch FROM meta')?.epoch ?? ''),
    queue: queueReads(snapshots),
    receivers: receiverReads(snapshots),
    tlsReports: tlsReportReads(snapshots),
  };
}
