// The log: pino, one JSON object a line (pretty on a terminal), with the ids that follow a message through its hops. No
// secret leaves here: fields named like one are blanked, and of an error only type, text, code and stack are written.

import { createRequire } from 'node:module';
import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';
import { createLineWriter } from './line-writer.ts';

export type Log = Logger;

/** The hops of RFC 5598 §2 as this log names them. */
export type Hop = 'MUA→MSA' | 'MSA→MTA' | 'MTA→MTA' | 'MTA→MDA' | 'MS→MUA';

/** Names of fields that are never written, whatever case or affix they have (`smtpPassword`, `password_hash`). */
const SECRET = /passw|passphrase|secret|credential|^pass$|^token$|apikey|api_key|authorization|privatekey|private_key/i;
const BLANK = '[secret]';
/** Objects deeper than this are not looked into, and not written. */
const MAX_DEPTH = 4;
/** Characters that may wait for a slow reader of the log; more is dropped, so that a stuck pipe cannot eat the memory. */
const MAX_WAITING = 16 * 1024 * 1024;

export interface LogOptions {
  readonly level: string;
  /** Standard error by default: standard output is for what people asked to see. */
  readonly destination?: DestinationStream;
  /** Text for people instead of JSON; by default where standard error is a terminal. */
  readonly pretty?: boolean;
}

/** Makes the log of the whole program. Lines may wait in memory for a moment; the end of the process writes them. */
export function createLog({ level, destination, pretty = !destination && process.stderr.isTTY }: LogOptions): Log {
  const log = pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => blanked(fields, 0),
      },
      serializers: { err: errorFields, error: errorFields },
    },
    pretty ? prettyOver(destination ?? 2) : (destination ?? standardError()),
  );
  // pino formats the bindings of no child; every child is made from this log, and so by this function.
  const { child } = log;
  log.child = function (this: Log, fields, options) {
    return child.call(this, blanked(fields, 0), options);
  } as typeof child; // which is generic over levels that are added; there are none
  return log;
}

/** Standard error as it is: JSON. */
function standardError(): DestinationStream {
  const writer = createLineWriter(2, MAX_WAITING);
  process.once('exit', () => writer.finish());
  return writer;
}

/** For people: a line of text each. */
function prettyOver(destination: DestinationStream | number): DestinationStream {
  // Loaded only where somebody looks, since it costs start-up time.
  const pretty = createRequire(import.meta.url)('pino-pretty') as typeof import('pino-pretty');
  const stream = pretty({
    destination,
    sync: true,
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
  });
  stream.on('error', () => undefined);
  return { write: (line) => void stream.write(tamed(line)) };
}

/** A line of JSON in which what a terminal would obey is written out, since some texts are a peer's: control characters
 * that JSON has escaped, and those that it leaves alone. */
function tamed(line: string): string {
  return line.replace(/\\\\|\\[bfr]|\\u00[01][0-9a-f]|[\x7f-\x9f]/g, (sign) => {
    if (sign === '\\\\') return sign;
    return sign.startsWith('\\') ? `\\${sign}` : `\\\\u00${sign.charCodeAt(0).toString(16)}`;
  });
}

/** The same fields without secrets; the object itself where it has none. */
function blanked(fields: Record<string, unknown>, depth: number): Record<string, unknown> {
  let copy: Record<string, unknown> | null = null;
  for (const name in fields) {
    const value = fields[name];
    const clean = SECRET.test(name) && value !== null && value !== undefined ? BLANK : cleaned(value, depth);
    if (clean !== value) {
      copy ??= { ...fields };
      copy[name] = clean;
    }
  }
  return copy ?? fields;
}

function cleaned(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return errorFields(value);
  if (value instanceof Uint8Array) return `[${value.length} octets]`;
  if (depth >= MAX_DEPTH) return '[…]';
  if (Array.isArray(value)) return value.map((item) => cleaned(item, depth + 1));
  // A plain object by now: pino writes its own enumerable fields, so those are what is looked at.
  return blanked(value as Record<string, unknown>, depth + 1);
}

/** What is written of an error: libraries hang whole options, with passwords, on theirs. */
function errorFields(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  // Some errors have these two, whatever their class.
  const { code, kind } = error as Error & { code?: unknown; kind?: unknown };
  return {
    type: error.name,
    message: error.message,
    ...(code === undefined ? {} : { code }),
    ...(kind === undefined ? {} : { kind }),
    stack: error.stack,
    ...(error.cause instanceof Error ? { cause: `${error.cause.name}: ${error.cause.message}` } : {}),
  };
}
