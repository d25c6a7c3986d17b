// The one decision of how well a hop must be protected, from facts to a demand, read from top to bottom: the message's own
// wish (RFC 8689), the operator's word, DANE (RFC 7672), MTA-STS (RFC 8461), and else whatever there is (RFC 7435).

import { isBelow, levelOfRung } from './memory.ts';
import { policyNames } from './mta-sts-policy.ts';
import {
  type Authentication,
  type Demand,
  type ExchangeFacts,
  type HostFacts,
  hasUselessTlsa,
  type MessageWishes,
  type Refused,
} from './rung.ts';

const NOBODY: Authentication = { by: 'nobody' };

export function decide(host: HostFacts, message: MessageWishes): Demand | Refused {
  if (message.requireTls) return required(host);
  if (host.exchange === null) return configured(host);
  // RFC 8689 §3: the sender has said that delivery counts for more.
  if (message.tlsOptional) return opportunistic(host);
  return remembered(host.exchange, published(host, host.exchange));
}

/** What the receiver has published: DANE first, which MTA-STS must not weaken (RFC 8461 §2). */
function published(host: HostFacts, exchange: ExchangeFacts): Demand | Refused {
  const { tlsa, policy } = exchange;
  // RFC 7672 §2.1.1, §2.1.2: what is bogus may hide that TLS is required.
  if (tlsa.kind === 'failed') {
    return {
      kind: 'refused',
      rung: 'dane',
      policy: 'tlsa',
      failure: 'dnssec-invalid',
      status: '4.7.5',
      text: `DNSSEC says that ${host.name} may have TLSA records, but the DNS does not give them: ${tlsa.text}`,
    };
  }
  if (tlsa.kind === 'found' && tlsa.records.length > 0) {
    // RFC 7672 §3.2.2: the domain's own names count, since a secure MX has led from them.
    const names = [...new Set([tlsa.base, exchange.domain, exchange.owner])];
    return demand(host, {
      rung: 'dane',
      tls: 'required',
      authentication: { by: 'dane', records: tlsa.records, names },
      serverName: tlsa.base,
      policy: 'tlsa',
    });
  }
  if (policy?.mode === 'enforce') {
    if (policyNames(policy, host.name)) return byPolicy(host, 'mta-sts');
    return {
      kind: 'refused',
      rung: 'mta-sts',
      policy: 'sts',
      failure: 'validation-failure',
      status: '4.7.5',
      text: `the MTA-STS policy of ${exchange.domain} does not name the host ${host.name} that the DNS gives`,
    };
  }
  // RFC 7672 §2.2: records that are there but of no use still say that the host has TLS.
  if (tlsa.kind === 'found') return demand(host, { rung: 'required', tls: 'required', policy: 'tlsa' });
  if (policy?.mode === 'testing') {
    return demand(host, {
      rung: 'opportunistic',
      tls: 'offered',
      authentication: { by: 'authorities', name: host.name },
      testing: true,
      policy: 'sts',
      mismatch: !policyNames(policy, host.name),
    });
  }
  return opportunistic(host);
}

/** What the domain has shown before, where an operator wants no less. TLS can be demanded; who the host must be cannot be
 * known any more, unless the receiver itself has said, over HTTPS, that it has no policy now. */
function remembered(exchange: ExchangeFacts, found: Demand | Refused): Demand | Refused {
  const { shown, forbidDowngrade, policy, domain } = exchange;
  if (!forbidDowngrade || shown === null || found.kind === 'refused') return found;
  if (!isBelow(levelOfRung(found.rung), shown)) return found;
  if (shown === 'encrypted' || (shown === 'mta-sts' && policy !== null)) {
    return withKey({ ...found, rung: 'required', tls: 'required' });
  }
  const missing =
    shown === 'dane'
      ? ({
          rung: 'dane',
          policy: 'tlsa',
          failure: hasUselessTlsa(exchange) ? 'tlsa-invalid' : 'dane-required',
        } as const)
      : ({ rung: 'mta-sts', policy: 'sts', failure: exchange.policyFailure ?? 'sts-policy-fetch-error' } as const);
  return {
    kind: 'refused',
    ...missing,
    status: '4.7.5',
    text:
      `${domain} had ${shown === 'dane' ? 'DANE' : 'MTA-STS'} not long ago and has not now, ` +
      'which this server is told to refuse (relay.forbid_downgrade)',
  };
}

/** A host that an operator has named is protected as they say. */
function configured(host: HostFacts): Demand {
  switch (host.tls) {
    case 'none':
      return demand(host, { rung: 'none', tls: 'none' });
    case 'opportunistic':
      return opportunistic(host);
    case 'required':
      return demand(host, { rung: 'required', tls: 'required' });
    case 'verified':
      return verified(host, 'required');
    case 'implicit':
      // RFC 8314 §4.4 wants the certificate checked; on this machine nobody is in between.
      return host.loopback ? demand(host, { rung: 'required', tls: 'implicit' }) : verified(host, 'implicit');
    case 'implicit-unverified':
      return demand(host, { rung: 'required', tls: 'implicit' });
  }
}

/** RFC 8689 §4.2.1: a host that DNSSEC or a policy vouches for, a certificate that fits, and its promise. */
function required(host: HostFacts): Demand | Refused {
  const { exchange, tls } = host;
  const promised = (found: Demand | Refused) =>
    found.kind === 'demand' ? withKey({ ...found, requireTls: true, testing: false }) : found;
  if (exchange === null) {
    if (tls === 'none') return unprotected(`the configured way to ${host.name} is without TLS`);
    return promised(verified(host, tls.startsWith('implicit') ? 'implicit' : 'required'));
  }
  const found = published(host, exchange);
  if (found.kind === 'refused' || found.rung === 'dane' || found.rung === 'mta-sts') return promised(found);
  const { policy } = exchange;
  const listed = policy !== null && policy.mode !== 'none' && policyNames(policy, host.name);
  if (exchange.secure || listed) return promised(byPolicy(host, 'verified', listed ? 'sts' : found.policy));
  return unprotected(
    `neither DNSSEC nor an MTA-STS policy vouches for ${host.name} among the mail hosts of ${exchange.domain}`,
  );
}

function unprotected(what: string): Refused {
  const text = `the sender wants TLS on the whole way (REQUIRETLS), but ${what}`;
  return { kind: 'refused', rung: 'verified', policy: 'no-policy-found', failure: null, status: '4.7.10', text };
}

function opportunistic(host: HostFacts): Demand {
  return demand(host, { rung: 'opportunistic', tls: 'offered' });
}

function verified(host: HostFacts, tls: 'required' | 'implicit'): Demand {
  return demand(host, { rung: 'verified', tls, authentication: { by: 'authorities', name: host.name } });
}

/** RFC 8461 §4.1, §4.2: the host's own name, vouched for by an authority. */
function byPolicy(host: HostFacts, rung: Demand['rung'], policy: Demand['policy'] = 'sts'): Demand {
  return demand(host, { rung, tls: 'required', authentication: { by: 'authorities', name: host.name }, policy });
}

function demand(host: HostFacts, what: Pick<Demand, 'rung' | 'tls'> & Partial<Demand>): Demand {
  return withKey({
    kind: 'demand',
    authentication: NOBODY,
    testing: false,
    requireTls: false,
    serverName: host.name,
    policy: 'no-policy-found',
    mismatch: false,
    ...what,
  });
}

/** What is demanded of no name is of the address alone, so that domains share its connections. */
function withKey(found: Omit<Demand, 'key'>): Demand {
  const { tls, authentication, testing, requireTls, serverName } = found;
  const name = tls === 'offered' && authentication.by === 'nobody' ? '' : serverName;
  const parts: (string | number | boolean)[] = [tls, testing, requireTls, name];
  if (authentication.by === 'authorities') parts.push(authentication.name);
  if (authentication.by === 'dane') {
    parts.push(...authentication.names);
    for (const { usage, selector, matching, data } of authentication.records) {
      parts.push(usage, selector, matching, data.toString('base64'));
    }
  }
  return { ...found, key: parts.join(' ') };
}
