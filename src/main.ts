// The program: verbs and their options. What a verb does stands in cli/, and is loaded when it is asked for.

import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import type { AddOptions, ChangeOptions } from './cli/account.ts';
import { type Context, EXIT, exitCodeOf, failureText } from './cli/context.ts';
import type { ControlOptions, ListOptions } from './cli/queue.ts';
import type { SendOptions } from './cli/send.ts';
import { sendmailCall } from './cli/sendmail-call.ts';
import type { TlsReportsOptions } from './cli/tls-reports.ts';
import { systemClock } from './platform/clock.ts';

// This program's own file.
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  readonly version: string;
};

// Whoever has closed their end, or has no room, has heard enough; a server goes on.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

// Mail is its owner's alone, whatever file it lands in: the databases, their logs, the socket.
process.umask(0o077);

const program = new Command('postern')
  .exitOverride()
  .description('A mail server whose ports are its gates: each has one role, one TLS rule and one AUTH rule.')
  .version(version, '-V, --version', 'print the version')
  .helpOption('-h, --help', 'print this help')
  .helpCommand(false)
  .option('-c, --config <file>', 'configuration (default: POSTERN_CONFIG, or config/postern.toml)');

/** ms from the end of a verb, and of what it printed, to the end of the process. */
const AFTERMATH = 500;

/** `sendmail` has its own manners: it is called by this name, or as a verb whose flags are sendmail(1)'s. */
const asSendmail = sendmailCall(process.argv);

const accounts = () => import('./cli/account.ts');
const queues = () => import('./cli/queue.ts');

const append = (address: string, before: readonly string[] = []) => [...before, address];

/** Runs a verb and turns what it throws into one line and an exit code. */
function verb<Arguments extends unknown[]>(run: (context: Context, ...args: Arguments) => Promise<number>) {
  return async (...args: Arguments) => {
    const context: Context = {
      configFile: asSendmail?.config ?? program.opts<{ config?: string }>().config ?? null,
      env: process.env,
      cwd: asSendmail?.cwd ?? process.cwd(),
      stdin: process.stdin,
      stdout: process.stdout,
      stderr: process.stderr,
    };
    try {
      process.exitCode = await run(context, ...args);
    } catch (error) {
      // As above: a list into "head" ends there, and nothing went wrong.
      const enough = error instanceof Error && 'code' in error && error.code === 'EPIPE';
      if (!enough) process.stderr.write(`${failureText(error)}\n`);
      process.exitCode = enough ? EXIT.done : exitCodeOf(error);
    }
    // What was printed is for whoever reads it, however slowly.
    await Promise.all([process.stdout, process.stderr].map(taken));
    // Nothing should be open any more; whatever is does not keep the process.
    systemClock.after(AFTERMATH, () => process.exit());
  };
}

/** Resolves when what was written has been taken, or nobody is there to take it. */
function taken(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write('', () => resolve()));
}

program
  .command('serve')
  .description('run the server until SIGTERM or SIGINT; SIGHUP reads certificates and accounts again')
  .action(verb(async (context) => (await import('./cli/serve.ts')).serve(context)));

program
  .command('ports')
  .description('print every gate with its role, TLS and AUTH rule, and why')
  .option('--json', 'as JSON')
  .action(
    verb(async (context, options: { json?: boolean }) => (await import('./cli/ports.ts')).ports(context, options)),
  );

program
  .command('dns')
  .argument('[domain]', 'one of our domains (default: all of them)')
  .description('print the records to publish in the DNS, in the format of a zone file, with the reason for each')
  .option('--json', 'as JSON')
  .action(
    verb(async (context, domain: string | undefined, options: { json?: boolean }) =>
      (await import('./cli/dns.ts')).dns(context, domain, options),
    ),
  );

const account = program.command('account').description('who has a mailbox here').helpCommand(false);
account
  .command('add')
  .argument('<address>', 'such as carol@example.org, of a domain of ours')
  .description('make an account; its password is asked for, or read from standard input or POSTERN_PASSWORD')
  .option('--alias <address>', 'another address that leads to it; may be said several times', append)
  .option('--quota <size>', 'what its mail may take, such as 2GB (default: no limit)')
  .action(verb(async (context, name: string, options: AddOptions) => (await accounts()).add(context, name, options)));
account
  .command('list')
  .description('print every account with its aliases, what it holds, and who made it')
  .option('--json', 'as JSON')
  .action(verb(async (context, options: { json?: boolean }) => (await accounts()).list(context, options)));
account
  .command('passwd')
  .argument('<address>', 'of an account that "account add" made')
  .description('set a new password, which is asked for, or read from standard input or POSTERN_PASSWORD')
  .action(verb(async (context, name: string) => (await accounts()).passwd(context, name)));
account
  .command('change')
  .argument('<address>', 'of an account that "account add" made')
  .description('change its aliases and its quota; its password and its mail stay')
  .option('--alias <address>', 'another alias; may be said several times, as those below', append)
  .option('--take <alias>', 'an alias of another account, which loses it, such as that of the postmaster', append)
  .option('--drop <alias>', 'no alias any more', append)
  .option('--quota <size>', 'what its mail may take, such as 2GB; "none" for no limit')
  .action(
    verb(async (context, name: string, options: ChangeOptions) => (await accounts()).change(context, name, options)),
  );
account
  .command('remove')
  .argument('<address>', 'of an account that "account add" made')
  .description('remove an account and its mail')
  .action(verb(async (context, name: string) => (await accounts()).remove(context, name)));

const queue = program.command('queue').description('what waits to leave').helpCommand(false);
/** Which entries. */
const filtered = (command: Command) =>
  command
    .option('--domain <domain>', 'what goes to this domain')
    .option('--sender <address>', 'what comes from this address, or from "@domain"; "<>" for reports')
    .option('--recipient <address>', 'what goes to this address, or to "@domain"')
    .option('--state <state>', 'what is waiting, held or suspended')
    .option('--older <time>', 'what was taken so long ago or longer, such as 4h')
    .option('--message <id>', 'the recipients of the message that has this id in the log')
    .option('--json', 'as JSON');
filtered(queue.command('list'))
  .description('print every entry: one recipient of one message')
  .action(verb(async (context, options: ListOptions) => (await queues()).list(context, options)));
queue
  .command('show')
  .argument('<id>', 'as "queue list" prints it')
  .description('print the whole life of one entry')
  .option('--json', 'as JSON')
  .action(
    verb(async (context, id: string, options: { json?: boolean }) => (await queues()).show(context, id, options)),
  );
queue
  .command('status')
  .description('print how much waits, for whom, what is suspended, and what was counted')
  .option('--json', 'as JSON')
  .action(verb(async (context, options: { json?: boolean }) => (await queues()).status(context, options)));
for (const [action, what] of [
  ['hold', 'keep entries until they are released: no try, no warning, no end'],
  ['release', 'let held entries go on as if nothing had been'],
  ['retry', 'make entries due now, also held ones; one that its sender has held until later must be named'],
  ['remove', 'drop entries, without a report to anybody'],
] as const) {
  filtered(queue.command(action))
    .argument('[ids...]', 'as "queue list" prints them')
    .description(what)
    .option('--all', 'all there are')
    .action(
      verb(async (context, ids: string[], options: ControlOptions) =>
        (await queues()).control(context, action, ids, options),
      ),
    );
}
for (const [action, suspended, what] of [
  ['suspend', true, 'let nothing go to a domain until it is resumed'],
  ['resume', false, 'let mail go to a suspended domain again'],
] as const) {
  queue
    .command(action)
    .argument('<domain>', 'such as example.org')
    .description(what)
    .option('--json', 'as JSON')
    .action(
      verb(async (context, domain: string, options: { json?: boolean }) =>
        (await queues()).suspend(context, domain, suspended, options),
      ),
    );
}

program
  .command('tls-reports')
  .description(
    'print what others report of TLS with our mail hosts: day, who, policy, sessions that went well or failed, why',
  )
  .option('--domain <domain>', 'whose policy it is: one of our domains, or the mail host')
  .option('--since <day>', 'about this day or later: 2026-01-31, or 7d for a week')
  .option('--failures', 'only where sessions failed')
  .option('--json', 'as JSON, with all details')
  .action(
    verb(async (context, options: TlsReportsOptions) =>
      (await import('./cli/tls-reports.ts')).tlsReports(context, options),
    ),
  );

program
  .command('send')
  .description('submit a message to the running server')
  .requiredOption('--from <address>', 'the sender: an address of the user')
  .requiredOption('--to <address...>', 'the recipients')
  .option('--subject <text>', 'the subject (default: none)')
  .option('--body <text>', 'the text (default: standard input)')
  .option('--attach <file...>', 'files to attach')
  .option(
    '--user <name>',
    'who logs in (default: the sender); the password comes from the configuration, from ' +
      'POSTERN_PASSWORD, or is asked for',
  )
  .action(verb(async (context, options: SendOptions) => (await import('./cli/send.ts')).send(context, options)));

program
  .command('sendmail')
  .argument('[recipients...]')
  .description('take a message as sendmail(1) does (-t, -i, -f, -F …): to the running server, or for the next one');

program
  .command('health')
  .description('exit with 0 if every gate of the running server answers as its role does, else with 1')
  .action(verb(async (context) => (await import('./cli/health.ts')).health(context)));

program.addHelpText('after', '\nExit codes: 0 done, 1 not done, 2 wrong usage, 78 wrong configuration.');

try {
  if (asSendmail === null) await program.parseAsync();
  else await verb(async (context) => (await import('./cli/sendmail.ts')).sendmail(context, asSendmail.args))();
} catch (error) {
  // Said already, by commander.
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.usage;
}
