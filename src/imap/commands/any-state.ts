// Commands of any state (RFC 3501 §6.1) and ID (RFC 2971).

import { capabilityData } from '../capabilities.ts';
import { bad, ok } from '../completion.ts';
import { ANY_STATE, command, nothing } from './command.ts';

/** capability = "CAPABILITY" */
export const capability = command({
  name: 'CAPABILITY',
  states: ANY_STATE,
  grammar: nothing,
  run(session) {
    session.writer.line(`* ${capabilityData(session.standing)}`);
    return ok('That is all');
  },
});

/** noop = "NOOP": the client asks for news, which any completion brings. */
export const noop = command({
  name: 'NOOP',
  states: ANY_STATE,
  grammar: nothing,
  run: () => ok('Nothing was to be done'),
});

/** logout = "LOGOUT" */
export const logout = command({
  name: 'LOGOUT',
  states: ANY_STATE,
  grammar: nothing,
  run(session) {
    // What happened to the mailbox meanwhile is no news to a client that leaves.
    session.unselect();
    session.writer.line(`* BYE ${session.hostname} says goodbye`);
    session.afterwards('logout');
    return ok('Logged out');
  },
});

/** RFC 2971 §3.3: at most 30 fields, names of 30 octets, values of 1024. */
const ID_LIMITS = { fields: 30, name: 30, value: 1_024 };
/** What is worth a line in the log. */
const LOGGED_FIELDS = new Set(['name', 'version', 'vendor', 'os']);

/** id = "ID" SP id_params_list; id_params_list = "(" #(string SPACE nstring) ")" / nil */
export const id = command({
  name: 'ID',
  states: ANY_STATE,
  grammar(scanner) {
    scanner.space();
    if (!scanner.atList) {
      if (scanner.nstring() !== null) throw scanner.problem('a list or NIL');
      return [];
    }
    return scanner.list(() => {
      const name = scanner.string().toString('latin1');
      scanner.space();
      const value = scanner.nstring()?.toString() ?? null;
      if (name.length > ID_LIMITS.name || (value?.length ?? 0) > ID_LIMITS.value) throw bad('An ID field is too long');
      return { name, value };
    });
  },
  run(session, fields) {
    if (fields.length > ID_LIMITS.fields) throw bad('ID has too many fields');
    const client = Object.fromEntries(
      fields.map(({ name, value }) => [name.toLowerCase(), value] as const).filter(([name]) => LOGGED_FIELDS.has(name)),
    );
    session.log.info({ session: session.id, client }, 'imap: client names itself');
    // RFC 2971 §7: neither version nor system: they serve an attacker more than a client.
    session.writer.line('* ID ("name" "Postern")');
    return ok('Pleased to meet you');
  },
});
