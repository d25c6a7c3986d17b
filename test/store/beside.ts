// Looks into a database as another process. Within one process, whoever opens a file by its name while it is made anew gets
// the old file and the new one's shared memory, and SQLite, which counts locks by process, cuts that short under its user.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const PROGRAM = `
const { DatabaseSync } = require('node:sqlite');
const [path, sql] = process.argv.slice(1);
const db = new DatabaseSync(path, { readOnly: true, timeout: 1000 });
process.stdout.write(JSON.stringify(db.prepare(sql).all()));
`;

const run = promisify(execFile);

/** All rows; undefined: the file cannot be read now. */
export async function rowsBeside<Row>(path: string, sql: string): Promise<Row[] | undefined> {
  try {
    const { stdout } = await run(process.execPath, ['--disable-warning=ExperimentalWarning', '-e', PROGRAM, path, sql]);
    return JSON.parse(stdout);
  } catch {
    return undefined;
  }
}
