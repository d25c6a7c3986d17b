// What came of protecting a hop: an outcome with a text that tells a person what was demanded and what the host gave, and
// the record of it that is kept with the attempt, in the terms of RFC 8460 §4 so that a report can be made of it.

import { ConnectionFailure } from '../../smtp/client/channel.ts';
import type { SmtpConnection } from '../../smtp/client/connection.ts';
import { deferred, failed, type Outcome } from '../../smtp/client/outcome.ts';
import type { HopSecurity } from '../../store/rows.ts';
import type { NextHop } from '../route.ts';
import { isBelow, levelOf } from './memory.ts';
import { type Demand, hasUselessTlsa, type PolicyType, type Refused } from './rung.ts';

type Hop = Pick<NextHop, 'name' | 'exchange'>;

/** A hop that was not protected as demanded: the message waits, since whatever is in the middle may go. Null: that is not
 * why the connection failed. */
export function unprotected(hop: Hop, demand: Demand, failure: ConnectionFailure): Outcome | null {
  // RFC 8689 §4.2.1.
  const missing = demand.requireTls ? '4.7.10' : null;
  switch (failure.kind) {
    // RFC 3463 §3.8; X.7.4: the security feature is not there, X.7.5: it failed.
    case 'unencrypted':
      return deferred(missing ?? '4.7.4', `${demanded(hop, demand)}, but ${failure.message}`);
    case 'handshake':
      return deferred(missing ?? '4.7.5', `${demanded(hop, demand)}, but the handshake failed: ${failure.message}`);
    case 'certificate':
      return deferred('4.7.5', `${demanded(hop, demand)}, but ${failure.message}`);
    default:
      return null;
  }
}

/** RFC 8689 §4.2.1: the host itself says that it cannot, so waiting changes nothing. */
export function unpromised({ name }: Hop): Outcome {
  return failed('5.7.30', `the sender wants TLS on the whole way (REQUIRETLS), and ${name} does not promise that`);
}

function demanded({ name, exchange }: Hop, { rung, policy, requireTls }: Demand): string {
  const whole = requireTls ? 'the sender wants TLS on the whole way (REQUIRETLS), and ' : '';
  const domain = exchange?.domain;
  switch (rung) {
    case 'dane':
      return `${whole}${domain} has signed (DANE) that mail to its host ${name} is encrypted, with a certificate that it names`;
    case 'mta-sts':
      return `${whole}${domain} has a policy (MTA-STS) that mail to its host ${name} is encrypted, with a valid certificate`;
    case 'verified':
      return `${whole}mail to ${name} must be encrypted, with a valid certificate`;
    default:
      if (policy === 'tlsa') return `${whole}${domain} has signed (DANE) that mail to its host ${name} is encrypted`;
      return `${whole}mail to ${name} must be encrypted`;
  }
}

/** How the try was protected, or why it was not made. @param came the connection, or what kept it from coming about;
 * null: none was tried @param broken why TLS was given up for clear, if it was */
export function securityOf(
  hop: Hop,
  decision: Demand | Refused,
  came: SmtpConnection | ConnectionFailure | null,
  broken: ConnectionFailure | undefined,
): HopSecurity {
  const { rung, policy } = decision;
  const shown = hop.exchange?.shown ?? null;
  const session = came === null || came instanceof ConnectionFailure || decision.kind === 'refused' ? null : came;
  const lower =
    session !== null && decision.kind === 'demand' && shown !== null && isBelow(levelOf(session, decision), shown);
  const failure = failureOf(decision, came, broken) ?? publishedFailure(policy, hop.exchange);
  const reason = failure === null || !VAGUE.includes(failure) ? null : reasonOf(decision, came, broken);
  return {
    rung,
    policy,
    domain: hop.exchange?.domain ?? null,
    certificate: certificateOf(came),
    failure,
    ...(reason === null ? {} : { reason }),
    ...(lower ? { before: shown } : {}),
  };
}

/** Result types that say little by themselves (RFC 8460 §4.3.1). */
const VAGUE: readonly string[] = ['validation-failure', 'certificate-not-trusted'];

/** What is wrong with what the receiver has published, whatever came of the session (RFC 8460 §4.3.2): of the policy that
 * the session was under, since one of them does not fail because the other is of no use. */
function publishedFailure(policy: PolicyType, exchange: NextHop['exchange']): string | null {
  if (exchange === null || policy === 'sts') return null;
  if (policy === 'tlsa') return hasUselessTlsa(exchange) ? 'tlsa-invalid' : null;
  return exchange.policyFailure;
}

/** For the receiver's people. */
function reasonOf(
  decision: Demand | Refused,
  came: SmtpConnection | ConnectionFailure | null,
  broken: ConnectionFailure | undefined,
): string | null {
  const verdict = came?.certificate ?? null;
  if (verdict !== null && verdict.kind !== 'authenticated') return verdict.text;
  if (came instanceof ConnectionFailure) return came.message;
  if (broken !== undefined) return broken.message;
  return decision.policy === 'sts' ? 'the host is not in the policy' : null;
}

function certificateOf(came: SmtpConnection | ConnectionFailure | null): string | null {
  const verdict = came?.certificate ?? null;
  if (verdict === null) return null;
  return verdict.kind === 'authenticated' ? verdict.by : verdict.problem;
}

/** RFC 8460 §4.3, result-type. */
function failureOf(
  decision: Demand | Refused,
  came: SmtpConnection | ConnectionFailure | null,
  broken: ConnectionFailure | undefined,
): string | null {
  if (decision.kind === 'refused') return decision.failure;
  if (came instanceof ConnectionFailure) {
    if (came.certificate !== undefined && came.certificate.kind !== 'authenticated') return came.certificate.problem;
    if (came.kind === 'unencrypted') return 'starttls-not-supported';
    return came.kind === 'handshake' ? 'validation-failure' : null;
  }
  if (came === null || decision.tls === 'none') return null;
  if (came.tls === null) return broken === undefined ? 'starttls-not-supported' : 'validation-failure';
  const verdict = came.certificate;
  if (verdict !== null && verdict.kind !== 'authenticated') return verdict.problem;
  return decision.mismatch ? 'validation-failure' : null;
}
