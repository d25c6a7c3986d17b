// What the decision is made from, read out of a hop, a message and a connection.

import { isLoopback } from '../../platform/source.ts';
import type { SmtpConnection } from '../../smtp/client/connection.ts';
import type { TransitRow } from '../../store/rows.ts';
import type { NextHop } from '../route.ts';
import type { Demand, HostFacts, MessageWishes } from './rung.ts';

export function factsOf({ name, address, tls, exchange }: NextHop): HostFacts {
  return { name, tls, exchange, loopback: isLoopback(address) };
}

/** RFC 8689 §4.1: the header field counts for nothing where REQUIRETLS was said. RFC 8689 §5: a report is not lost because
 * the way back is another. */
export function wishesOf({ parameters, reversePath }: Pick<TransitRow, 'parameters' | 'reversePath'>): MessageWishes {
  const requireTls = parameters.requiretls === true;
  return {
    requireTls: requireTls && reversePath !== null,
    tlsOptional: !requireTls && parameters.tlsOptional === true,
  };
}

/** Does the host promise what the message asks for (RFC 8689 §4.2.1)? */
export function promises(demand: Demand, { extensions }: SmtpConnection): boolean {
  return !demand.requireTls || extensions.requireTls;
}
