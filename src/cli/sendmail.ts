// The verb `sendmail`: takes a message from a local program (cron, PHP, mail) as sendmail(1) does. It goes into the spool,
// whole and synced, and the running server is asked to take it; where none runs, the next one does. Exit codes are those of
// sysexits(3).

import { isAscii } from 'node:buffer';
import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import { ConfigError } from '../config/place.ts';
import { type Address, formatAddress } from '../formats/address.ts';
import { HeaderBlock, parseHeader } from '../formats/header.ts';
import type { Taken } from '../msa/local-message.ts';
import { originOf } from '../msa/qualification.ts';
import { leave, type SpooledEnvelope, spoolPlace } from '../msa/spool.ts';
import { systemClock } from '../platform/clock.ts';
import { connectControl } from '../platform/control.ts';
import { controlPath } from './administration.ts';
import { type Context, configOf } from './context.ts';
import { control, list } from './queue.ts';
import { parseSendmail, type SendmailArguments, SendmailUsage } from './sendmail-arguments.ts';
import { addressesIn, canonicalMessage, recipientsOf, UnreadableRecipient } from './sendmail-message.ts';

/** sysexits(3). */
const EX = { ok: 0, usage: 64, data: 65, noUser: 67, unavailable: 69, tempFail: 75, config: 78 } as const;

/** The message cannot be had from this call; `exitCode` is one of EX. */
class Unsendable extends Error {
  override readonly name = 'Unsendable';
  readonly exitCode: number;
  constructor(exitCode: number, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Never throws: every end has its exit code. */
export async function sendmail(context: Context, argv: readonly string[]): Promise<number> {
  try {
    const args = parseSendmail(argv);
    if (args.mode === 'nothing') return EX.ok;
    const called = { ...context, configFile: args.config === null ? context.configFile : resolve(args.config) };
    if (args.mode === 'list') return await list(called, {});
    // Scripts say it whenever the net comes up: what an operator holds is not for them.
    if (args.mode === 'flush') return await control(called, 'retry', [], { state: 'waiting' });
    return await submit(called, args);
  } catch (error) {
    context.stderr.write(`sendmail: ${error instanceof Error ? error.message : String(error)}\n`);
    return exitCodeOf(error);
  }
}

function exitCodeOf(error: unknown): number {
  if (error instanceof Unsendable) return error.exitCode;
  if (error instanceof SendmailUsage) return EX.usage;
  if (error instanceof UnreadableRecipient) return EX.data;
  if (error instanceof ConfigError) return EX.config;
  // What the file system throws: rights do not come by waiting.
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EACCES' || code === 'EPERM' || code === 'EROFS' ? EX.unavailable : EX.tempFail;
}

async function submit(context: Context, args: SendmailArguments): Promise<number> {
  const config = await configOf(context);
  const content = canonicalMessage(await readAll(context, config.limits.messageSize), !args.dotIsText);
  const envelope = envelopeOf(context, args, config, content);
  const id = await leave(spoolPlace(config), envelope, content);
  const taken = await handOver(config, id);
  if (taken.kind !== 'refused') return EX.ok;
  const text = taken.replies.map((reply) => `${reply.code} ${reply.status ?? ''} ${reply.text}`).join('\n  ');
  const unknown = taken.replies.some(({ status }) => status?.startsWith('5.1.') === true);
  throw new Unsendable(unknown ? EX.noUser : EX.data, `not sent to anybody:\n  ${text}`);
}

/** From here on the message is safe: whatever goes wrong now, a server takes it later. */
async function handOver({ data }: Config, id: string): Promise<Taken> {
  try {
    const client = await connectControl(controlPath({ data }));
    if (client === null) return { kind: 'kept', text: 'no server runs' };
    await using _ = client;
    return (await client.request('take-spooled', id)) as Taken; // as serve.ts answers
  } catch {
    return { kind: 'kept', text: 'the server does not answer' };
  }
}

function envelopeOf(context: Context, args: SendmailArguments, config: Config, content: Buffer): SpooledEnvelope {
  const origin = originOf(config);
  const header = headerOf(content, config.limits.headerSize);
  const listed = args.recipients.flatMap((text) => addressesIn(text, origin));
  const recipients = distinct([...listed, ...(args.fromHeader ? recipientsOf(parseHeader(header), origin) : [])]);
  if (recipients.length === 0) {
    throw new Unsendable(
      EX.usage,
      args.fromHeader ? 'no recipients in the header' : 'no recipients: name them, or say -t',
    );
  }
  if (recipients.length > config.limits.recipients) {
    throw new Unsendable(EX.data, `${recipients.length} recipients; limits.recipients are ${config.limits.recipients}`);
  }
  const user = callerOf(context);
  const from = senderOf(args.sender ?? user, origin);
  const { notify, ret, envid } = args;
  return {
    version: 1,
    user,
    from: from === null ? null : formatAddress(from),
    fullName: args.fullName ?? (context.env.NAME || null),
    recipients: recipients.map(formatAddress),
    body: isAscii(content) ? '7BIT' : '8BITMIME',
    createdAt: systemClock.now(),
    ...(notify === null ? {} : { notify: typeof notify === 'string' ? notify : [...notify] }),
    ...(ret === null ? {} : { ret }),
    ...(envid === null ? {} : { envid }),
  };
}

/** `-f <>` and `-f ""` are the null path. */
function senderOf(text: string, origin: string): Address | null {
  const bare = text.trim().replace(/^<(.*)>$/, '$1');
  if (bare === '') return null;
  const [address, ...others] = addressesIn(bare, origin);
  if (address === undefined || others.length > 0) throw new Unsendable(EX.usage, `-f ${text}: is no address`);
  return address;
}

/** The name of who calls; where the system has none for the number, the number. */
function callerOf({ env }: Context): string {
  try {
    return userInfo().username;
  } catch {
    return env.LOGNAME || `uid${process.getuid?.() ?? ''}`;
  }
}

function headerOf(content: Buffer, limit: number): Buffer {
  const block = new HeaderBlock(limit);
  block.push(content);
  if (block.overflow) throw new Unsendable(EX.data, `the header is over limits.header_size, ${limit} octets`);
  return Buffer.from(block.bytes);
}

function distinct(addresses: readonly Address[]): readonly Address[] {
  return [...new Map(addresses.map((address) => [formatAddress(address), address])).values()];
}

/** @throws Unsendable if it is over what the server takes */
async function readAll({ stdin }: Context, max: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stdin) {
    const octets = Buffer.from(chunk as Buffer | string); // no encoding has been set
    size += octets.length;
    if (size > max) throw new Unsendable(EX.data, `the message is over limits.message_size, ${max} octets`);
    chunks.push(octets);
  }
  return Buffer.concat(chunks, size);
}
