// How much a request weighs: the octets that it brings along, for the bounds of a transaction and of the log.

import { stagedBodies } from '../commands.ts';
import type { Request } from '../protocol.ts';

/** Octets of bodies and chunks. */
export function octetsOf({ command }: Request): number {
  if (command.kind === 'stage') return command.octets.length;
  return stagedBodies(command).reduce((sum, body) => sum + body.tail.length, 0);
}
