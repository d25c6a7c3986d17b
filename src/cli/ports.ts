// The verb `ports`: the table of gates, of the running server if there is one.

import { runningGates } from './administration.ts';
import { type Context, configOf, EXIT, say, sayJson } from './context.ts';
import { gatesOf, renderGates, renderReasons } from './ports-table.ts';

export async function ports(context: Context, options: { readonly json?: boolean }): Promise<number> {
  const config = await configOf(context);
  const gates = (await runningGates(config)) ?? gatesOf(config, null);
  if (options.json === true) sayJson(context, gates);
  else say(context, `${renderGates(gates)}\n\n${renderReasons(gates)}`);
  return EXIT.done;
}
