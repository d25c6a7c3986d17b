// Programs that a machine cannot have installed beside others of their kind, such as a second mail server: unpacked from
// their packages into a folder of their own, which `.ci/run` does.

import { existsSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = process.env.INTEROP_PEERS ?? '/opt/postern-interop';

/** @returns the unpacked program if there is one, else the name, to be found among the installed */
export function unpacked(name: string): string {
  const path = join(FOLDER, 'usr/sbin', name);
  return existsSync(path) ? path : name;
}
