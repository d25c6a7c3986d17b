// The verb `send`: submits a message to the running server, as any mail program would, by nodemailer.

import { readFile } from 'node:fs/promises';
import { text as readText } from 'node:stream/consumers';
import { createTransport } from 'nodemailer';
import type { Config } from '../config/config.ts';
import { runningGates } from './administration.ts';
import { type Context, configOf, EXIT, Failure, say } from './context.ts';
import { askPassword } from './password.ts';
import { type Gate, nearAddress } from './ports-table.ts';

export interface SendOptions {
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  /** Absent: standard input. */
  readonly body?: string;
  readonly attach: readonly string[];
  readonly user?: string;
}

export async function send(context: Context, options: SendOptions): Promise<number> {
  const config = await configOf(context);
  const gates = await runningGates(config);
  if (gates === null) throw new Failure('no server runs on this data folder: start one with "postern serve"');
  const gate = preferred(gates);
  const user = options.user ?? options.from;
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
    const { accepted, rejected, response } = await transport.sendMail({
      from: options.from,
      to: [...options.to],
      subject: options.subject,
      text: options.body ?? (await readText(context.stdin)),
      attachments: options.attach.map((path) => ({ path })),
    });
    say(context, `taken for ${accepted.map(String).join(', ')}: ${response}`);
    if (rejected.length > 0) throw new Failure(`refused for ${rejected.map(String).join(', ')}`);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(`not sent: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    transport.close();
  }
  return EXIT.done;
}

function preferred(gates: readonly Gate[]): Gate {
  const submission = gates.filter(({ role }) => role === 'submission');
  const gate = submission.find(({ tls }) => tls === 'implicit') ?? submission[0];
  if (gate === undefined) throw new Failure('this server has no submission listener');
  return gate;
}

/** An account of the configuration file has its password there; any other is asked for. */
async function passwordOf(context: Context, config: Config, user: string): Promise<string> {
  const seeded = config.accounts.find(({ address }) => address.toLowerCase() === user.toLowerCase());
  if (seeded?.password) return seeded.password;
  if (config.test.anyPassword) return 'any';
  if (!context.stdin.isTTY && !context.env.POSTERN_PASSWORD) {
    throw new Failure(`${user} needs a password: put it into POSTERN_PASSWORD`, EXIT.usage);
  }
  return askPassword(context, `Password for ${user}`);
}

/** What this machine can hold for the server: its local authority, or the certificate that it was given. */
async function trust(config: Config): Promise<{ ca: Buffer } | Record<never, never>> {
  const file = config.tls.certificates[0] ?? `${config.tls.folder}/ca.pem`;
  const ca = await readFile(file).catch(() => null);
  return ca === null ? {} : { ca };
}
