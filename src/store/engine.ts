// One connection to SQLite with its statements prepared once, and the errors of the engine as the store's own. The only
// file that knows node:sqlite; what the SQL says is its callers' business.

import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { StoreError } from './store.ts';

export type Value = number | string | Uint8Array | null;

/** Result codes of SQLite, primary and extended, that mean something to the store. */
const Code = { busy: 5, readOnly: 8, corrupt: 11, full: 13, notDatabase: 26, syncFailed: 1034, noIndex: 4874 } as const;

export interface ConnectionOptions {
  readonly readOnly?: boolean;
  /** ms to wait for a lock. */
  readonly wait?: number;
  /** KiB of page cache. */
  readonly cache?: number;
}

/**
 * A connection. SQL texts are constants of the source, so that the statements kept are bounded by it. A limit that is a
 * parameter is written `LIMIT 0 + ?`: SQLite plans a statement anew at each run where the value of a bare one may change
 * the plan, which costs more than most of what the store reads.
 */
export class Connection {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  /** Those of `run`. Rows of FTS5's own tables have ids beyond 2^53, and the last of them is told with every result. */
  readonly #runs = new Map<string, StatementSync>();

  constructor(path: string, options: ConnectionOptions = {}) {
    this.#database = new DatabaseSync(path, {
      readOnly: options.readOnly ?? false,
      timeout: options.wait ?? 0,
      // The commands keep the references whole; checking each again costs a lookup for every insert.
      enableForeignKeyConstraints: false,
    });
    this.#database.exec(`PRAGMA cache_size = -${options.cache ?? 2048}; PRAGMA temp_store = MEMORY`);
  }

  get inTransaction(): boolean {
    return this.#database.isTransaction;
  }

  /** Runs SQL without parameters or results. */
  exec(sql: string): void {
    this.#database.exec(sql);
  }

  /** Runs one statement. @returns how many rows it changed */
  run(sql: string, ...values: Value[]): number {
    let statement = this.#runs.get(sql);
    if (statement === undefined) {
      statement = this.#prepared(sql);
      statement.setReadBigInts(true);
      this.#runs.set(sql, statement);
    }
    return Number(statement.run(...values).changes);
  }

  /** The first row. `Row` is what the SQL names; the tables are STRICT, so that the types hold. */
  get<Row>(sql: string, ...values: Value[]): Row | undefined {
    // The one place where a row gets its type: STRICT tables hold what the schema declares.
    return this.#statement(sql).get(...values) as Row | undefined;
  }

  /** All rows: for statements whose result is bounded. */
  all<Row>(sql: string, ...values: Value[]): Row[] {
    // As in `get`.
    return this.#statement(sql).all(...values) as Row[];
  }

  /**
   * All rows of a query, as one text of JSON: many rows without octets are read in a fifth of the time that as many
   * objects of SQLite's take.
   * @param columns of `rows`, in the order in which a `Tuple` has them
   * @param rows a SELECT with an order: SQLite keeps that of what it aggregates
   */
  tuples<Tuple>(columns: string, rows: string, ...values: Value[]): Tuple[] {
    const sql = `SELECT json_group_array(json_array(${columns})) AS text FROM (${rows})`;
    // As in `get`: JSON keeps integers and texts as they are.
    return JSON.parse(this.get<{ text: string }>(sql, ...values)?.text ?? '[]') as Tuple[];
  }

  close(): void {
    this.#statements.clear();
    this.#runs.clear();
    if (this.#database.isOpen) this.#database.close();
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#prepared(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #prepared(sql: string): StatementSync {
    if (!this.#database.isOpen) throw new StoreError('closed', 'The store is closed');
    return this.#database.prepare(sql);
  }
}

/** Did SQLite throw it? */
function isSqlite(error: unknown): boolean {
  return resultCode(error) !== undefined;
}

/** The extended result code of an error that SQLite threw, or undefined. */
function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode : undefined;
}

/** Whatever was thrown, as the store's error. */
export function storeError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const text = error instanceof Error ? error.message : String(error);
  const full = isDiskFull(error);
  return new StoreError(full ? 'full' : 'failed', full ? `The disk is full: ${text}` : text, { cause: error });
}

/** What a store could not be opened for, with its file: what SQLite or the file system fail with names none. */
export function unopened(error: unknown, file: string): unknown {
  const failure = isSqlite(error) ? storeError(error) : error;
  if (!(failure instanceof StoreError) || failure.kind !== 'failed') return failure;
  const advice = 'see that it is a file of this user, or put a backup in its place';
  return new StoreError('failed', `The store, ${file}, cannot be opened (${failure.message}): ${advice}`, {
    cause: error,
  });
}

/** Did the engine find no room? */
export function isDiskFull(error: unknown): boolean {
  const code = resultCode(error);
  // The index of the log could not grow: nothing else but a full disk does that.
  return code !== undefined && ((code & 0xff) === Code.full || code === Code.noIndex);
}

/** Did another connection hold the lock? */
export function isBusy(error: unknown): boolean {
  return ((resultCode(error) ?? 0) & 0xff) === Code.busy;
}

/** Is the file no database, or a damaged one? */
export function isDamaged(error: unknown): boolean {
  const code = (resultCode(error) ?? 0) & 0xff;
  return code === Code.corrupt || code === Code.notDatabase;
}

/** Did a sync fail? Then the kernel may have dropped what was to be written, and a later sync would not tell. */
export function isSyncFailure(error: unknown): boolean {
  return resultCode(error) === Code.syncFailed;
}
