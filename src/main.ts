// The program: verbs and their options. What a verb does stands in cli/, and is loaded when it is asked for.

import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import type { AddOptions } from './cli/account.ts';
import { type Context, EXIT, Failure } from './cli/context.ts';
import type { ListOptions } from './cli/queue.ts';
import type { SendOptions } from './cli/send.ts';
import { ConfigError } from './config/place.ts';

// This program's own file.
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  readonly version: string;
};

const program = new Command('postern')
  .description('A mail server whose ports are its gates: each has one role, one TLS rule and one AUTH rule.')
  .version(version)
  .option('-c, --config <file>', 'configuration (default: POSTERN_CONFIG, or config/postern.toml)');

const accounts = () => import('./cli/account.ts');
const queues = () => import('./cli/queue.ts');

/** Runs a verb and turns what it throws into one line and an exit code. */
function verb<Arguments extends unknown[]>(run: (context: Context, ...args: Arguments) => Promise<number>) {
  return async (...args: Arguments) => {
    const context: Context = {
      configFile: program.opts<{ config?: string }>().config ?? null,
      env: process.env,
      cwd: process.cwd(),
      stdin: process.stdin,
      stdout: process.stdout,
      stderr: process.stderr,
    };
    try {
      process.exitCode = await run(context, ...args);
    } catch (error) {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode =
        error instanceof Failure ? error.exitCode : error instanceof ConfigError ? EXIT.configuration : EXIT.failed;
    }
  };
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

const account = program.command('account').description('who has a mailbox here');
account
  .command('add')
  .argument('<address>')
  .description('make an account; its password is asked for, or read from standard input or POSTERN_PASSWORD')
  .option('--alias <address...>', 'other addresses that lead to it', [])
  .option('--quota <size>', 'such as 2GB')
  .action(verb(async (context, name: string, options: AddOptions) => (await accounts()).add(context, name, options)));
account
  .command('list')
  .option('--json', 'as JSON')
  .action(verb(async (context, options: { json?: boolean }) => (await accounts()).list(context, options)));
account
  .command('passwd')
  .argument('<address>')
  .description('set a new password')
  .action(verb(async (context, name: string) => (await accounts()).passwd(context, name)));
account
  .command('remove')
  .argument('<address>')
  .description('remove an account and its mail')
  .action(verb(async (context, name: string) => (await accounts()).remove(context, name)));

const queue = program.command('queue').description('what waits to leave');
queue
  .command('list')
  .option('--domain <domain>', 'of the recipients')
  .option('--json', 'as JSON')
  .action(verb(async (context, options: ListOptions) => (await queues()).list(context, options)));
queue
  .command('show')
  .argument('<id>')
  .description('the whole life of one entry')
  .option('--json', 'as JSON')
  .action(
    verb(async (context, id: string, options: { json?: boolean }) => (await queues()).show(context, id, options)),
  );
for (const [action, what] of [
  ['retry', 'make entries due now'],
  ['remove', 'drop entries, without a report to anybody'],
] as const) {
  queue
    .command(action)
    .argument('[ids...]')
    .description(what)
    .option('--domain <domain>', 'all for this domain')
    .option('--all', 'all there are')
    .action(
      verb(async (context, ids: string[], options: { all?: boolean; domain?: string }) =>
        (await queues()).control(context, action, ids, options),
      ),
    );
}

program
  .command('send')
  .description('submit a message to the running server')
  .requiredOption('--from <address>')
  .requiredOption('--to <address...>')
  .option('--subject <text>', '', '')
  .option('--body <text>', 'default: standard input')
  .option('--attach <file...>', '', [])
  .option(
    '--user <name>',
    'default: the sender; the password comes from the configuration, POSTERN_PASSWORD or a prompt',
  )
  .action(verb(async (context, options: SendOptions) => (await import('./cli/send.ts')).send(context, options)));

program
  .command('health')
  .description('exit 0 if every gate of the running server answers')
  .action(verb(async (context) => (await import('./cli/health.ts')).health(context)));

await program.parseAsync();
