// The spool: where a program on this machine leaves a message, whether a server runs or not. One file a message, whole and
// on disk before it has its name; the envelope as a line of JSON, the content behind it. Who takes it is local.ts.

import { chown, type FileHandle, mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { newIdentifier } from '../platform/identifier.ts';

/** Octets of the first line: a thousand long recipients, several times. */
const MAX_ENVELOPE = 4 * 1024 * 1024;
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
  recipients: v.array(v.string()),
  body: v.picklist(['7BIT', '8BITMIME']),
  ret: v.optional(v.picklist(['FULL', 'HDRS'])),
  envid: v.optional(v.string()),
  notify: v.optional(v.union([v.literal('never'), v.array(v.picklist(['success', 'failure', 'delay']))])),
  /** ms since the epoch. */
  createdAt: v.number(),
});

export type SpooledEnvelope = v.InferOutput<typeof envelope>;

/** A message that was read from the spool; the caller closes it. */
export interface Spooled extends AsyncDisposable {
  readonly envelope: SpooledEnvelope;
  /** Octets. May be read once. */
  content(): AsyncIterable<Uint8Array>;
}

/** A file that is no message: nothing that `leave` has written. */
export class SpoolDamage extends Error {
  override readonly name = 'SpoolDamage';
}

export function spoolFolder(data: string): string {
  return join(data, 'spool');
}

/**
 * Leaves a message. When it resolves, it is on disk and has its name; whatever ends this program before leaves nothing that
 * anybody takes for a message.
 * @returns its id
 */
export async function leave(data: string, sent: SpooledEnvelope, content: Uint8Array): Promise<string> {
  const folder = spoolFolder(data);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const id = newIdentifier();
  const draft = join(folder, `${id}.draft`);
  try {
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(Buffer.concat([Buffer.from(`${JSON.stringify(sent)}\n`), content]));
      await belongToServer(data, folder, file);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, join(folder, `${id}.mail`));
  } catch (error) {
    await unlink(draft).catch(() => undefined);
    throw error;
  }
  await syncFolder(folder);
  return id;
}

/** What root leaves is the server's to read. */
async function belongToServer(data: string, folder: string, file: FileHandle): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = await stat(data);
  if (uid === 0) return;
  await chown(folder, uid, gid);
  await file.chown(uid, gid);
}

/** The ids of all messages, in no order. */
export async function spooledIds(data: string): Promise<readonly string[]> {
  const names = await readdir(spoolFolder(data)).catch(absent);
  return (names ?? []).flatMap((name) => NAME.exec(name)?.[1] ?? []);
}

/** Opens a message; null: it is there no more. @throws SpoolDamage */
export async function openSpooled(data: string, id: string): Promise<Spooled | null> {
  const file = await open(pathOf(data, id), 'r').catch(absent);
  if (file === null) return null;
  try {
    const { line, rest } = await firstLine(file);
    return {
      envelope: readEnvelope(line),
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
export async function removeSpooled(data: string, id: string): Promise<void> {
  await unlink(pathOf(data, id)).catch(absent);
  await syncFolder(spoolFolder(data));
}

/** Puts a file aside that is no message, for people to look at. */
export async function setAside(data: string, id: string): Promise<void> {
  await rename(pathOf(data, id), join(spoolFolder(data), `${id}.damaged`)).catch(absent);
}

function pathOf(data: string, id: string): string {
  // An id comes from another process, and must lead nowhere else.
  if (NAME.exec(`${id}.mail`) === null) throw new Error('no id of a spooled message');
  return join(spoolFolder(data), `${id}.mail`);
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

/** A name is on disk when its folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
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
