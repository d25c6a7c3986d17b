// Frees what nobody can see any more: tombstones of which all views have been told, mailboxes and accounts that are
// gone, bodies without a reference. In steps of a few ms, since freeing 360 MB at once holds the writer for a second.

import type { Connection } from '../engine.ts';
import { Limit } from '../limits.ts';
import type { AccountId, BodyId, Commit, MailboxId } from '../rows.ts';
import { releaseBody } from './bodies.ts';
import { forgetSeen } from './private-seen.ts';
import type { Views } from './views.ts';

/** Messages of one mailbox that were expunged by `commit` or before, the last of them `at` ms. */
interface Grave {
  commit: Commit;
  at: number;
}

type DoomedRow =
  | { readonly kind: 'mailbox'; readonly id: MailboxId; readonly commit_number: Commit }
  | { readonly kind: 'account'; readonly id: AccountId; readonly commit_number: Commit };

/** `since`: when it was first looked at, ms. */
type Doomed = DoomedRow & { readonly since: number };

/** Rows of `doomed` that are looked at together. */
const DOOMED_PAGE = 500;

/** Graves this close together are one: bounds how many a mailbox has. */
const GRAVE_SPAN = 60_000;

export class Sweep {
  readonly #db: Connection;
  readonly #views: Views;
  #unused: BodyId[] = [];
  #graves = new Map<MailboxId, Grave[]>();
  #doomed: Doomed[] = [];
  #freed: BodyId[] = [];
  /** A doomed mailbox or account was added since the list was read. */
  #stale = true;

  constructor(db: Connection, views: Views) {
    this.#db = db;
    this.#views = views;
  }

  /** Finds what is to be freed: after opening, stale staging included. @param staged bodies that are still to come */
  load(commit: Commit, now: number, staged: ReadonlySet<BodyId>): void {
    const bodies = this.#db.all<{ id: BodyId }>('SELECT id FROM body WHERE refs = 0');
    this.#unused = bodies.map((row) => row.id).filter((id) => !staged.has(id));
    const mailboxes = this.#db.all<{ mailbox: MailboxId }>(
      'SELECT DISTINCT mailbox FROM message INDEXED BY message_expunged WHERE expunged > 0',
    );
    this.#graves = new Map(mailboxes.map(({ mailbox }) => [mailbox, [{ commit, at: now }]]));
    this.#freed = [];
    this.#stale = true;
  }

  unused(body: BodyId): void {
    this.#unused.push(body);
  }

  /** A command has freed a body. */
  freed(body: BodyId): void {
    this.#freed.push(body);
  }

  /** Messages were expunged by `commit`. */
  buried(mailbox: MailboxId, commit: Commit, now: number): void {
    const graves = this.#graves.get(mailbox);
    const last = graves?.at(-1);
    if (graves === undefined) this.#graves.set(mailbox, [{ commit, at: now }]);
    else if (last !== undefined && graves.length > 1 && now - last.at < GRAVE_SPAN) last.commit = commit;
    else graves.push({ commit, at: now });
  }

  doomed(): void {
    this.#stale = true;
  }

  /** Bodies that are gone since this was last asked, for whoever keeps something about them. */
  takeFreed(): readonly BodyId[] {
    const freed = this.#freed;
    this.#freed = [];
    return freed;
  }

  /** Is there anything to free now? Costs no transaction. */
  due(now: number): boolean {
    if (this.#unused.length > 0 || this.#stale) return true;
    for (const [mailbox, graves] of this.#graves) {
      if ((graves[0]?.commit ?? Number.POSITIVE_INFINITY) <= this.#told(mailbox, graves, now)) return true;
    }
    return this.#doomed.some((doomed) => this.#isFree(doomed, now));
  }

  /** One small step, inside a transaction. @returns false: there is nothing to free now */
  step(now: number): boolean {
    if (this.#unused.length > 0) return this.#freeBody();
    if (this.#freeGrave(now)) return true;
    return this.#freeDoomed(now);
  }

  #freeBody(): boolean {
    const body = this.#unused.at(-1);
    if (body === undefined) return false;
    // That nothing refers to it is asked of the table each time: octets that are gone cannot be brought back.
    const chunk = this.#db.run(
      `DELETE FROM body_chunk WHERE id =
       (SELECT id FROM body_chunk WHERE id BETWEEN (?1 << 16) AND (?1 << 16) | 0xffff LIMIT 1)
       AND NOT EXISTS (SELECT 1 FROM body WHERE id = ?1 AND refs > 0)`,
      body,
    );
    if (chunk > 0) return true;
    this.#db.run('DELETE FROM body WHERE id = ? AND refs = 0', body);
    this.#unused.pop();
    this.#freed.push(body);
    return true;
  }

  #freeGrave(now: number): boolean {
    for (const [mailbox, graves] of this.#graves) {
      const told = this.#told(mailbox, graves, now);
      const first = graves[0];
      if (first === undefined || first.commit > told) continue;
      const most = this.#messagesAtOnce(mailbox);
      const rows = this.#db.all<{ uid: number; body: BodyId }>(
        'SELECT uid, body FROM message WHERE mailbox = ? AND expunged > 0 AND expunged <= ? LIMIT 0 + ?',
        mailbox,
        Math.min(told, Number.MAX_SAFE_INTEGER),
        most,
      );
      this.#freeMessages(mailbox, rows);
      if (rows.length === most || this.#shortenLog(mailbox)) return true;
      const left = graves.filter((grave) => grave.commit > told);
      if (left.length === 0) this.#graves.delete(mailbox);
      else this.#graves.set(mailbox, left);
      return true;
    }
    return false;
  }

  /** The oldest runs of a log that has grown too long become one, from the first UID of them to the last, whatever stands
   * between: a client that was away for so long is told of more than it needs (RFC 7162 §3.2.5.2 allows that), and of
   * nothing less. @returns whether there may be more to do */
  #shortenLog(mailbox: MailboxId): boolean {
    const over = this.#db.get(`SELECT 1 FROM vanished WHERE mailbox = ? LIMIT 1 OFFSET ${Limit.vanishedRuns}`, mailbox);
    if (over === undefined) return false;
    const runs = this.#db.all<{ modseq: number; first: number; last: number }>(
      `SELECT modseq, first, last FROM vanished WHERE mailbox = ? ORDER BY modseq, first LIMIT ${Limit.vanishedJoined}`,
      mailbox,
    );
    for (const { modseq, first } of runs) {
      this.#db.run('DELETE FROM vanished WHERE mailbox = ? AND modseq = ? AND first = ?', mailbox, modseq, first);
    }
    this.#db.run(
      'INSERT INTO vanished (mailbox, modseq, first, last) VALUES (?, ?, ?, ?)',
      mailbox,
      runs.at(-1)?.modseq ?? 0,
      Math.min(...runs.map(({ first }) => first)),
      Math.max(...runs.map(({ last }) => last)),
    );
    return true;
  }

  /** Up to which commit nobody needs a tombstone: all views were told, or have had their time. */
  #told(mailbox: MailboxId, graves: readonly Grave[], now: number): number {
    const old = graves.findLast((grave) => now - grave.at >= Limit.tombstoneAge);
    return Math.max(this.#views.told(mailbox), old?.commit ?? 0);
  }

  /** Each costs a look at every account that has seen something in the mailbox, which may be thousands. */
  #messagesAtOnce(mailbox: MailboxId): number {
    const seen = this.#db.get('SELECT 1 FROM mailbox_seen WHERE mailbox = ? LIMIT 1', mailbox);
    return seen === undefined ? Limit.sweepRows : 1;
  }

  #freeMessages(mailbox: MailboxId, rows: readonly { uid: number; body: BodyId }[]): void {
    const unused = (body: BodyId) => this.#unused.push(body);
    forgetSeen(
      this.#db,
      mailbox,
      rows.map(({ uid }) => uid),
    );
    for (const { uid, body } of rows) {
      this.#db.run('DELETE FROM message WHERE id = (? << 32) | ?', mailbox, uid);
      releaseBody({ db: this.#db, unused }, body);
    }
  }

  #freeDoomed(now: number): boolean {
    if (this.#stale) this.#readDoomed(now);
    for (const [at, doomed] of this.#doomed.entries()) {
      if (!this.#isFree(doomed, now)) continue;
      const more = doomed.kind === 'mailbox' ? this.#freeMailbox(doomed.id) : this.#freeAccount(doomed.id);
      if (more) return true;
      this.#db.run('DELETE FROM doomed WHERE kind = ? AND id = ?', doomed.kind, doomed.id);
      this.#doomed.splice(at, 1);
      return true;
    }
    return false;
  }

  #readDoomed(now: number): void {
    const known = new Map(this.#doomed.map((doomed) => [`${doomed.kind} ${doomed.id}`, doomed.since]));
    const rows = this.#db.all<DoomedRow>(`SELECT kind, id, commit_number FROM doomed LIMIT ${DOOMED_PAGE}`);
    this.#doomed = rows.map((row) => ({ ...row, since: known.get(`${row.kind} ${row.id}`) ?? now }));
    this.#stale = rows.length === DOOMED_PAGE;
  }

  /** Is what is gone shown by no view any more, or long enough? Accounts are shown by none. */
  #isFree(doomed: Doomed, now: number): boolean {
    if (doomed.kind === 'account') return true;
    return this.#views.told(doomed.id) >= doomed.commit_number || now - doomed.since >= Limit.tombstoneAge;
  }

  /** @returns whether there may be more */
  #freeMailbox(mailbox: MailboxId): boolean {
    const rows = this.#db.all<{ uid: number; body: BodyId }>(
      'SELECT uid, body FROM message WHERE id BETWEEN (?1 << 32) AND (?1 << 32) | 0xffffffff LIMIT 0 + ?2',
      mailbox,
      this.#messagesAtOnce(mailbox),
    );
    this.#freeMessages(mailbox, rows);
    if (rows.length > 0) return true;
    const vanished = this.#db.run(
      `DELETE FROM vanished WHERE mailbox = ?1 AND (modseq, first) IN
       (SELECT modseq, first FROM vanished WHERE mailbox = ?1 LIMIT ${Limit.sweepRows})`,
      mailbox,
    );
    if (vanished > 0) return true;
    this.#db.run('DELETE FROM mailbox_right WHERE mailbox = ?', mailbox);
    this.#db.run('DELETE FROM mailbox_seen WHERE mailbox = ?', mailbox);
    this.#db.run('DELETE FROM mailbox_annotation WHERE mailbox = ?', mailbox);
    this.#db.run('DELETE FROM mailbox_access_key WHERE mailbox = ?', mailbox);
    this.#graves.delete(mailbox);
    return false;
  }

  /** @returns whether there may be more */
  #freeAccount(account: AccountId): boolean {
    const references = this.#db.run(
      `DELETE FROM thread_reference WHERE account = ?1 AND reference IN
       (SELECT reference FROM thread_reference WHERE account = ?1 LIMIT ${Limit.sweepRows})`,
      account,
    );
    return references > 0;
  }
}
