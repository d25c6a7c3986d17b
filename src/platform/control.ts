// The control socket: how verbs speak to the running server. Requests by name over a Unix socket that only its owner can
// open (0600 in a 0700 folder); what the names mean is the server's wiring.

import { once } from 'node:events';
import { chmod, rm, stat } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { makeFolders } from './folder.ts';
import { FrameError, frameReader, toFrame } from './frames.ts';

/** What a request does, by its name. Whatever it throws reaches the caller as a ControlError. */
export type ControlHandlers = Readonly<Record<string, (argument: unknown) => unknown>>;

export interface ControlClient extends AsyncDisposable {
  /** @throws ControlError what the handler threw; kind `closed` if the server went away, `timeout` if it does not answer,
   * `unknown` for a name that it does not know (an older server) */
  request(name: string, argument?: unknown): Promise<unknown>;
  close(): Promise<void>;
}

/** An error from the other end. `kind` is that of a StoreError or its like, else the error's name. */
export class ControlError extends Error {
  override readonly name = 'ControlError';
  readonly kind: string;
  constructor(kind: string, message: string) {
    super(message);
    this.kind = kind;
  }
}

interface Request {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

interface Response {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: { readonly kind: string; readonly message: string };
}

/** Verbs are few and short: more connections, or requests under way on one, are a mistake. */
const MAX_CONNECTIONS = 32;
const MAX_REQUESTS = 64;
/** sun_path holds 108 octets on Linux, 104 on macOS, the closing NUL included. */
const MAX_PATH = process.platform === 'linux' ? 107 : 103;
/** ms for the connection, and for each answer; removing a large account takes the longest. */
const PATIENCE = 60_000;

/**
 * Serves requests at `path`. The caller holds the lock on the data folder, so a socket that lies there is a dead
 * server's and is replaced.
 * @throws Error if the path is too long, or cannot be made
 */
export async function serveControl(path: string, handlers: ControlHandlers): Promise<AsyncDisposable> {
  if (Buffer.byteLength(path) > MAX_PATH) {
    throw new Error(`the path of the control socket, ${path}, is too long for the system: set data to a shorter one`);
  }
  const folder = dirname(path);
  makeFolders(folder, 0o700);
  await rm(path, { force: true });
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    if (open.size > MAX_CONNECTIONS) socket.destroy();
    else serveOne(socket, handlers);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
  server.on('error', () => undefined);
  await chmod(path, 0o600);
  return {
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      });
      await rm(path, { force: true });
    },
  };
}

/**
 * Connects to the server that serves `path`; null: none runs there.
 * @param patience ms for the connection, and for the answer to each request
 * @throws ControlError if it may not be reached, or does not answer
 */
export async function connectControl(path: string, patience: number = PATIENCE): Promise<ControlClient | null> {
  let socket: Socket | undefined;
  try {
    await stat(path);
    socket = connect(path);
    await within(patience, once(socket, 'connect'));
    return client(socket, patience);
  } catch (error) {
    socket?.destroy();
    // What a socket, or the file system, fails with.
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ECONNREFUSED' || code === 'ENOENT' || code === 'ENOTDIR') return null;
    if (code === 'EACCES') {
      throw new ControlError('refused', `${path} is another user's: run this with the rights of the server's user`);
    }
    throw error;
  }
}

/** @throws ControlError timeout */
async function within<T>(ms: number, answer: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new ControlError('timeout', 'the running server does not answer')), ms);
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

function serveOne(socket: Socket, handlers: ControlHandlers): void {
  let running = 0;
  const answer = (response: Response) => {
    running -= 1;
    // Who does not take its answers is not asked for more questions.
    if (!socket.destroyed && !socket.write(frameOf(response))) socket.pause();
  };
  socket.on('drain', () => socket.resume());
  const take = frameReader((value) => {
    if (!isRequest(value) || running >= MAX_REQUESTS) {
      socket.destroy();
      return;
    }
    running += 1;
    const { id } = value;
    perform(handlers, value).then(
      (result) => answer({ id, result }),
      (error: unknown) => answer({ id, error: describe(error) }),
    );
  });
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    try {
      take(chunk);
    } catch {
      socket.destroy();
    }
  });
}

async function perform(handlers: ControlHandlers, { name, argument }: Request): Promise<unknown> {
  const handler = Object.hasOwn(handlers, name) ? handlers[name] : undefined;
  if (handler === undefined) throw new ControlError('unknown', `the running server does not know "${name}"`);
  return await handler(argument);
}

/** A result that cannot be sent becomes an error that can. */
function frameOf(response: Response): Buffer {
  try {
    return toFrame(response);
  } catch (error) {
    return toFrame({ id: response.id, error: describe(error) });
  }
}

function describe(error: unknown): { kind: string; message: string } {
  if (!(error instanceof Error)) return { kind: 'failed', message: String(error) };
  // Of the errors that cross, some have a kind.
  const { kind } = error as Error & { kind?: unknown };
  return { kind: typeof kind === 'string' ? kind : error.name, message: error.message };
}

function client(socket: Socket, patience: number): ControlClient {
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  let last = 0;
  const end = () => {
    socket.destroy();
    for (const { reject } of waiting.values()) reject(new ControlError('closed', 'the server went away'));
    waiting.clear();
  };
  const take = frameReader((value) => {
    if (!isResponse(value)) throw new FrameError('an answer that is none');
    const request = waiting.get(value.id);
    waiting.delete(value.id);
    if (value.error === undefined) request?.resolve(value.result);
    else request?.reject(new ControlError(value.error.kind, value.error.message));
  });
  socket.on('error', end);
  socket.on('close', end);
  socket.on('data', (chunk: Buffer) => {
    try {
      take(chunk);
    } catch {
      end();
    }
  });
  const close = async () => end();
  return {
    request(name, argument) {
      const answer = new Promise<unknown>((resolve, reject) => {
        if (socket.destroyed) throw new ControlError('closed', 'the server went away');
        last += 1;
        const frame = toFrame({ id: last, name, argument } satisfies Request);
        waiting.set(last, { resolve, reject });
        socket.write(frame);
      });
      return within(patience, answer);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function isRequest(value: unknown): value is Request {
  return (
    typeof value === 'object' && value !== null && 'id' in value && 'name' in value && typeof value.name === 'string'
  );
}

function isResponse(value: unknown): value is Response {
  return typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'number';
}
