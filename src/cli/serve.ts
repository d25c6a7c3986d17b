// The verb `serve`: starts what the configuration names, says where it listens and how to try it, and lives until a
// signal ends it. SIGHUP takes certificates and accounts anew.

import { warningsOf } from '../config/guard-rails.ts';
import { createLog } from '../platform/log.ts';
import { startServer } from '../serve.ts';
import { type Context, configOf, EXIT, say } from './context.ts';
import { gatesOf, renderGates, renderTry } from './ports-table.ts';

/** Resolves with the exit code when the server has ended. @throws ConfigError; Error where it cannot start */
export async function serve(context: Context): Promise<number> {
  const config = await configOf(context);
  const log = createLog({ level: config.log.level });
  for (const warning of warningsOf(config)) log.warn(warning);
  const server = await startServer(config, { log });
  const gates = gatesOf(config, server.listeners);
  say(context, `${renderGates(gates)}\n\n${renderTry(config, gates)}\n\nready`);

  const reload = () => {
    configOf(context)
      .then((fresh) => server.reload(fresh))
      .catch((error: unknown) => log.error({ err: error }, 'nothing was read again'));
  };
  process.on('SIGHUP', reload);
  const signal = await new Promise<NodeJS.Signals>((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  process.off('SIGHUP', reload);
  log.info({ signal }, 'stopping');
  await server.close();
  log.info('stopped');
  return EXIT.done;
}
