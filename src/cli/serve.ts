// The verb `serve`: starts what the configuration names, says where it listens and how to try it, and lives until a
// signal ends it. SIGHUP takes certificates and accounts anew, and says what else has changed and waits for a restart.

import { changedSettings } from '../config/changes.ts';
import { warningsOf } from '../config/guard-rails.ts';
import type { Reading } from '../config/load.ts';
import type { Settings } from '../config/schema.ts';
import { systemClock } from '../platform/clock.ts';
import { createLog, type Log } from '../platform/log.ts';
import { RELOADED, type RunningServer, startServer } from '../serve.ts';
import { type Context, EXIT, failureText, readingOf, say } from './context.ts';
import { gatesOf, renderGates, renderTry } from './ports-table.ts';

/** ms from a signal to the end, whatever is stuck: all that was answered 250 is on disk. */
const DEADLINE = 4_800;

/** Resolves with the exit code when the server has ended. @throws ConfigError; Error where it cannot start */
export async function serve(context: Context): Promise<number> {
  const { settings, config } = await readingOf(context);
  const log = createLog({ level: config.log.level });
  using signals = listenToSignals();
  for (const warning of warningsOf(config)) log.warn(warning);
  const server = await startServer(config, { log });
  const gates = gatesOf(config, server.listeners);
  say(context, `${renderGates(gates)}\n\n${renderTry(config, gates)}\n\nready`);
  signals.onReload(() => reload(server, settings, log, () => readingOf(context)));
  // Whoever started us starts us again: a store that failed can only be opened anew.
  const reason = await Promise.race([signals.ended, server.store.failed]);
  const code = typeof reason === 'string' ? EXIT.done : EXIT.failed;
  log.info({ reason: code === EXIT.done ? reason : 'the store failed' }, 'stopping');
  systemClock.after(DEADLINE, () => process.exit(EXIT.failed));
  await server.close();
  log.info('stopped');
  return code;
}

/** Never rejects: a server that runs goes on with what it has. @param started what it was started with */
async function reload(server: RunningServer, started: Settings, log: Log, read: () => Promise<Reading>): Promise<void> {
  try {
    const { settings, config } = await read();
    const waiting = changedSettings(started, settings).filter((name) => !RELOADED.includes(name));
    if (waiting.length > 0) log.warn({ settings: waiting }, 'changed settings wait for a restart');
    await server.reload(config);
  } catch (error) {
    log.error({ reason: failureText(error) }, 'not read again');
  }
}

/** From before the start, so that no signal ends a server that is half open. A second one changes nothing: npm hands on
 * the Ctrl-C that the terminal has sent already. */
function listenToSignals() {
  const { promise: ended, resolve } = Promise.withResolvers<NodeJS.Signals>();
  let hangUps = 0;
  let action: (() => Promise<void>) | null = null;
  // One after another: each SIGHUP finds what the one before it has read.
  let reading = Promise.resolve();
  const hangUp = () => {
    hangUps += 1;
    if (action !== null) reading = reading.then(action);
  };
  const endings = ['SIGTERM', 'SIGINT'] as const;
  for (const signal of endings) process.on(signal, resolve);
  process.on('SIGHUP', hangUp);
  return {
    ended,
    /** What SIGHUP does; at once, if one came during the start. */
    onReload(reload: () => Promise<void>) {
      action = reload;
      if (hangUps > 0) reading = reading.then(reload);
    },
    [Symbol.dispose]() {
      process.off('SIGHUP', hangUp);
      for (const signal of endings) process.off(signal, resolve);
    },
  };
}
