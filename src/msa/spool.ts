// The spool: where a program on this machine leaves a message, whether a server runs or not. One file a message, whole and
// on disk before it has its name; the envelope as a line of JSON, the content behind it. Who takes it is local.ts.

import { constants } from 'node:fs';
import { chmod, chown, type FileHandle, lstat, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as v from 'valibot';
import type { Config } from '../config/config.ts';
import { makeFolders } from '../platform/folder.ts';
import { newIdentifier } from '../platform/identifier.ts';

/** Octets of the first line: a thousand long recipients, several times. */
const MAX_ENVELOPE = 4 * 1024 * 1024;
/** More than limits.recipients can be. */
const MAX_RECIPIENTS = 100_000;
/** Octets of one read. */
const CHUNK = 256 * 1024;

const NAME = /^([0-9a-z]{12})\.mail$/;

const envelope = v.object({
  version: v.literal(1),
  /** Who handed it over, for the log. */
  user: v.string(),
  /** As addresses are written; null: the null path. */
  from: v.nullable(v.string()),
  /** The name that goes with it, where the message has no From of its own. */
  fullName: v.nullable(v.string()),
  recipients: v.pipe(v.array(v.string()), v.maxLength(MAX_RECIPIENTS)),
  body: v.picklist(['7BIT', '8BITMIME']),
  ret: v.optional(v.picklist(['FULL', 'HDRS'])),
  envid: v.optional(v.string()),
  notify: v.optional(v.union([v.literal('never'), v.array(v.picklist(['success', 'failure', 'delay']))])),
  /** ms since the epoch. */
  createdAt: v.number(),
});

export type SpooledEnvelope = v.InferOutput<typeof envelope>;

/** Where the spool is. `open`: every user of the machine may leave messages there, and none may see what others leave. */
export interface SpoolPlace {
  readonly folder: string;
  readonly open: boolean;
}

/** A message that was read from the spool; the caller closes it. */
export interface Spooled extends AsyncDisposable {
  readonly envelope: SpooledEnvelope;
  /** The user that the file belongs to, as the system has it. */
  readonly uid: number;
  /** Octets of the content. */
  readonly size: number;
  /** Octets. May be read once. */
  content(): AsyncIterable<Uint8Array>;
}

/** A file that is no message: nothing that `leave` has written. */
export class SpoolDamage extends Error {
  override readonly name = 'SpoolDamage';
}

export function spoolPlace({ data, sendmail }: Pick<Config, 'data' | 'sendmail'>): SpoolPlace {
  const { folder } = sendmail;
  return folder === null ? { folder: join(data, 'spool'), open: false } : { folder, open: true };
}

/** Makes the folder, as the server that will take from it. In an open one everybody may write and remove what is theirs
 * (the sticky bit), and nobody else may list it. */
export async function makeSpool({ folder, open: everybody }: SpoolPlace): Promise<void> {
  makeFolders(folder, 0o700);
  if (everybody) await chmod(folder, 0o1733);
}

/** Removes what was begun before `time` (ms since the epoch) and never ended: who wrote it was killed. */
export async function clearDrafts(folder: string, time: number): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.endsWith('.draft')) continue;
    const path = join(folder, name);
    const facts = await lstat(path).catch(absent);
    if (facts !== null && facts.mtimeMs < time) await unlink(path).catch(absent);
  }
}

/**
 * Leaves a message. When it resolves, it is on disk and has its name; whatever ends this program before leaves nothing that
 * anybody takes for a message.
 * @returns its id
 */
export async function leave(place: SpoolPlace, sent: SpooledEnvelope, content: Uint8Array): Promise<string> {
  const { folder } = place;
  if (!place.open) makeFolders(folder, 0o700);
  const id = newIdentifier();
  const draft = join(folder, `${id}.draft`);
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(Buffer.concat([Buffer.from(`${JSON.stringify(sent)}\n`), content]));
    await letServerRead(place, file);
    await file.sync();
    await rename(draft, join(folder, `${id}.mail`));
    await syncFolder(folder, file);
    return id;
  } catch (error) {
    await unlink(draft).catch(() => undefined);
    throw error;
  } finally {
    await file.close();
  }
}

/** What root leaves becomes the server's. In an open folder others cannot give theirs away: the server reads it by its name,
 * which nobody else can know. */
async function letServerRead({ folder, open: everybody }: SpoolPlace, file: FileHandle): Promise<void> {
  if (process.getuid?.() === 0) {
    const { uid, gid } = await stat(everybody ? folder : dirname(folder));
    if (uid === 0) return;
    if (!everybody) await chown(folder, uid, gid);
    await file.chown(uid, gid);
  } else if (everybody) {
    await file.chmod(0o644);
  }
}

/** The ids of all messages, in no order. */
export async function spooledIds(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(absent);
  return (names ?? []).flatMap((name) => NAME.exec(name)?.[1] ?? []);
}

/** Opens a message; null: it is there no more. @throws SpoolDamage */
export async function openSpooled(folder: string, id: string): Promise<Spooled | null> {
  // No link that leads elsewhere, and no pipe that never ends: in an open folder anybody makes files.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(pathOf(folder, id), flags).catch(foreign);
  if (file === null) return null;
  try {
    const facts = await file.stat();
    if (!facts.isFile() || facts.nlink !== 1) throw new SpoolDamage('no file of its own');
    const { line, rest } = await firstLine(file);
    return {
      envelope: readEnvelope(line),
      uid: facts.uid,
      size: facts.size - line.length - 1,
      async *content() {
        if (rest.length > 0) yield rest;
        for (;;) {
          const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(CHUNK), 0, CHUNK, null);
          if (bytesRead === 0) return;
          yield buffer.subarray(0, bytesRead);
        }
      },
      [Symbol.asyncDispose]: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Removes a message; when it resolves, it does not come back. */
export async function removeSpooled(folder: string, id: string): Promise<void> {
  await unlink(pathOf(folder, id)).catch(absent);
  await syncFolder(folder, null);
}

/** Puts a file aside that is no message, for people to look at. */
export async function setAside(folder: string, id: string): Promise<void> {
  await rename(pathOf(folder, id), join(folder, `${id}.damaged`)).catch(absent);
}

function pathOf(folder: string, id: string): string {
  // An id comes from another process, and must lead nowhere else.
  if (NAME.exec(`${id}.mail`) === null) throw new Error('no id of a spooled message');
  return join(folder, `${id}.mail`);
}

async function firstLine(file: FileHandle): Promise<{ line: Buffer; rest: Buffer }> {
  let read = Buffer.alloc(0);
  for (;;) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(CHUNK), 0, CHUNK, null);
    const from = read.length;
    read = Buffer.concat([read, buffer.subarray(0, bytesRead)]);
    const end = read.indexOf(10, from);
    if (end >= 0) return { line: read.subarray(0, end), rest: read.subarray(end + 1) };
    if (bytesRead === 0 || read.length > MAX_ENVELOPE) throw new SpoolDamage('a spooled message without an envelope');
  }
}

function readEnvelope(line: Buffer): SpooledEnvelope {
  try {
    return v.parse(envelope, JSON.parse(line.toString('utf8')));
  } catch (cause) {
    throw new SpoolDamage('a spooled message with an envelope that cannot be read', { cause });
  }
}

/** A name is on disk when its folder is. Who may not open the folder syncs the file once more, by which journals bring its
 * new name along. */
async function syncFolder(folder: string, file: FileHandle | null): Promise<void> {
  const handle = await open(folder, 'r').catch((error: NodeJS.ErrnoException) => {
    if (file === null || error.code !== 'EACCES') throw error;
    return null;
  });
  if (handle === null) {
    await file?.sync();
    return;
  }
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What is not there is null. */
function absent(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}

/** As above; a link, or what this server may not read, is none of ours. */
function foreign(error: NodeJS.ErrnoException): null {
  if (error.code === 'ELOOP' || error.code === 'EACCES' || error.code === 'ENXIO') {
    throw new SpoolDamage(`cannot be opened (${error.code})`, { cause: error });
  }
  return absent(error);
}
