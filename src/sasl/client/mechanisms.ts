// The mechanisms that this program speaks as a client, best first, and which of them fit a server and a login.

import type { ClientMechanism, Secret } from './mechanism.ts';
import { scramSha256, scramSha256Plus } from './scram.ts';
import { login, plain, xoauth2 } from './simple.ts';

const mechanisms: readonly ClientMechanism[] = [scramSha256Plus, scramSha256, xoauth2, plain, login];

/**
 * What both sides know, best first.
 * @param offered names as the server said them, upper case
 * @param only the one that the operator has chosen; null: any
 * @param bindable is there something to bind to?
 */
export function fittingMechanisms(
  offered: readonly string[],
  secret: Secret['kind'],
  only: string | null,
  bindable: boolean,
): readonly ClientMechanism[] {
  return mechanisms.filter(
    (mechanism) =>
      mechanism.secret === secret &&
      offered.includes(mechanism.name) &&
      (only === null || only === mechanism.name) &&
      (bindable || !mechanism.binds),
  );
}
