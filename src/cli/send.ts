// The verb `send`: submits a message to the running server, as any mail program would, by nodemailer.

import { access, constants, stat } from 'node:fs/promises';
import { getCACertificates, type SecureContextOptions } from 'node:tls';
import { createTransport } from 'nodemailer';
import type { Config } from '../config/config.ts';
import { comparable } from '../directory/address-book.ts';
import { formatAddress, toAddress } from '../formats/address.ts';
import { parseAddressList } from '../formats/address-list.ts';
import { readBounded } from '../platform/bounded-file.ts';
import { runningGates } from './administration.ts';
import { printable } from './columns.ts';
import { type Context, configOf, EXIT, Failure, say } from './context.ts';
import { askPassword } from './password.ts';
import { type Gate, nearAddress } from './ports-table.ts';

export interface SendOptions {
  readonly from: string;
  readonly to: readonly string[];
  readonly subject?: string;
  /** Absent: standard input. */
  readonly body?: string;
  readonly attach?: readonly string[];
  readonly user?: string;
}

export async function send(context: Context, options: SendOptions): Promise<number> {
  const config = await configOf(context);
  for (const text of [options.from, ...options.to]) demandAddresses(text);
  for (const path of options.attach ?? []) await demandFile(path);
  const gates = await runningGates(config);
  if (gates === null) throw new Failure('no server runs on this data folder: start one with "postern serve"');
  const gate = preferred(gates);
  const user = options.user ?? addressIn(options.from);
  const pass = await passwordOf(context, config, user);
  const transport = createTransport({
    host: nearAddress(gate.address),
    port: gate.port,
    secure: gate.tls === 'implicit',
    requireTLS: gate.tls === 'required',
    auth: { user, pass },
    tls: { servername: config.hostname, ...(await trust(config)) },
  });
  try {
    const { accepted, rejectedErrors, response } = await transport.sendMail({
      from: options.from,
      to: [...options.to],
      subject: options.subject ?? '',
      text: options.body ?? (await readBody(context, config.limits.messageSize)),
      attachments: (options.attach ?? []).map((path) => ({ path })),
      // A path is a path, whatever it looks like.
      disableUrlAccess: true,
    });
    say(context, `taken for ${accepted.map(String).join(', ')}: ${response}`);
    if (rejectedErrors?.length) throw new Failure(`not for ${refusals(rejectedErrors)}`);
  } catch (error) {
    if (error instanceof Failure) throw error;
    // Where nobody is left, nodemailer hangs each refusal on its error.
    const { message, rejectedErrors } = error as Error & { rejectedErrors?: readonly Rejection[] };
    throw new Failure(
      rejectedErrors?.length ? `not sent: ${refusals(rejectedErrors)}` : `not sent: ${printable(message)}`,
    );
  } finally {
    transport.close();
  }
  return EXIT.done;
}

/** Nodemailer passes over what is no address, and sends to the others. @throws Failure */
function demandAddresses(text: string): void {
  const found = parseAddressList(text).filter((entry) => entry.kind === 'mailbox');
  if (found.length > 0 && found.every(({ localPart, domain }) => localPart !== '' && domain !== '')) return;
  throw new Failure(`not sent: "${printable(text)}" is no address like carol@example.org`, EXIT.usage);
}

/** Nodemailer says of some paths only what the system says, and takes the empty one for an empty file.
 * @throws Failure where no file, device or pipe can be read */
async function demandFile(path: string): Promise<void> {
  if (path === '') throw new Failure('--attach needs the path of a file, not an empty one', EXIT.usage);
  const wrong = (why: string) => new Failure(`not sent: --attach ${printable(path)}: ${why}`);
  try {
    if ((await stat(path)).isDirectory()) throw wrong('is a folder: name the files in it');
    await access(path, constants.R_OK);
  } catch (error) {
    if (error instanceof Failure) throw error;
    const { code } = error as NodeJS.ErrnoException; // the file system's
    throw wrong(code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`);
  }
}

/** What nodemailer keeps of a recipient that was refused. */
interface Rejection {
  readonly message: string;
  readonly recipient?: string | undefined;
  readonly response?: string | undefined;
}

function refusals(errors: readonly Rejection[]): string {
  return errors
    .map(({ recipient, response, message }) => printable(`${recipient ?? 'a recipient'}: ${response ?? message}`))
    .join('; ');
}

function preferred(gates: readonly Gate[]): Gate {
  const submission = gates.filter(({ role }) => role === 'submission');
  const gate = submission.find(({ tls }) => tls === 'implicit') ?? submission[0];
  if (gate === undefined) throw new Failure('this server has no submission listener');
  return gate;
}

/** `Alice <alice@example.org>` without its name. */
function addressIn(from: string): string {
  const [first] = parseAddressList(from);
  if (first?.kind !== 'mailbox' || first.domain === '') return from;
  const address = toAddress(first.localPart, first.domain);
  return address === null ? from : formatAddress(address);
}

/** An account of the configuration file has its password there; any other is asked for. */
async function passwordOf(context: Context, config: Config, user: string): Promise<string> {
  const name = comparable(user);
  const seeded = config.accounts.find(({ address, aliases }) =>
    [address, ...aliases].some((each) => comparable(each) === name),
  );
  if (seeded?.password) return seeded.password;
  if (config.test.anyPassword) return 'any';
  if (!context.stdin.isTTY && !context.env.POSTERN_PASSWORD) {
    throw new Failure(`${user} needs a password: put it into POSTERN_PASSWORD`, EXIT.usage);
  }
  return askPassword(context, `Password for ${user}`);
}

/** Octets of a file of certificates. */
const MAX_CERTIFICATES = 1024 * 1024;

/** Whom to trust: the local authority alone; or, for certificates from elsewhere, everybody whom this machine trusts, and
 * those files themselves, which may be self-signed. */
async function trust({ tls: { folder, certificates } }: Config): Promise<SecureContextOptions> {
  const files = certificates.length > 0 ? certificates : [`${folder}/ca.pem`];
  const read = files.map((file) => readBounded(file, MAX_CERTIFICATES).catch(() => null));
  const own = (await Promise.all(read)).filter((each) => each !== null).map(String);
  if (certificates.length === 0) return own.length > 0 ? { ca: own } : {};
  return { ca: [...getCACertificates('default'), ...own], allowPartialTrustChain: true };
}

/** @throws Failure if it is over what the server takes */
async function readBody({ stdin }: Context, max: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stdin) {
    const octets = Buffer.from(chunk as Buffer | string); // text only where a prompt has set an encoding
    size += octets.length;
    if (size > max) throw new Failure(`standard input is over limits.message_size, ${max} octets`);
    chunks.push(octets);
  }
  return Buffer.concat(chunks).toString();
}
