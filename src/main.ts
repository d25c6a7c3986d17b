// The program: verbs and their options. What a verb does stands in cli/, and is loaded when it is asked for.

import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { type Context, EXIT, Failure } from './cli/context.ts';
import { ConfigError } from './config/place.ts';

// This program's own file.
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  readonly version: string;
};

const program = new Command('postern')
  .description('A mail server whose ports are its gates: each has one role, one TLS rule and one AUTH rule.')
  .version(version)
  .option('-c, --config <file>', 'configuration (default: POSTERN_CONFIG, or config/postern.toml)');

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

await program.parseAsync();
